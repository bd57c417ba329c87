"""Both rate limiters pass one conformance suite; the one on Redis outlives Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from hub.api.ratelimit import MOST_KEYS, WINDOW_MS, LocalRateLimiter, RateLimiter, RedisRateLimiter
from tests.support.valkey import running_valkey

NOW = 1_800_000_000_000


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as path:
        yield path


@pytest.fixture(params=["local", "redis"])
async def limiter(request: pytest.FixtureRequest) -> AsyncIterator[RateLimiter]:
    if request.param == "local":
        yield LocalRateLimiter()
        return
    redis = Redis(unix_socket_path=str(request.getfixturevalue("valkey")))
    await redis.flushall()
    yield RedisRateLimiter(redis)
    await redis.aclose()


async def test_the_limit_and_not_one_more(limiter: RateLimiter) -> None:
    taken = [await limiter.take(1, 3, NOW + index) for index in range(5)]

    assert [each.is_allowed for each in taken] == [True, True, True, False, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0, 0]
    assert {each.resets_at for each in taken} == {NOW + WINDOW_MS}
    assert {each.limit for each in taken} == {3}


async def test_the_hour_begins_with_the_first_request(limiter: RateLimiter) -> None:
    await limiter.take(1, 1, NOW)
    late = await limiter.take(1, 1, NOW + WINDOW_MS - 1)
    fresh = await limiter.take(1, 1, NOW + WINDOW_MS)

    assert (late.is_allowed, late.retry_after_seconds(NOW + WINDOW_MS - 1)) == (False, 1)
    assert (fresh.is_allowed, fresh.resets_at) == (True, NOW + 2 * WINDOW_MS)


async def test_keys_do_not_share(limiter: RateLimiter) -> None:
    await limiter.take(1, 1, NOW)

    assert (await limiter.take(2, 1, NOW)).is_allowed
    assert not (await limiter.take(1, 1, NOW)).is_allowed


async def test_a_raised_limit_counts_at_once(limiter: RateLimiter) -> None:
    for _ in range(3):
        await limiter.take(1, 2, NOW)

    assert (await limiter.take(1, 10, NOW)).remaining == 6


async def test_a_clock_that_was_set_back_begins_anew(limiter: RateLimiter) -> None:
    await limiter.take(1, 1, NOW)

    assert (await limiter.take(1, 1, NOW - WINDOW_MS - 1)).is_allowed


async def test_concurrent_takers_share_one_limit(limiter: RateLimiter) -> None:
    taken = await asyncio.gather(*(limiter.take(1, 10, NOW) for _ in range(30)))

    assert sum(each.is_allowed for each in taken) == 10


async def test_without_redis_each_process_counts_for_itself(tmp_path: Path) -> None:
    redis = Redis(unix_socket_path=str(tmp_path / "nothing"))
    limiter = RedisRateLimiter(redis)
    taken = [await limiter.take(1, 2, NOW + index * 600) for index in range(4)]
    await redis.aclose()

    assert [each.is_allowed for each in taken] == [True, True, False, False]


@pytest.mark.slow
async def test_a_redis_that_hangs_costs_one_request_a_moment(tmp_path: Path) -> None:
    """A server that accepts and never answers: the first request waits a little, the next not at all."""
    path = tmp_path / "mute"
    released = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_unix_server(mute, path)
    redis = Redis(unix_socket_path=str(path))
    limiter = RedisRateLimiter(redis)
    taken = [await limiter.take(1, 2, NOW) for _ in range(3)]
    released.set()
    await redis.aclose()
    server.close()
    await server.wait_closed()

    assert [each.is_allowed for each in taken] == [True, True, False]


async def test_local_memory_is_bounded() -> None:
    limiter = LocalRateLimiter()
    for key_id in range(MOST_KEYS + 5):
        await limiter.take(key_id, 1, NOW)

    assert (await limiter.take(0, 1, NOW)).is_allowed, "the oldest was forgotten"
    assert not (await limiter.take(MOST_KEYS, 1, NOW)).is_allowed, "a younger one was not"
