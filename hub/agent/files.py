"""The bytes of what is sent, from the hub: hub.flow.ports.OutgoingFiles for an adapter that runs in an agent.

Which call wants them is known from the task that performs it; what was opened is closed when that call ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from hub.agent.link import HubAway, HubLink, HubRefused
from hub.flow.ports import OutgoingFile
from hub.model.errors import AttachmentGone, StoreUnavailable

FETCH_SECONDS: Final = 170.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Errand:
    """The call that is performed now."""

    call_id: str
    fence: int
    opened: contextlib.AsyncExitStack


_errand: ContextVar[_Errand | None] = ContextVar("errand", default=None)


@contextlib.asynccontextmanager
async def files_of(call_id: str, fence: int) -> AsyncIterator[None]:
    """Let this task open the files of a call within a block."""
    async with contextlib.AsyncExitStack() as opened:
        token = _errand.set(_Errand(call_id=call_id, fence=fence, opened=opened))
        try:
            yield
        finally:
            _errand.reset(token)


class HubFiles:
    """Opens files of the hub."""

    def __init__(self, link: HubLink) -> None:
        self._link = link

    async def open_file(self, file_id: str) -> OutgoingFile:
        errand = _errand.get()
        if errand is None:
            raise AttachmentGone(f"{file_id} belongs to no call that is performed now")
        body = {"fence": errand.fence, "call_id": errand.call_id, "file_id": file_id}
        try:
            reply = await errand.opened.enter_async_context(
                self._link.stream("files", body, timeout_seconds=FETCH_SECONDS)
            )
        except HubAway as error:
            raise StoreUnavailable(str(error)) from None
        except HubRefused as error:
            raise AttachmentGone(str(error)) from None
        headers = {name.lower(): value.decode("latin-1") for name, value in reply.headers}
        return OutgoingFile(
            filename=unquote(headers.get(b"x-file-name", "")) or None,
            mime_type=headers.get(b"x-file-type", "application/octet-stream"),
            size=int(headers.get(b"content-length", "0")),
            chunks=reply.pieces,
        )
