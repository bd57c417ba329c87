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
from hub.flow.calling import CallFailed
from hub.flow.ports import OutgoingFile
from hub.model.errors import AttachmentGone, StoreUnavailable

#: The bytes go on as fast as the network takes them; a call is given up after 15 minutes (hub.agent.work).
FETCH_SECONDS: Final = 840.0
#: As much as a hub may keep of one file; what a bridge sends is bounded by its settings.
MOST_FILE_BYTES: Final = 5 * 2**30


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
                self._link.stream("files", body, timeout_seconds=FETCH_SECONDS, most_bytes=MOST_FILE_BYTES)
            )
        except HubAway as error:
            raise StoreUnavailable(str(error)) from None
        except HubRefused as error:
            raise AttachmentGone(str(error)) from None
        name, kind = reply.header(b"x-file-name") or b"", reply.header(b"x-file-type")
        length = reply.header(b"content-length") or b""
        if not length.isdigit():
            raise StoreUnavailable("what answered is no hub: it does not say how long the file is")
        return OutgoingFile(
            filename=unquote(name.decode("latin-1")) or None,
            mime_type="application/octet-stream" if kind is None else kind.decode("latin-1"),
            size=int(length),
            chunks=_read(reply.pieces),
        )


async def _read(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    except CallFailed as error:
        raise StoreUnavailable(f"the hub did not send the whole file: {error.detail}") from None
