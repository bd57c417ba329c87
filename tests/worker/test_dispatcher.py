"""The dispatcher on real parts: what is owed is posted, in its lane's way, and recorded."""

from __future__ import annotations

import asyncio

import pytest

from hub.model.delivery import DeliveryState
from tests.worker.receiver import Gate, always
from tests.worker.rig import Rig, check_counts
from tests.worker.time_by_hand import eventually

SUCCEEDED, DEAD = DeliveryState.SUCCEEDED, DeliveryState.DEAD


async def test_what_was_owed_before_the_start_is_posted_once(rig: Rig) -> None:
    webhook = await rig.webhook("/a")
    owed = await rig.owe(webhook, 20)

    worker = rig.start()
    await eventually(lambda: len(rig.receiver.arrivals) >= 20)
    await rig.until_quiet(worker)

    assert sorted(rig.receiver.deliveries("/a")) == sorted(owed)
    assert await rig.states(webhook) == [SUCCEEDED] * 20


async def test_news_are_posted_when_they_are_told(rig: Rig) -> None:
    webhook = await rig.webhook("/a")
    worker = rig.start()
    await rig.until_quiet(worker)
    await rig.owe(webhook, 3)
    rows = await rig.deliveries(webhook)

    for _ in range(3):  # a wake-up told again does no harm
        worker.dispatcher.deliveries_recorded(rows[0].id, rows[-1].id)
    await rig.until_quiet(worker)

    assert len(rig.receiver.arrivals) == 3


async def test_a_retry_whose_wake_up_was_lost_is_found_by_the_sweep(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a")
    await rig.owe(webhook, 1)
    worker = rig.start()
    await eventually(lambda: rig.receiver.arrivals)
    await rig.until_quiet(worker)
    rig.receiver.answering["/a"] = always(200)

    worker.dispatcher.sweep()
    await rig.until_quiet(worker)
    assert len(rig.receiver.arrivals) == 1  # not due yet
    rig.timers.advance(5_000)
    worker.dispatcher.sweep()
    await eventually(lambda: len(rig.receiver.arrivals) == 2)
    await rig.until_quiet(worker)

    assert await rig.states(webhook) == [SUCCEEDED]


async def test_a_lost_deferred_wake_up_is_asked_for_again(rig: Rig) -> None:
    """After a FLUSHALL the lane must not believe for ever that a wake-up is on its way."""
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a")
    await rig.owe(webhook, 1)
    worker = rig.start()
    await eventually(lambda: rig.wake_ups.lanes)
    asked = list(rig.wake_ups.lanes)
    rig.timers.advance(5_000)
    worker.dispatcher.sweep()
    await eventually(lambda: len(rig.receiver.arrivals) == 2)
    await rig.until_quiet(worker)

    assert len(rig.wake_ups.lanes) > len(asked)
    assert rig.wake_ups.lanes[-1] == (webhook.id, rig.clock.now_ms() + 60_000)


async def test_the_schedule_ends_in_a_dead_letter(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a", retry_schedule=(1.0,))
    await rig.owe(webhook, 1)
    worker = rig.start()
    await eventually(lambda: rig.receiver.arrivals)
    await rig.until_quiet(worker)
    rig.timers.advance(1_000)
    worker.dispatcher.lane_due(webhook.id)
    await eventually(lambda: len(rig.receiver.arrivals) == 2)
    await rig.until_quiet(worker)

    [delivery] = await rig.deliveries(webhook)
    attempts = await rig.store.deliveries.attempts(delivery.id)
    assert (delivery.state, delivery.attempt_count) == (DEAD, 2)
    assert [(attempt.number, attempt.status) for attempt in attempts] == [(1, 500), (2, 500)]


async def test_concurrency_is_kept(rig: Rig) -> None:
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a", concurrency=3)
    await rig.owe(webhook, 10)
    worker = rig.start()

    for _ in range(10):
        await eventually(lambda: gate.waiting)
        gate.let_go()
    await rig.until_quiet(worker)

    assert rig.receiver.most_under_way["/a"] == 3
    assert len(rig.receiver.arrivals) == 10


@pytest.mark.slow
async def test_memory_stays_bounded_and_all_is_delivered(rig: Rig) -> None:
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a")
    owed = await rig.owe(webhook, 5_000)
    worker = rig.start(lane_queue=32)
    rows = await rig.deliveries(webhook)
    worker.dispatcher.deliveries_recorded(rows[0].id, rows[-1].id)
    await eventually(lambda: len(gate.waiting) == 4)
    assert worker.dispatcher.queued <= 32
    check_counts(worker)

    rig.receiver.answering["/a"] = always(200)
    while gate.waiting:
        gate.let_go()
    most = 0
    while len(rig.receiver.arrivals) < 5_000:
        most = max(most, worker.dispatcher.queued)
        await asyncio.sleep(0)
    await rig.until_quiet(worker)

    assert most <= 32
    assert sorted(rig.receiver.deliveries("/a")) == sorted(owed)


async def test_one_backlog_does_not_fill_the_memory_against_another_lane(rig: Rig) -> None:
    gate = rig.receiver.answering["/dead"] = Gate()
    dead = await rig.webhook("/dead")
    healthy = await rig.webhook("/healthy")
    await rig.owe(dead, 200)
    worker = rig.start(lane_queue=100, most_queued=20)
    await eventually(lambda: len(gate.waiting) == 4)
    await rig.until_read(worker)
    await rig.owe(healthy, 50)
    worker.dispatcher.sweep()

    await eventually(lambda: len(rig.receiver.at("/healthy")) == 50)
    assert worker.dispatcher.queued <= 20 + 2 * 4


async def test_pace_is_kept_without_holding_places(rig: Rig) -> None:
    webhook = await rig.webhook("/a", rate_per_second=2, concurrency=4)
    await rig.owe(webhook, 5)
    worker = rig.start()
    seen = []
    for _ in range(5):
        await rig.until_quiet(worker)
        assert worker.dispatcher.in_flight == 0
        seen.append(len(rig.receiver.arrivals))
        rig.timers.advance(500)
    await rig.until_quiet(worker)

    assert seen == [1, 2, 3, 4, 5]


async def test_a_read_from_before_a_commit_repeats_nothing(rig: Rig) -> None:
    """A read shows as pending what was recorded while it was under way."""
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a", concurrency=1)
    await rig.owe(webhook, 1)
    worker = rig.start()
    await eventually(lambda: gate.waiting)
    await rig.until_read(worker)
    rig.hot.may_read.clear()
    worker.dispatcher.lane_due(webhook.id)
    await eventually(lambda: rig.hot.reads_held)
    gate.let_go()
    await eventually(lambda: not worker.dispatcher.in_flight and not worker.committer.waiting_count)
    rig.hot.may_read.set()
    await rig.until_quiet(worker)

    assert len(rig.receiver.arrivals) == 1
