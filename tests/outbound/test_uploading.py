"""Bodies that are read while they are sent: whole or not at all, once, in constant memory."""

from __future__ import annotations

import asyncio
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from hub.flow.calling import CallFailed, StreamedBody
from hub.outbound import OutboundClient, OutboundCode, OutboundError, Request, Response
from hub.outbound.calling import failed
from tests.outbound.certificates import Authority
from tests.outbound.conftest import Clock, MakeClient
from tests.outbound.receivers import OK, Behaviour, Visit, answering, listening

PIECE = b"x" * 65_536
MIB = 1_048_576


class Unreadable(Exception):
    """A disk that fails."""


@dataclass
class Source:
    """Something that is read piece by piece."""

    pieces: tuple[bytes, ...] = (b"one ", b"", b"two")
    #: Raised after the last piece.
    ends: Exception | None = None
    #: After the last piece nothing comes for ever.
    is_stalling: bool = False
    read: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    is_closed: bool = False

    def body(self, size: int | None = None) -> StreamedBody:
        """Make a body of it, of the length that is told."""
        told = sum(map(len, self.pieces)) if size is None else size
        return StreamedBody(size=told, pieces=self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                await asyncio.sleep(0)
                self.read += len(piece)
                self.begun.set()
                yield piece
            if self.is_stalling:
                await asyncio.Event().wait()
            if self.ends is not None:
                raise self.ends
        finally:
            self.is_closed = True


def asking(url: str, *, seconds: float = 20.0, method: str = "POST") -> Request:
    return Request(method=method, url=url, headers=((b"X-Kind", b"file"),), timeout_seconds=seconds)


def drinking(answer: bytes = OK) -> Behaviour:
    """Take a request's body in without keeping it, then answer."""

    async def behave(visit: Visit) -> None:
        head = await visit.reader.readuntil(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while left > 0:
            left -= len(await visit.reader.read(65_536))
        await visit.send(answer)
        await visit.closed_by_client()

    return behave


async def settled(source: Source) -> int:
    """Wait until nothing more is read; give how much was."""
    before = -1
    while before != source.read:
        before = source.read
        await asyncio.sleep(0.03)
    return before


async def test_the_body_arrives_whole_and_its_connection_is_used_again(client: OutboundClient) -> None:
    source = Source()
    async with listening(answering(OK)) as receiver:
        response = await client.upload(asking(receiver.url("/files")), source.body())
        after = await client.request(asking(receiver.url()))

        head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
        assert (response.status, response.body) == (200, b"ok")
        assert head.startswith(b"POST /files HTTP/1.1\r\n")
        assert b"\r\nContent-Length: 7\r\n" in head + b"\r\n"
        assert b"\r\nX-Kind: file" in head
        assert body == b"one two"
        assert source.is_closed
        assert after.is_reused_connection


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_empty_body_is_one_too(client: OutboundClient, method: str) -> None:
    async with listening(answering(OK)) as receiver:
        await client.upload(asking(receiver.url(), method=method), Source(pieces=()).body())

        assert b"\r\nContent-Length: 0\r\n" in receiver.requests[0]


async def test_a_body_goes_over_a_connection_of_its_own(client: OutboundClient) -> None:
    """A kept one may be closed, and what was read could not be sent again."""
    async with listening(answering(OK)) as receiver:
        await client.request(asking(receiver.url()))
        response = await client.upload(asking(receiver.url()), Source().body())

        assert not response.is_reused_connection
        assert receiver.visits == 2


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "tls"])
async def test_a_slow_receiver_makes_the_reading_wait(
    make_client: MakeClient, authority: Authority, trusting: ssl.SSLContext, is_tls: bool
) -> None:
    async def behave(visit: Visit) -> None:
        await may_read.wait()
        await drinking()(visit)

    may_read = asyncio.Event()
    source = Source(pieces=(PIECE,) * 512)
    client = make_client(tls=trusting)
    async with listening(behave, tls=authority.server("127.0.0.1") if is_tls else None) as receiver:
        url = receiver.url(scheme="https" if is_tls else "http")
        call = asyncio.ensure_future(client.upload(asking(url), source.body()))
        await source.begun.wait()
        waiting = await settled(source)
        may_read.set()
        response = await call

        assert response.status == 200
        assert waiting < source.read == 512 * len(PIECE)


