"""Keeping, reusing, bounding and closing connections."""

from __future__ import annotations

import asyncio
import gc

import psutil
import pytest

from hub.outbound import OutboundClient, OutboundCode, OutboundError, Request, Response
from tests.outbound.conftest import Clock, MakeClient
from tests.outbound.receivers import OK, Behaviour, Visit, answering, listening


async def post_all(client: OutboundClient, url: str, count: int) -> list[Response]:
    target = client.target(url)
    return await asyncio.gather(*(client.post(target, b"", b"{}") for _ in range(count)))


def answering_once_then(*ending: bytes, is_reset: bool = False) -> Behaviour:
    """On the first connection answer one request and end badly on the second; be good on the others."""

    async def behave(visit: Visit) -> None:
        is_first = visit.receiver.visits == 1
        await visit.read_request()
        await visit.send(OK)
        while await visit.read_request() is not None:
            if not is_first:
                await visit.send(OK)
                continue
            await visit.send(*ending)
            if is_reset:
                visit.reset()
            return

    return behave


async def test_calls_at_once_share_no_connection_and_later_ones_reuse_them(make_client: MakeClient) -> None:
    client = make_client(limits={"max_idle_per_pool": 3})
    async with listening(answering(OK)) as receiver:
        first = await post_all(client, receiver.url(), 5)
        kept = client.idle_connections
        second = await post_all(client, receiver.url(), 5)

        assert [answer.is_reused_connection for answer in first] == [False] * 5
        assert kept == 3
        assert sorted(answer.is_reused_connection for answer in second) == [False, False, True, True, True]
        assert receiver.visits == 7


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
async def test_a_stale_connection_is_replaced_once(client: OutboundClient, is_reset: bool) -> None:
    async with listening(answering_once_then(is_reset=is_reset)) as receiver:
        target = client.target(receiver.url())
        await client.post(target, b"", b"1")
        response = await client.post(target, b"", b"2")

        assert (response.status, response.is_reused_connection) == (200, False)
        assert [request[-1:] for request in receiver.requests] == [b"1", b"2", b"2"]


async def test_a_stale_connection_is_an_error_where_resending_is_not_wanted(client: OutboundClient) -> None:
    async with listening(answering_once_then()) as receiver:
        target = client.target(receiver.url())
        await client.post(target, b"", b"1")
        with pytest.raises(OutboundError) as caught:
            await client.post(target, b"", b"2", resend_if_stale=False)

        assert caught.value.code is OutboundCode.CONNECTION_LOST
        assert receiver.visits == 1


async def test_half_an_answer_is_never_resent(client: OutboundClient) -> None:
    async with listening(answering_once_then(b"HTTP/1.1")) as receiver:
        target = client.target(receiver.url())
        await client.post(target, b"", b"1")
        with pytest.raises(OutboundError) as caught:
            await client.post(target, b"", b"2")

        assert caught.value.code is OutboundCode.CONNECTION_LOST
        assert receiver.visits == 1


