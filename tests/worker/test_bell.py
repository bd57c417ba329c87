"""The bell between processes: heard in each of them, and harmless while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from hub.embedded.datafolder import open_data_folder
from hub.embedded.valkey import ValkeyServer, running_valkey
from hub.worker.bell import RedisBell


@pytest.fixture
async def nowhere() -> AsyncIterator[Redis]:
    """A Redis that nobody runs."""
    client = Redis(host="127.0.0.1", port=1, socket_connect_timeout=1)
    yield client
    await client.aclose()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with running_valkey(open_data_folder(tmp_path / "data")) as server:
        yield server


@pytest.mark.slow
async def test_a_ring_is_heard_in_another_process(valkey: ValkeyServer) -> None:
    first, second = Redis.from_url(valkey.url), Redis.from_url(valkey.url)
    here, there = RedisBell(first), RedisBell(second)
    with there.waiting("calls:1") as waiting:
        await waiting.heard(5)  # everybody is woken when it begins to listen
        here.ring("calls:2")
        here.ring("calls:1")
        is_heard = await waiting.heard(5)
    for bell in (here, there):
        await bell.aclose()
    for client in (first, second):
        await client.aclose()

    assert is_heard


async def test_without_redis_it_rings_in_its_own_process_and_nobody_waits_longer(nowhere: Redis) -> None:
    bell = RedisBell(nowhere)
    with bell.waiting("calls:1", "answer:2") as waiting:
        is_rung_before = await waiting.heard(0.01)
        bell.ring("answer:2")
        is_rung = await waiting.heard(5)
        bell.ring("answer:3")
        is_rung_for_others = await waiting.heard(0.01)
    await asyncio.wait_for(bell.aclose(), 10)

    assert (is_rung_before, is_rung, is_rung_for_others) == (False, True, False)


async def test_who_waits_is_sent_home_at_the_end_without_redis_too(nowhere: Redis) -> None:
    bell = RedisBell(nowhere)
    with bell.waiting("calls:1") as waiting:
        hearing = asyncio.create_task(waiting.heard(60))
        await asyncio.sleep(0)
        bell.close()
        is_heard = await asyncio.wait_for(hearing, 5)
    await asyncio.wait_for(bell.aclose(), 10)

    assert (is_heard, bell.is_closed) == (True, True)


async def test_many_rings_while_redis_is_away_are_kept_once_each(nowhere: Redis) -> None:
    bell = RedisBell(nowhere)
    for number in range(1000):
        bell.ring(f"calls:{number % 10}")

    assert len(bell._names) == 10
    await asyncio.wait_for(bell.aclose(), 10)
    assert bell._names == {}
