"""Connections that are given up while they are made are closed when that is told, whatever came at the same instant.

The peer is a socket that nobody serves: the kernel makes the connection, and the loop, which stands still while we
look, cannot close anything late.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from hub.outbound import OutboundError
from hub.rules.egress import EgressPolicy
from tests.outbound.conftest import MakeClient, Names

_TIME_OUT = 0.05


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        listener.setblocking(False)
        yield listener


def left_open(peer: socket.socket) -> int:
    """Count the connections that came and that the other side still holds, without letting the loop run."""
    count = 0
    with suppress(BlockingIOError):
        while True:
            connection, _ = peer.accept()
            with connection:
                connection.setblocking(False)
                count += _is_open(connection)
    return count


def _is_open(connection: socket.socket) -> bool:
    with suppress(ConnectionError):
        try:
            while connection.recv(65_536):
                pass
        except BlockingIOError:
            return True
    return False


async def left_open_after(make_client: MakeClient, peer: socket.socket, how: str) -> int:
    """Make a call that never gets further than its connection; count what is open at the moment at which it ends."""
    port = peer.getsockname()[1]
    limits = {"connect_timeout_seconds": _TIME_OUT}
    if how == "tunnel":
        proxy = f"http://127.0.0.1:{port}"
        client = make_client(EgressPolicy(), proxy=proxy, resolver=Names(), limits=limits)
        target = client.target("https://receiver.test/")
    else:
        client = make_client(limits=limits)
        target = client.target(f"https://127.0.0.1:{port}/")
    try:
        await client.post(target, b"", b"{}")
    except (OutboundError, asyncio.CancelledError):
        return left_open(peer)
    raise AssertionError("nobody answered")


@pytest.mark.parametrize("how", ["tunnel", "tls"])
async def test_one_that_stalls_is_closed_when_its_time_out_is_told(
    make_client: MakeClient, peer: socket.socket, how: str
) -> None:
    assert await left_open_after(make_client, peer, how) == 0


@pytest.mark.parametrize("how", ["tunnel", "tls"])
@pytest.mark.parametrize("turns", range(9))
async def test_one_that_comes_just_as_its_time_is_up_is_closed(
    make_client: MakeClient, peer: socket.socket, how: str, turns: int
) -> None:
    """The loop is busy until the time is up, from each of its turns on: the connection and the end come together."""
    call = asyncio.ensure_future(left_open_after(make_client, peer, how))
    for _ in range(turns):
        await asyncio.sleep(0)
    time.sleep(_TIME_OUT)  # noqa: ASYNC251 - holds the loop up, as load does

    assert await call == 0


@pytest.mark.parametrize("how", ["tunnel", "tls"])
@pytest.mark.parametrize("turns", range(1, 9))
async def test_one_whose_caller_gives_up_is_closed(
    make_client: MakeClient, peer: socket.socket, how: str, turns: int
) -> None:
    call = asyncio.ensure_future(left_open_after(make_client, peer, how))
    for _ in range(turns):
        await asyncio.sleep(0)
    call.cancel()

    assert await call == 0
