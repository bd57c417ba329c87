"""Files between hub and agent pass through little memory, whole or not at all."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.agent.files import HubFiles, files_of
from hub.agent.link import HubLink, Identity
from hub.model.errors import AttachmentGone, StoreUnavailable
from hub.outbound.calling import GuardedCaller
from hub.rules.signing import Secret
from tests.outbound.receivers import Behaviour, Visit, answering, listening
from tests.support.calling import local_client
from tests.support.manual_time import ManualClock

MIB = 1_048_576
SIZE = 64 * MIB
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-File-Type: video/mp4\r\nX-File-Name: a%%20film.mp4\r\n\r\n"
)
GONE = b'{"error": {"code": "file_not_found", "message": "It is gone."}}'


def sending(size: int) -> Behaviour:
    """Promise 64 MiB, and send so many bytes."""

    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(HEAD % SIZE)
        for number in range(size // 65_536):
            await visit.send(bytes([number % 256]) * 65_536)

    return behave


@asynccontextmanager
async def hub(behaviour: Behaviour) -> AsyncIterator[HubFiles]:
    """Give the files of a hub that behaves so."""
    async with listening(behaviour) as receiver:
        client = local_client()
        secret = Secret.from_bytes(bytes(32)).text
        identity = Identity(hub=receiver.url().rstrip("/"), bridge="brg_1", secret=secret)
        link = HubLink(identity, GuardedCaller(client), ManualClock(), lambda: "agent-1")
        try:
            async with files_of("bcl_1", 1):
                yield HubFiles(link)
        finally:
            await client.aclose()


async def test_a_large_file_comes_whole_through_little_memory() -> None:
    count = 0
    async with hub(sending(SIZE)) as files:
        tracemalloc.start()
        try:
            file = await files.open_file("file_1")
            async for piece in file.chunks:
                count += len(piece)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert (file.filename, file.mime_type, file.size, count) == ("a film.mp4", "video/mp4", SIZE, SIZE)
    assert peak < SIZE // 4


async def test_a_file_that_breaks_off_is_away_for_now() -> None:
    async with hub(sending(MIB)) as files:
        file = await files.open_file("file_1")
        with pytest.raises(StoreUnavailable, match="did not send the whole file"):
            async for _ in file.chunks:
                pass


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%b" % (len(GONE), GONE), AttachmentGone),
        (b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", StoreUnavailable),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwelcome", StoreUnavailable),
    ],
    ids=["gone", "away", "no hub"],
)
async def test_what_is_no_file_is_told(answer: bytes, error: type[Exception]) -> None:
    async with hub(answering(answer, is_closing=True)) as files:
        with pytest.raises(error):
            await files.open_file("file_1")
