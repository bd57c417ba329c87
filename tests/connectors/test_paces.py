"""Limits of providers are kept by all processes together; both ways of counting pass one suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from hub.connectors.paces import LONGEST_PLACE_MS, LocalPaces, Paces, RedisPaces, Wait
from hub.rules.connectors.limiting import Bucket, pace_of
from tests.support.valkey import running_valkey

NOW = 1_800_000_000_000


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with running_valkey(tmp_path_factory.mktemp("valkey")) as path:
        yield path


@pytest.fixture(params=["local", "redis"])
async def paces(request: pytest.FixtureRequest) -> AsyncIterator[Paces]:
    if request.param == "local":
        yield LocalPaces()
        return
    redis = Redis(unix_socket_path=str(request.getfixturevalue("valkey")))
    await redis.flushdb()
    yield RedisPaces(redis)
    await redis.aclose()


def bucket(count: int, per_ms: int, name: str = "acme:a:0") -> Bucket:
    return Bucket(name=name, pace=pace_of(count, per_ms))


async def take(
    paces: Paces, *buckets: Bucket, place: str = "p", at: int = 0, soon_ms: int = 1_000, owner: str = "acme:a"
) -> Wait:
    return await paces.take(buckets, owner=owner, place=place, now_ms=NOW + at, soon_ms=soon_ms)


@pytest.mark.parametrize(
    ("count", "per_ms"), [(100, 10_000), (4, 1_000), (1, 1_000), (10, 60_000), (3, 1_000)]
)
async def test_no_window_has_more_than_the_limit(paces: Paces, count: int, per_ms: int) -> None:
    starts: list[float] = []
    for number in range(count * 3):
        wait = await take(paces, bucket(count, per_ms), place=str(number), soon_ms=10**9)
        assert wait.is_soon
        starts.append(wait.ms)

    most = max(sum(1 for each in starts if start <= each < start + per_ms) for start in starts)
    # Waits are told in whole milliseconds, rounded up.
    assert most <= count + (1 if count > per_ms / 1000 else 0)
    assert starts == sorted(starts)


async def test_who_would_wait_long_keeps_a_place_and_does_not_queue_again(paces: Paces) -> None:
    slow = bucket(1, 10_000)
    first, second, third = [await take(paces, slow, place=place) for place in ("a", "b", "c")]

    assert (first.is_soon, second.is_soon, third.is_soon) == (True, False, False)
    assert (first.ms, second.ms, third.ms) == (0, 10_000, 20_000)
    assert await take(paces, slow, place="b", at=4_000) == Wait(is_soon=False, ms=6_000)
    assert await take(paces, slow, place="b", at=9_500) == Wait(is_soon=True, ms=500)
    assert await take(paces, slow, place="c", at=25_000) == Wait(is_soon=True, ms=0)


async def test_nobody_is_given_a_place_in_the_far_future(paces: Paces) -> None:
    slow = bucket(1, LONGEST_PLACE_MS)
    waits = [await take(paces, slow, place=str(number)) for number in range(4)]

    assert [each.ms for each in waits] == [0, LONGEST_PLACE_MS, LONGEST_PLACE_MS, LONGEST_PLACE_MS]


async def test_buckets_are_taken_together_or_not_at_all(paces: Paces) -> None:
    fast, slow = bucket(100, 1_000, "fast"), bucket(1, 10_000_000, "slow")
    await take(paces, slow, place="a")
    for place in "bcdefgh":
        assert (await take(paces, fast, slow, place=place)).ms == LONGEST_PLACE_MS

    assert await take(paces, fast, place="i") == Wait(is_soon=True, ms=0)


async def test_a_rest_holds_back_its_owner_and_nobody_else(paces: Paces) -> None:
    await paces.rest("acme:a", until_ms=NOW + 5_000, now_ms=NOW)

    assert await take(paces, place="a") == Wait(is_soon=False, ms=5_000)
    assert await take(paces, place="b", owner="acme:b") == Wait(is_soon=True, ms=0)
    assert await take(paces, place="a", at=5_000) == Wait(is_soon=True, ms=0)


async def test_without_redis_each_process_counts_for_itself(tmp_path: Path) -> None:
    redis = Redis(unix_socket_path=str(tmp_path / "nothing"))
    paces = RedisPaces(redis)
    slow = bucket(1, 10_000)

    waits = [await take(paces, slow, place=place) for place in ("a", "b")]
    await paces.rest("acme:a", until_ms=NOW + 20_000, now_ms=NOW)

    assert [each.ms for each in waits] == [0, 10_000]
    assert (await take(paces, slow, place="c")).ms == 20_000
    await redis.aclose()
