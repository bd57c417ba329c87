"""Enrolments keep their promises on both databases: used once, with their bridge or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hub.flow.repositories import Store
from hub.model.enrolment import BridgeSystem, Enrolment
from hub.model.errors import StoreError
from tests.store.specimens import BRIDGE

OPEN = Enrolment(id=1, name="mac", bridge_id=None, created_at=10, expires_at=100)
SYSTEM = BridgeSystem(os="macOS 15.1", hostname="mini")
MADE = replace(BRIDGE, id=7, name="mac", system=SYSTEM)


async def add(store: Store, *enrolments: Enrolment) -> None:
    for each in enrolments:
        await store.enrolments.add(each, digest=b"%d" % each.id, forget_before=0)


async def test_one_is_found_by_its_digest_alone(store: Store) -> None:
    await add(store, OPEN)

    assert await store.enrolments.by_digest(b"1") == OPEN
    assert await store.enrolments.by_digest(b"2") is None
    assert (await store.enrolments.get(1), await store.enrolments.get(2)) == (OPEN, None)


async def test_pages_begin_with_the_newest(store: Store) -> None:
    await add(store, *(replace(OPEN, id=number) for number in (1, 2, 3)))

    assert [each.id for each in await store.enrolments.page(after=None, limit=2)] == [3, 2]
    assert [each.id for each in await store.enrolments.page(after=2, limit=2)] == [1]


async def test_old_ones_go_when_another_is_made(store: Store) -> None:
    await add(store, OPEN)
    await store.enrolments.add(replace(OPEN, id=2, expires_at=300), digest=b"2", forget_before=101)

    assert [each.id for each in await store.enrolments.page(after=None, limit=9)] == [2]


async def test_one_becomes_a_bridge_once(store: Store) -> None:
    await add(store, OPEN)
    bridges = [replace(MADE, id=number, name=f"mac-{number}") for number in (7, 8, 9)]
    won = await asyncio.gather(*(store.enrolments.redeem(1, each, is_new=True, at=50) for each in bridges))
    (made,) = await store.bridges.all()

    assert sorted(won) == [False, False, True]
    assert (made.system, made.secrets) == (SYSTEM, BRIDGE.secrets)
    assert await store.enrolments.by_digest(b"1") == replace(OPEN, bridge_id=made.id, redeemed_at=50)


@pytest.mark.parametrize("at", [100, 101])
async def test_one_that_is_over_becomes_none(store: Store, at: int) -> None:
    await add(store, OPEN)

    assert not await store.enrolments.redeem(1, MADE, is_new=True, at=at)
    assert await store.bridges.all() == []


async def test_a_name_that_is_taken_leaves_all_as_it_was(store: Store) -> None:
    await add(store, OPEN)
    await store.bridges.add(replace(BRIDGE, id=3, name="mac"))
    with pytest.raises(StoreError):
        await store.enrolments.redeem(1, MADE, is_new=True, at=50)

    assert await store.enrolments.by_digest(b"1") == OPEN


async def test_a_bridge_is_taken_over_with_its_place(store: Store) -> None:
    await store.bridges.add(replace(MADE, system=None, cursor="here", is_enabled=False))
    await store.bridges.save_cursor(7, "there")
    await add(store, replace(OPEN, bridge_id=7))
    is_taken = await store.enrolments.redeem(1, replace(MADE, is_enabled=True), is_new=False, at=50)
    (taken,) = await store.bridges.all()

    assert is_taken
    assert (taken.system, taken.cursor, taken.is_enabled) == (SYSTEM, "there", True)


async def test_a_bridge_that_is_gone_is_taken_over_by_nobody(store: Store) -> None:
    await add(store, replace(OPEN, bridge_id=7))

    assert not await store.enrolments.redeem(1, MADE, is_new=False, at=50)
    assert (await store.enrolments.page(after=None, limit=1))[0].redeemed_at is None


async def test_a_redemption_raises_the_revision(store: Store) -> None:
    await add(store, OPEN)
    before = (await store.configurations.read()).revision
    await store.enrolments.redeem(1, MADE, is_new=True, at=50)
    found = await store.configurations.read(since=before)

    assert [each.id for each in found.bridges] == [7]


async def test_one_that_was_revoked_is_gone(store: Store) -> None:
    await add(store, OPEN)

    assert (await store.enrolments.delete(1), await store.enrolments.delete(1)) == (True, False)
    assert not await store.enrolments.redeem(1, MADE, is_new=True, at=50)


async def test_bridges_are_noted_without_a_new_revision(store: Store) -> None:
    await store.bridges.add(MADE)
    before = (await store.configurations.read()).revision
    await store.bridges.heard(7, at=60)
    await store.bridges.heard(8, at=60)

    assert await store.bridges.last_heard() == {7: 60}
    assert (await store.configurations.read()).revision == before
