"""Streamed answers: the body piece by piece, a slow consumer makes the sender wait, half an answer is told."""

from __future__ import annotations

import asyncio

import pytest

from hub.outbound import OutboundClient, OutboundCode, OutboundError, Request
from hub.outbound.streaming import MOST_HELD_BYTES
from tests.outbound.conftest import Clock, MakeClient
from tests.outbound.receivers import OK, Visit, answering, listening

CHUNK = b"x" * 65_536


def asking(url: str, *, most: int = 2**30, seconds: float = 20.0) -> Request:
    return Request(method="GET", url=url, headers=(), max_response_bytes=most, timeout_seconds=seconds)


async def read(client: OutboundClient, request: Request) -> tuple[int, bytes]:
    async with client.stream(request) as answer:
        return answer.status, b"".join([piece async for piece in answer.pieces])


@pytest.mark.parametrize(
    "parts",
    [
        (OK,),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"o", b"k"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n", b"1\r\nk\r\n0\r\n\r\n"),
    ],
    ids=["at once", "in pieces", "chunked"],
)
async def test_the_whole_body_comes_and_the_connection_is_kept(
    client: OutboundClient, parts: tuple[bytes, ...]
) -> None:
    async with listening(answering(*parts)) as receiver:
        for _ in range(3):
            assert await read(client, asking(receiver.url())) == (200, b"ok")

        assert receiver.visits == 1
        assert client.idle_connections == 1


async def test_a_body_may_end_with_its_connection(client: OutboundClient) -> None:
    async with listening(answering(b"HTTP/1.1 200 OK\r\n\r\n", b"ok", is_closing=True)) as receiver:
        assert await read(client, asking(receiver.url())) == (200, b"ok")


async def test_head_and_status_are_there_before_the_body(client: OutboundClient) -> None:
    may_go_on = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 2\r\n\r\n")
        await may_go_on.wait()
        await visit.send(b"ok")

    async with listening(behave) as receiver, client.stream(asking(receiver.url())) as answer:
        assert (answer.status, answer.header(b"location"), answer.header(b"x")) == (302, b"/there", None)
        may_go_on.set()
        assert [piece async for piece in answer.pieces] == [b"ok"]


async def test_a_slow_consumer_makes_the_sender_wait(client: OutboundClient) -> None:
    total = 64 * 1024 * 1024
    sent = 0

    async def behave(visit: Visit) -> None:
        nonlocal sent
        await visit.read_request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        while sent < total:
            await visit.send(CHUNK)
            sent += len(CHUNK)

    async with listening(behave) as receiver, client.stream(asking(receiver.url())) as answer:
        first = await anext(answer.pieces)
        before = -1
        while before != sent:  # until nothing moves any more, however often everybody has had a turn
            before = sent
            for _ in range(2000):
                await asyncio.sleep(0)
        assert sent < total / 2 < total - MOST_HELD_BYTES
        count = len(first)
        async for piece in answer.pieces:
            count += len(piece)

    assert count == total


async def test_a_body_that_is_too_long_is_told(client: OutboundClient) -> None:
    async with listening(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")) as receiver:
        with pytest.raises(OutboundError) as raised:
            await read(client, asking(receiver.url(), most=4))

    assert raised.value.code is OutboundCode.BODY_TOO_LARGE
    assert client.open_connections == 0


async def test_a_body_that_breaks_off_is_told(client: OutboundClient) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"
    async with listening(answering(half, is_closing=True)) as receiver:
        with pytest.raises(OutboundError) as raised:
            await read(client, asking(receiver.url()))

    assert raised.value.code is OutboundCode.CONNECTION_LOST
    assert raised.value.status == 200


async def test_no_answer_is_told(client: OutboundClient) -> None:
    async with listening(answering(b"nonsense\r\n\r\n")) as receiver:
        with pytest.raises(OutboundError) as raised:
            await read(client, asking(receiver.url()))

    assert raised.value.code is OutboundCode.PROTOCOL_ERROR


async def test_the_time_counts_while_the_body_comes(make_client: MakeClient) -> None:
    clock = Clock()
    client = make_client(clock=clock)

    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
        await visit.closed_by_client()

    async def all_of(url: str) -> None:
        async with client.stream(asking(url, seconds=30)) as answer:
            assert await anext(answer.pieces) == b"hel"
            clock.now += 31
            await anext(answer.pieces)

    async with listening(behave) as receiver:
        with pytest.raises(OutboundError) as raised:
            await all_of(receiver.url())

    assert raised.value.code is OutboundCode.TIMEOUT


async def test_whoever_leaves_early_ends_the_connection(client: OutboundClient) -> None:
    ended = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
        await visit.closed_by_client()
        ended.set()

    async with listening(behave) as receiver:
        async with client.stream(asking(receiver.url())) as answer:
            assert answer.status == 200
        await ended.wait()

    assert client.open_connections == 0


async def test_a_stale_connection_is_not_told(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(OK)
        if visit.receiver.visits == 1:
            await visit.read_request()
            visit.reset()
        else:
            await visit.closed_by_client()

    async with listening(behave) as receiver:
        for _ in range(2):
            assert await read(client, asking(receiver.url())) == (200, b"ok")

        assert receiver.visits == 2


async def test_a_refused_address_is_never_called(client: OutboundClient) -> None:
    with pytest.raises(OutboundError) as raised:
        await read(client, asking("http://10.0.0.1/"))

    assert raised.value.code in {OutboundCode.URL_REFUSED, OutboundCode.ADDRESS_REFUSED}
