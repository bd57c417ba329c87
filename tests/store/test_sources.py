"""What sources need of the store, on both databases: what counts once, and what was turned away."""

from __future__ import annotations

import asyncio

import pytest

from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.source_ports import MemoryRow
from hub.model.ids import first_id_at
from hub.model.source import Rejection

NOW = 1_780_000_000_000
KEYS = [bytes([number]) * 16 for number in range(4)]


async def remember(store: Store, *keys: bytes, until: int = NOW + 100, now_ms: int = NOW) -> set[bytes]:
    rows = [MemoryRow(key, until) for key in keys]
    return await store.hot.write(lambda tx: tx.sources.remember(rows, now_ms=now_ms))


def rejection(number: int, *, source: str = "stripe", at: int = NOW) -> Rejection:
    return Rejection(
        id=first_id_at(at) + number,
        source=source,
        reason="bad_signature",
        detail="No.",
        method="POST",
        headers="{}",
        body="…",
        body_bytes=3,
        rejected_at=at + number,
    )


async def test_a_key_counts_once_until_its_time(store: Store) -> None:
    assert await remember(store, *KEYS[:2]) == set(KEYS[:2])
    assert await remember(store, *KEYS[1:3]) == {KEYS[2]}
    assert await remember(store, KEYS[0], now_ms=NOW + 99) == set()
    assert await remember(store, KEYS[0], until=NOW + 500, now_ms=NOW + 100) == {KEYS[0]}
    assert await remember(store, KEYS[0], now_ms=NOW + 499) == set()
    assert await remember(store) == set()


async def test_of_many_at_once_one_is_first(store: Store) -> None:
    found = await asyncio.gather(*(remember(store, *KEYS) for _ in range(8)))

    assert sorted(len(each) for each in found) == [0] * 7 + [4]


async def test_what_was_not_committed_is_not_remembered(store: Store) -> None:
    async def fail(tx: HotTransaction) -> None:
        await tx.sources.remember([MemoryRow(KEYS[0], NOW + 100)], now_ms=NOW)
        raise LookupError

    with pytest.raises(LookupError):
        await store.hot.write(fail)

    assert await remember(store, KEYS[0]) == {KEYS[0]}


async def test_memory_goes_when_its_time_is_over(store: Store) -> None:
    await remember(store, KEYS[0], until=NOW - 1)
    await remember(store, KEYS[1], until=NOW + 1)

    assert await store.retention.expire_page("source_memory", before_ms=NOW, limit=10) == 1
    assert await remember(store, KEYS[1]) == set()


async def test_of_each_source_the_newest_rejections_are_kept(store: Store) -> None:
    for number in range(5):
        await store.rejections.add(rejection(number), keep=3)
    await store.rejections.add(rejection(9, source="slack"), keep=3)

    page = await store.rejections.page("stripe", after=None, limit=2)
    rest = await store.rejections.page("stripe", after=page[-1].id, limit=2)
    tally = await store.rejections.tally()

    assert page == [rejection(4), rejection(3)]
    assert rest == [rejection(2)]
    assert {name: (each.count, each.last_at) for name, each in tally.items()} == {
        "slack": (1, NOW + 9),
        "stripe": (3, NOW + 4),
    }


async def test_nothing_is_kept_where_none_is_to_be(store: Store) -> None:
    await store.rejections.add(rejection(1), keep=5)
    await store.rejections.add(rejection(2), keep=0)

    assert await store.rejections.page("stripe", after=None, limit=9) == []


async def test_rejections_go_with_age(store: Store) -> None:
    await store.rejections.add(rejection(1, at=NOW - 1000), keep=9)
    await store.rejections.add(rejection(2), keep=9)

    assert await store.retention.expire_page("source_rejections", before_ms=NOW - 500, limit=10) == 1
    assert [each.id for each in await store.rejections.page("stripe", after=None, limit=9)] == [
        rejection(2).id
    ]
