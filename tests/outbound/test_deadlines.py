"""One total deadline over everything, noticed by one coarse timer."""

from __future__ import annotations

import asyncio

import pytest

from hub.outbound import OutboundCode, OutboundError
from tests.outbound.conftest import Clock, MakeClient
from tests.outbound.receivers import OK, Visit, listening

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(b"", None, id="no answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", None, id="half a head"),
        pytest.param(HEAD + b"x", 200, id="half a body"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", None, id="only 100"),
    ],
)
async def test_a_receiver_that_stalls_is_left_at_the_deadline(
    make_client: MakeClient, answer: bytes, status: int | None
) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(answer)
        sent.set()
        await visit.closed_by_client()
        closed.set()

    sent, closed = asyncio.Event(), asyncio.Event()
    clock = Clock()
    client = make_client(clock=clock)
    async with listening(behave) as receiver:
        call = asyncio.ensure_future(
            client.post(client.target(receiver.url()), b"", b"1", timeout_seconds=20)
        )
        await sent.wait()
        await asyncio.sleep(0.02)
        clock.now += 19.9
        await asyncio.sleep(0.02)
        assert not call.done()
        clock.now += 0.2
        with pytest.raises(OutboundError) as caught:
            await call
        await closed.wait()

        assert (caught.value.code, caught.value.status) == (OutboundCode.TIMEOUT, status)
        assert caught.value.duration_ms == pytest.approx(20_100)
        assert client.open_connections == 0 or client.idle_connections == 0


async def test_a_slow_drip_does_not_move_the_deadline(make_client: MakeClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(HEAD)
        while True:
            await visit.send(b"x")
            clock.now += 1
            await asyncio.sleep(0.001)

    clock = Clock()
    client = make_client(clock=clock)
    async with listening(behave) as receiver:
        with pytest.raises(OutboundError) as caught:
            await client.post(client.target(receiver.url()), b"", b"1", timeout_seconds=20)

        assert caught.value.code is OutboundCode.TIMEOUT


async def test_many_deadlines_end_each_at_its_own_time(make_client: MakeClient) -> None:
    clock = Clock()
    client = make_client(clock=clock)
    async with listening(lambda visit: visit.closed_by_client()) as receiver:
        target = client.target(receiver.url())
        calls = [
            asyncio.ensure_future(client.post(target, b"", b"1", timeout_seconds=seconds))
            for seconds in (10, 20, 30)
        ]
        await receiver.saw(visits=3)
        await asyncio.sleep(0.02)
        ended = []
        for _ in range(3):
            clock.now += 10.5
            await asyncio.sleep(0.05)
            ended.append([call.done() for call in calls])
        await asyncio.gather(*calls, return_exceptions=True)

        assert ended == [[True, False, False], [True, True, False], [True, True, True]]


async def test_waiting_for_the_answer_costs_no_time_when_it_comes(make_client: MakeClient) -> None:
    """The timer of a finished call does not disturb the next one on the same connection."""

    async def behave(visit: Visit) -> None:
        while await visit.read_request() is not None:
            await visit.send(OK)

    clock = Clock()
    client = make_client(clock=clock)
    async with listening(behave) as receiver:
        target = client.target(receiver.url())
        for _ in range(5):
            clock.now += 15
            assert (await client.post(target, b"", b"1", timeout_seconds=20)).status == 200

        assert receiver.visits == 1
