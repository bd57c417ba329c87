"""Jobs: every event once, whatever interrupts them; ids stay; cancelled means stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.flow import replay
from hub.flow.jobs import JobDesk, ReplayWish
from hub.flow.ports import HotTransaction
from hub.flow.replay import ReplayJobs
from hub.flow.repositories import DeliveryFilter, Replays
from hub.flow.rows import DeliveryRow, EventRow
from hub.model.delivery import DeliveryState
from hub.model.errors import StoreError
from hub.model.ids import Prefix, parse_id
from hub.model.job import Job
from hub.model.webhook import Webhook
from tests.support.hub_world import HubWorld, open_world

EVENTS = 1_203


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def record(world: HubWorld, count: int, *, type_: str = "message.received") -> list[int]:
    """Record plain events of the sandbox line, owed to nobody."""
    ids = world.new_id.take(count)
    line_id = world.sandbox_line.id
    rows = [EventRow(id_, type_, line_id, None, id_.to_bytes(16), 0, None, '{"n":1}') for id_ in ids]

    async def work(tx: HotTransaction) -> None:
        await tx.insert_events(rows)

    await world.store.hot.write(work)
    return ids


async def webhook(world: HubWorld, **fields: Any) -> Webhook:
    made = await world.webhook(**fields)
    found = await world.store.webhooks.get(parse_id(Prefix.WEBHOOK, made["id"]))
    assert found is not None
    return found


def desk(world: HubWorld) -> JobDesk:
    return JobDesk(store=world.store, clock=world.clock, new_id=world.new_id, wake_ups=world.wake_ups)


def jobs(world: HubWorld, replays: Replays | None = None) -> ReplayJobs:
    store = world.store if replays is None else replace(world.store, replays=replays)
    return ReplayJobs(
        store=store,
        directory=world.directory,
        take_ids=world.new_id.take,
        wake_ups=world.wake_ups,
        clock=world.clock,
    )


async def events_of(world: HubWorld, webhook_id: int) -> list[int]:
    found, after = [], None
    while page := await world.store.deliveries.list(
        DeliveryFilter(webhook_id=webhook_id), after=after, limit=500
    ):
        found += [delivery.event_id for delivery in page]
        after = page[-1].id
    return sorted(found)


class Interrupted(StoreError):
    """The process was killed here."""


class FailingReplays:
    """The real replays, until the nth call of one kind, which fails as a killed process does."""

    def __init__(self, real: Replays, *, fail_at: tuple[str, int]) -> None:
        self._real = real
        self._kind, self._left = fail_at

    def _count(self, kind: str) -> None:
        if kind == self._kind:
            self._left -= 1
            if self._left == 0:
                raise Interrupted

    async def count_events(self, *, first_id: int, last_id: int) -> int:
        return await self._real.count_events(first_id=first_id, last_id=last_id)

    async def make_due(self, rows: Any) -> int:
        self._count("before the page")
        done = await self._real.make_due(rows)
        self._count("after the page")
        return done

    async def advance(self, job: Job, *, from_cursor: int) -> bool:
        return await self._real.advance(job, from_cursor=from_cursor)

    async def cancel(self, job_id: int, *, at: int) -> bool:
        return await self._real.cancel(job_id, at=at)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before the page", "after the page"])
@pytest.mark.parametrize("page", [1, 2, 3])
async def test_a_crash_resumes_and_every_event_is_there_once(world: HubWorld, moment: str, page: int) -> None:
    expected = await record(world, EVENTS)
    target = await webhook(world)
    job = await desk(world).replay(target, ReplayWish(since=0))
    with pytest.raises(Interrupted):
        await jobs(world, FailingReplays(world.store.replays, fail_at=(moment, page))).run(job)
    left = await world.store.jobs.get(job.id)
    assert left is not None
    done = await jobs(world).run(left)

    assert left.done_count == (page - 1) * 500
    assert (done.state, done.done_count, done.total_count) == ("succeeded", EVENTS, EVENTS)
    assert await events_of(world, target.id) == expected


async def test_a_slice_is_bounded_and_asks_to_go_on(world: HubWorld) -> None:
    await record(world, EVENTS)
    target = await webhook(world)
    job = await desk(world).replay(target, ReplayWish(since=0))
    asked = world.wake_ups.jobs
    await jobs(world).run_slice(most_pages=1)
    between = await world.store.jobs.get(job.id)
    asked_again = world.wake_ups.jobs - asked
    await jobs(world).run_slice()
    after = await world.store.jobs.get(job.id)

    assert between is not None
    assert after is not None
    assert (between.state, between.done_count, asked_again) == ("running", 500, 1)
    assert (after.state, after.done_count) == ("succeeded", EVENTS)


async def test_two_workers_with_one_job_do_no_harm(world: HubWorld) -> None:
    expected = await record(world, 600)
    target = await webhook(world)
    job = await desk(world).replay(target, ReplayWish(since=0))
    first = await jobs(world).run(job)
    second = await jobs(world).run(job)  # began with the job as it was before the first moved it

    assert (first.state, second.state) == ("succeeded", "succeeded")
    assert second.done_count == 600
    assert await events_of(world, target.id) == expected


async def test_cancelling_stops_between_pages(world: HubWorld) -> None:
    await record(world, EVENTS)
    target = await webhook(world)
    job = await desk(world).replay(target, ReplayWish(since=0))
    moved = await jobs(world).run(job, most_pages=1)
    await desk(world).cancel(job.id)
    left = await jobs(world).run(moved)

    assert left.state == "cancelled"
    assert left.done_count == 500


async def test_a_deleted_webhook_fails_its_job(world: HubWorld) -> None:
    target = await webhook(world)
    job = await desk(world).replay(target, ReplayWish(since=0))
    await world.store.webhooks.delete(target.id, at=world.clock.now_ms())
    done = await jobs(world).run(job)

    assert (done.state, done.error) == ("failed", "The webhook was deleted.")


async def test_a_mistake_of_ours_fails_the_job_and_not_the_worker(world: HubWorld) -> None:
    target = await webhook(world)
    job = await desk(world).replay(target, ReplayWish(since=0))
    done = await jobs(world).run(replace(job, arguments='{"webhook_id": "x"}'))

    assert done.state == "failed"
    assert done.error == "A mistake of ours: ValidationError."


async def test_only_what_the_webhook_asks_for(world: HubWorld) -> None:
    await record(world, 3, type_="message.sent")
    wanted = await record(world, 2)
    target = await webhook(world, events=["message.received"], filter={"data.n": 1})
    nothing = await webhook(world, events=["message.received"], filter={"data.n": 2})
    for each in (target, nothing):
        await jobs(world).run(await desk(world).replay(each, ReplayWish(since=0)))

    assert await events_of(world, target.id) == wanted
    assert await events_of(world, nothing.id) == []


async def test_held_ones_of_some_types_only(world: HubWorld) -> None:
    target = await webhook(world)
    received, sent = await record(world, 2), await record(world, 2, type_="message.sent")
    rows = [
        DeliveryRow(world.new_id(), event_id, target.id, 0, DeliveryState.HELD, 0)
        for event_id in [*received, *sent]
    ]
    await world.store.hot.write(lambda tx: tx.insert_deliveries(rows))
    wish = ReplayWish(is_missed_only=True, event_types=("message.received",))
    done = await jobs(world).run(await desk(world).replay(target, wish))
    held = await world.store.deliveries.list(
        DeliveryFilter(states=frozenset({DeliveryState.HELD})), after=None, limit=10
    )

    assert (done.state, done.done_count) == ("succeeded", 2)
    assert sorted(delivery.event_id for delivery in held) == sent


@pytest.mark.parametrize("count", [0, 1, replay.PAGE_SIZE, replay.PAGE_SIZE + 1])
async def test_edges_of_pages(world: HubWorld, count: int) -> None:
    expected = await record(world, count)
    target = await webhook(world)
    done = await jobs(world).run(await desk(world).replay(target, ReplayWish(since=0)))

    assert (done.state, done.done_count) == ("succeeded", count)
    assert await events_of(world, target.id) == expected