async def test_resending_gives_up_after_one_fresh_connection(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        if visit.receiver.visits == 1:
            await visit.send(OK)
            await visit.read_request()

    async with listening(behave) as receiver:
        target = client.target(receiver.url())
        await client.post(target, b"", b"1")
        with pytest.raises(OutboundError) as caught:
            await client.post(target, b"", b"2")

        assert caught.value.code is OutboundCode.CONNECTION_LOST
        assert receiver.visits == 2


@pytest.mark.parametrize(
    ("answer", "seconds_later", "is_reused"),
    [
        pytest.param(OK, 74.0, True, id="within idle time"),
        pytest.param(OK, 76.0, False, id="after idle time"),
        pytest.param(
            OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5\r\n\r\n"), 3.9, True, id="as promised"
        ),
        pytest.param(
            OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5\r\n\r\n"), 4.1, False, id="not as promised"
        ),
        pytest.param(
            OK.replace(b"\r\n\r\n", b"\r\nkeep-alive: max=3, timeout=1\r\n\r\n"), 0.0, False, id="too short"
        ),
        pytest.param(OK.replace(b"\r\n\r\n", b"\r\nKeep-Alive: nonsense\r\n\r\n"), 74.0, True, id="nonsense"),
    ],
)
async def test_an_idle_connection_is_reused_only_while_the_receiver_keeps_it(
    make_client: MakeClient, answer: bytes, seconds_later: float, is_reused: bool
) -> None:
    clock = Clock()
    client = make_client(clock=clock, limits={"idle_sweep_seconds": 3600})
    async with listening(answering(answer)) as receiver:
        target = client.target(receiver.url())
        await client.post(target, b"", b"1")
        clock.now += seconds_later
        response = await client.post(target, b"", b"2")

        assert response.is_reused_connection is is_reused


async def test_a_connection_is_not_reused_beyond_its_greatest_age(make_client: MakeClient) -> None:
    clock = Clock()
    client = make_client(clock=clock, limits={"max_age_seconds": 100, "idle_sweep_seconds": 3600})
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url())
        reused = []
        for _ in range(4):
            reused.append((await client.post(target, b"", b"1")).is_reused_connection)
            clock.now += 45

        assert reused == [False, True, True, False]


