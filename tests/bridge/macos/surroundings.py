"""What adapters on a Mac get in tests: fast time, files in memory, no network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import Call, CallFailed, Reply, Socket, SocketCall, StreamedBody, StreamedReply
from hub.flow.ports import OutgoingFile
from hub.model.errors import AttachmentGone
from tests.bridge.macos.fast_time import FastTime

LINE: Final = "+15550100000"
CONTACT: Final = "+15550100001"


class MemoryFiles:
    """Files by id; each id of the conformance suite has one."""

    def __init__(self) -> None:
        self.contents = {f"file_000000000000{number}": b"content" * number for number in range(1, 10)}

    async def open_file(self, file_id: str) -> OutgoingFile:
        content = self.contents.get(file_id)
        if content is None:
            raise AttachmentGone(f"{file_id} is not among the hub's files")
        return OutgoingFile(
            filename=f"{file_id}.png", mime_type="image/png", size=len(content), chunks=_pieces(content)
        )


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]


class _NoCalls:
    """No way out: nothing on a Mac needs one."""

    async def send(self, call: Call) -> Reply:
        raise CallFailed("not_sent", "tests call nobody")

    def stream(self, call: Call) -> AbstractAsyncContextManager[StreamedReply]:
        raise CallFailed("not_sent", "tests call nobody")

    async def upload(self, call: Call, body: StreamedBody) -> Reply:
        raise CallFailed("not_sent", "tests call nobody")

    def connect(self, call: SocketCall) -> AbstractAsyncContextManager[Socket]:
        raise CallFailed("not_sent", "tests call nobody")


class _NoLinks:
    def address(self, file_id: str) -> str | None:
        return None


def surroundings(
    time: FastTime, *, lines: Sequence[str] = (LINE,), files: MemoryFiles | None = None
) -> Surroundings:
    calls = _NoCalls()
    return Surroundings(
        clock=time,
        sleep=time.sleep,
        caller=calls,
        sockets=calls,
        files=files or MemoryFiles(),
        links=_NoLinks(),
        lines=lambda: lines,
        draw=lambda: 0.5,
    )
