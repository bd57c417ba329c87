"""Shards are shared evenly, change hands when a worker leaves or dies, and are let go in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from structlog.testing import capture_logs

from hub.flow.repositories import Processes
from hub.rules.lanes import SHARD_COUNT
from hub.worker.ownership import Membership, Ownership
from tests.support.manual_time import ManualClock
from tests.worker.rig import Rig

LEASE_MS = 10_000
ALL = frozenset(range(SHARD_COUNT))


class Member:
    """A worker, as far as shards go."""

    def __init__(self, processes: Processes, clock: ManualClock, node: int, name: str) -> None:
        self.told: list[frozenset[int]] = []
        self.ownership = Ownership(
            processes, Membership(node=node, name=name), clock=clock, lease_ms=LEASE_MS, on_change=self._tell
        )

    def _tell(self, shards: Iterable[int]) -> None:
        self.told.append(frozenset(shards))

    @property
    def shards(self) -> frozenset[int]:
        return self.ownership.shards


async def joined(rig: Rig, name: str, processes: Processes | None = None) -> Member:
    now = rig.clock.now_ms()
    node = await rig.store.processes.join(kind="worker", name=name, now=now, forgotten_before=0)
    return Member(processes or rig.store.processes, rig.clock, node, name)


async def test_one_worker_has_all(rig: Rig) -> None:
    member = await joined(rig, "a")
    await member.ownership.renew()
    await member.ownership.renew()

    assert member.shards == ALL
    assert member.told == [ALL]  # told once


async def test_two_workers_share_evenly_and_never_overlap(rig: Rig) -> None:
    first, second = await joined(rig, "a"), await joined(rig, "b")
    for _ in range(2):
        await first.ownership.renew()
        await second.ownership.renew()
        assert not first.shards & second.shards

    assert (len(first.shards), len(second.shards)) == (8, 8)
    assert first.shards | second.shards == ALL


async def test_who_leaves_frees_its_shards_at_once(rig: Rig) -> None:
    first, second = await joined(rig, "a"), await joined(rig, "b")
    for member in (first, second, first, second):
        await member.ownership.renew()

    await first.ownership.leave()
    await second.ownership.renew()

    assert second.shards == ALL
    assert first.told[-1] == frozenset()


async def test_who_has_left_takes_nothing_again(rig: Rig) -> None:
    first = await joined(rig, "a")
    await first.ownership.renew()
    renewing = asyncio.get_running_loop().create_task(first.ownership.renew())
    await asyncio.sleep(0)
    await first.ownership.leave()
    await renewing
    await first.ownership.renew()
    second = await joined(rig, "b")
    await second.ownership.renew()

    assert (first.shards, second.shards) == (frozenset(), ALL)


async def test_the_shards_of_a_dead_worker_are_free_after_its_lease(rig: Rig) -> None:
    first, second = await joined(rig, "a"), await joined(rig, "b")
    for member in (first, second, first, second):
        await member.ownership.renew()

    rig.clock.advance(LEASE_MS - 1)
    await second.ownership.renew()
    assert len(second.shards) == 8
    rig.clock.advance(1)
    await second.ownership.renew()

    assert second.shards == ALL


async def test_a_restart_under_the_same_name_takes_over_at_once(rig: Rig) -> None:
    before = await joined(rig, "a")
    await before.ownership.renew()

    after = await joined(rig, "a")
    await after.ownership.renew()

    assert after.shards == ALL


class Away:
    """The real processes, with a database that can be away or not answer."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self.is_away = False
        self.is_silent = False

    async def seen(self, node: int, *, now: int) -> None:
        if self.is_away:
            raise OSError("the database is away")
        if self.is_silent:
            await asyncio.Event().wait()
        await self._processes.seen(node, now=now)

    async def join(self, *, kind: str, name: str, now: int, forgotten_before: int) -> int:
        return await self._processes.join(kind=kind, name=name, now=now, forgotten_before=forgotten_before)

    async def leave(self, node: int) -> None:
        await self._processes.leave(node)

    async def take_shards(
        self, *, owner: str, shard_count: int, want: int, now: int, lease_until: int
    ) -> dict[int, int]:
        return await self._processes.take_shards(
            owner=owner, shard_count=shard_count, want=want, now=now, lease_until=lease_until
        )

    async def release_shards(self, owner: str) -> None:
        await self._processes.release_shards(owner)

    async def workers(self, *, seen_after: int) -> list[str]:
        return await self._processes.workers(seen_after=seen_after)


async def test_a_lease_that_cannot_be_renewed_is_let_go_before_it_is_over(rig: Rig) -> None:
    processes = Away(rig.store.processes)
    member = await joined(rig, "a", processes)
    await member.ownership.try_to_renew()
    processes.is_away = True

    rig.clock.advance(LEASE_MS // 2)
    assert not await member.ownership.try_to_renew()
    assert member.shards == ALL  # there is time left
    rig.clock.advance(LEASE_MS // 2 - 1)
    assert not await member.ownership.try_to_renew()
    assert member.shards == frozenset()

    processes.is_away = False
    assert await member.ownership.try_to_renew()
    assert member.shards == ALL


async def test_an_outage_is_told_ever_more_seldom(rig: Rig) -> None:
    """A renewal is tried each second; a night of it is a page, not a book."""
    processes = Away(rig.store.processes)
    member = await joined(rig, "a", processes)
    processes.is_away = True
    with capture_logs() as lines:
        for _ in range(100):
            await member.ownership.try_to_renew()
        processes.is_away = False
        await member.ownership.try_to_renew()
        processes.is_away = True
        await member.ownership.try_to_renew()

    failures = [line["failures"] for line in lines if line["event"] == "lease.renewal_failed"]
    assert failures == [1, 2, 4, 8, 16, 32, 64, 1]


async def test_a_database_that_does_not_answer_is_not_waited_for_beyond_the_lease(rig: Rig) -> None:
    processes = Away(rig.store.processes)
    member = await joined(rig, "a", processes)
    await member.ownership.try_to_renew()
    processes.is_silent = True
    rig.clock.advance(LEASE_MS - LEASE_MS // 10)

    assert not await member.ownership.try_to_renew()
    assert member.shards == frozenset()
