"""uvicorn's connection, with a way to cut it off: closing waits until the other side has taken everything."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.api.serving import ABORT


class Connection(HttpToolsProtocol):
    """Hands the application what cuts its connection off, as an extension of ASGI."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {ABORT: self.transport.abort}
        self.scope["extensions"] = extensions