async def test_an_answer_that_comes_early_ends_the_sending(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await visit.closed_by_client()

    source = Source(is_stalling=True)
    async with listening(behave) as receiver:
        response = await client.upload(asking(receiver.url()), source.body(1000))

        assert response.status == 413
        assert source.is_closed
        assert client.idle_connections == 0


async def incomplete(client: OutboundClient, source: Source, size: int | None = None) -> Exception:
    """Send to a receiver that waits for the whole; give why it did not come, when the receiver has seen its end."""
    seen: list[bytes] = []

    async def behave(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        seen.append(await visit.reader.read())
        ended.set()

    ended = asyncio.Event()
    async with listening(behave) as receiver:
        with pytest.raises((OutboundError, Unreadable)) as caught:
            await client.upload(asking(receiver.url()), source.body(size))
        await ended.wait()

    assert len(seen[0]) < (sum(map(len, source.pieces)) + 1 if size is None else size + 1)
    assert source.is_closed
    assert client.idle_connections == 0
    return caught.value


async def test_what_reading_raises_is_raised(client: OutboundClient) -> None:
    problem = Unreadable("the disk is broken")

    assert await incomplete(client, Source(ends=problem), 1000) is problem


@pytest.mark.parametrize("size", [6, 8], ids=["too long", "too short"])
async def test_a_body_of_another_length_than_was_told_is_never_whole(
    client: OutboundClient, size: int
) -> None:
    problem = await incomplete(client, Source(), size)

    assert isinstance(problem, OutboundError)
    assert (problem.code, problem.is_ours) == (OutboundCode.BODY_BROKEN, True)
    assert failed(problem).kind == "not_sent"


async def lost(client: OutboundClient, behave: Behaviour, body: StreamedBody) -> CallFailed:
    async with listening(behave) as receiver:
        with pytest.raises(OutboundError) as caught:
            await client.upload(asking(receiver.url()), body)
        assert receiver.visits == 1  # and never again
    return failed(caught.value)


async def test_a_receiver_that_went_before_the_end_cannot_have_had_the_whole(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")

    failure = await lost(client, behave, Source(is_stalling=True).body(1000))

    assert failure.kind == "not_sent"


async def test_a_receiver_that_went_after_the_end_may_have_done_it(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()

    failure = await lost(client, behave, Source().body())

    assert failure.kind == "unknown"


@pytest.mark.parametrize(
    ("source", "size", "kind"),
    [
        pytest.param(Source(is_stalling=True), 1000, "not_sent", id="reading stalls"),
        pytest.param(Source(pieces=(PIECE,) * 512), None, "not_sent", id="the receiver stalls"),
        pytest.param(Source(), None, "unknown", id="the answer stalls"),
    ],
)
async def test_one_deadline_counts_for_all_of_it(
    make_client: MakeClient, source: Source, size: int | None, kind: str
) -> None:
    async def behave(visit: Visit) -> None:
        arrived.set()
        await may_end.wait()

    arrived, may_end, clock = asyncio.Event(), asyncio.Event(), Clock()
    client = make_client(clock=clock)
    async with listening(behave) as receiver:
        call = asyncio.ensure_future(client.upload(asking(receiver.url(), seconds=20), source.body(size)))
        await asyncio.gather(arrived.wait(), source.begun.wait())
        await settled(source)
        clock.now += 20.1
        with pytest.raises(OutboundError) as caught:
            await call
        may_end.set()

        assert caught.value.code is OutboundCode.TIMEOUT
        assert failed(caught.value).kind == kind
        assert source.is_closed


async def test_who_gives_up_leaves_nothing_open(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.closed_by_client()
        ended.set()

    ended, source = asyncio.Event(), Source(is_stalling=True)
    async with listening(behave) as receiver:
        call = asyncio.ensure_future(client.upload(asking(receiver.url()), source.body(1000)))
        await source.begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await ended.wait()

        assert source.is_closed


async def test_64_mib_pass_through_little_memory(client: OutboundClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(256):
            yield bytes([number]) * (MIB // 4)

    async def send() -> Response:
        body = StreamedBody(size=64 * MIB, pieces=pieces())
        return await client.upload(asking(receiver.url()), body)

    async with listening(drinking()) as receiver:
        tracemalloc.start()
        try:
            response = await send()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert response.status == 200
    assert peak < 8 * MIB