async def test_idle_connections_are_closed_without_a_further_call(make_client: MakeClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(OK)
        await visit.closed_by_client()
        closed.set()

    closed = asyncio.Event()
    clock = Clock()
    client = make_client(clock=clock)
    async with listening(behave) as receiver:
        await client.post(client.target(receiver.url()), b"", b"1")
        clock.now += 80
        await closed.wait()

        assert client.idle_connections == 0


async def test_the_longest_idle_connection_makes_room(make_client: MakeClient) -> None:
    client = make_client(limits={"max_connections": 2})
    async with (
        listening(answering(OK)) as one,
        listening(answering(OK)) as two,
        listening(answering(OK)) as three,
    ):
        for receiver in (one, two, three):
            await client.post(client.target(receiver.url()), b"", b"1")
            assert client.open_connections <= 2
        reused = [
            (await client.post(client.target(receiver.url()), b"", b"1")).is_reused_connection
            for receiver in (three, two, one)
        ]

        assert reused == [True, True, False]


async def test_a_call_waits_for_room_and_gets_it(make_client: MakeClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await free.wait()
        await visit.send(OK)

    free = asyncio.Event()
    client = make_client(limits={"max_connections": 1})
    async with listening(behave) as slow, listening(answering(OK)) as quick:
        first = asyncio.ensure_future(client.post(client.target(slow.url()), b"", b"1"))
        await slow.saw(requests=1)
        second = asyncio.ensure_future(client.post(client.target(quick.url()), b"", b"1"))
        with pytest.raises(OutboundError) as caught:
            await client.post(client.target(quick.url()), b"", b"1", timeout_seconds=0.02)
        assert not second.done()
        free.set()

        assert [(await call).status for call in (first, second)] == [200, 200]
        assert (caught.value.code, caught.value.is_ours) == (OutboundCode.TOO_MANY_CONNECTIONS, True)


async def test_a_cancelled_call_takes_its_connection_with_it(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        while (request := await visit.read_request()) is not None:
            if request.endswith(b"slow"):
                slow_is_here.set()
                await free.wait()
            await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + request[-4:])

    slow_is_here, free = asyncio.Event(), asyncio.Event()
    async with listening(behave) as receiver:
        target = client.target(receiver.url())
        await client.post(target, b"", b"warm")
        call = asyncio.ensure_future(client.post(target, b"", b"slow"))
        await slow_is_here.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        free.set()
        response = await client.post(target, b"", b"next")

        assert (response.body, response.is_reused_connection) == (b"next", False)
        assert receiver.visits == 2


async def test_closing_lets_running_calls_finish_and_takes_no_more(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await free.wait()
        await visit.send(OK)

    free = asyncio.Event()
    async with listening(behave) as receiver:
        target = client.target(receiver.url())
        running = asyncio.ensure_future(client.post(target, b"", b"1"))
        await receiver.saw(requests=1)
        closing = asyncio.ensure_future(client.aclose(drain_seconds=60))
        await asyncio.sleep(0)
        with pytest.raises(OutboundError) as caught:
            await client.post(target, b"", b"2")
        free.set()
        await closing

        assert (await running).status == 200
        assert (caught.value.code, caught.value.is_ours) == (OutboundCode.CLIENT_CLOSED, True)
        assert client.open_connections == 0


async def test_closing_ends_calls_that_outlast_the_drain_as_our_own_fault(client: OutboundClient) -> None:
    async with listening(lambda visit: visit.closed_by_client()) as receiver:
        target = client.target(receiver.url())
        running = [asyncio.ensure_future(client.post(target, b"", b"1")) for _ in range(3)]
        await receiver.saw(visits=3)
        late = asyncio.ensure_future(client.post(target, b"", b"1"))
        await asyncio.sleep(0)
        await client.aclose(drain_seconds=0)
        ended = await asyncio.gather(*running, late, return_exceptions=True)

        assert [(error.code, error.is_ours) for error in ended if isinstance(error, OutboundError)] == [
            (OutboundCode.CLIENT_CLOSED, True)
        ] * 4
        assert client.open_connections == 0


async def test_an_address_that_nobody_listens_on_refuses(client: OutboundClient) -> None:
    async with listening(answering(OK)) as receiver:
        url = receiver.url()
    with pytest.raises(OutboundError) as caught:
        await client.post(client.target(url), b"", b"1")

    assert caught.value.code is OutboundCode.CONNECT_FAILED
    assert caught.value.detail == "127.0.0.1 refused the connection"
    assert caught.value.address == "127.0.0.1"


@pytest.mark.slow
async def test_no_outcome_leaks_a_file_descriptor(make_client: MakeClient) -> None:
    async def lost(visit: Visit) -> None:
        await visit.read_request()
        visit.reset()

    async def rude(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await visit.closed_by_client()

    async def call(client: OutboundClient, url: str, seconds: float) -> None:
        try:
            await client.request(Request(method="POST", url=url, headers=[], timeout_seconds=seconds))
        except OutboundError as error:
            codes.add(error.code)

    async def rounds(count: int) -> int:
        """Have every outcome so many times, close everything and count what is still open."""
        async with (
            listening(answering(OK)) as good,
            listening(lost) as resetting,
            listening(answering(b"junk", is_closing=True)) as junk,
            listening(rude) as plain,
            listening(lambda visit: visit.closed_by_client()) as silent,
        ):
            client = make_client()
            for _ in range(count):
                await asyncio.gather(
                    call(client, good.url(), 5),
                    call(client, resetting.url(), 5),
                    call(client, junk.url(), 5),
                    call(client, silent.url(), 0.01),
                    call(client, "http://127.0.0.1:1/", 5),
                    call(client, silent.url(scheme="https"), 0.01),
                    call(client, plain.url(scheme="https"), 5),
                )
            await client.aclose()
        for _ in range(100):
            # Both loops close sockets some turns after they are told to.
            await asyncio.sleep(0)
        # What other tests left to the collector must not be closed between two counts.
        gc.collect()
        return psutil.Process().num_fds()

    codes: set[OutboundCode] = set()
    once = await rounds(1)

    assert await rounds(25) == once
    assert codes == {
        OutboundCode.CONNECTION_LOST,
        OutboundCode.PROTOCOL_ERROR,
        OutboundCode.TIMEOUT,
        OutboundCode.CONNECT_FAILED,
        OutboundCode.CONNECT_TIMEOUT,
        OutboundCode.TLS_FAILED,
    }
