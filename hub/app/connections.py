"""uvicorn's connection, with a way to cut it off: closing waits until the other side has taken everything.

And a way to become a WebSocket, for agents alone; what speaks that protocol is imported with the first one
(decision 28).
"""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.api.agent_sockets import PATH
from hub.api.serving import ABORT

_PATH: Final = PATH.encode()


class Connection(HttpToolsProtocol):
    """Hands the application what cuts its connection off, as an extension of ASGI."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {ABORT: self.transport.abort}
        self.scope["extensions"] = extensions

    def _should_upgrade_to_ws(self) -> bool:
        return self.url.partition(b"?")[0] == _PATH and self.scope["method"] == "GET"

    def handle_websocket_upgrade(self) -> None:
        from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415 - see above
            WebSocketsSansIOProtocol,
        )

        self.ws_protocol_class = WebSocketsSansIOProtocol
        super().handle_websocket_upgrade()
        # It falls silent, for ever, over a request that cannot be one (a body, too many headers).
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            self.send_400_response("Invalid HTTP request received.")
