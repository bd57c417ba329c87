"""Lanes that fail, rest, come back or are given up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.model.delivery import DeliveryState
from hub.rules.breaker import BreakerPolicy
from tests.worker.receiver import Gate, always
from tests.worker.rig import DAY_MS, Rig
from tests.worker.time_by_hand import eventually

SUCCEEDED = DeliveryState.SUCCEEDED


async def test_a_gone_receiver_is_disabled_with_one_event(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(410)
    webhook = await rig.webhook("/a", patterns=("message.*",))
    await rig.owe(webhook, 8)
    first, second = rig.start(), rig.start()  # both believe that the lane is theirs
    await eventually(lambda: rig.receiver.arrivals)
    await rig.until_quiet(first)
    await rig.until_quiet(second)
    await first.dispatcher.drain()
    await second.dispatcher.drain()

    [saved] = await rig.store.webhooks.all()
    events = await rig.store.events.page(first_id=0, last_id=2**62, limit=100)
    assert (saved.is_active, saved.disabled_reason) == (False, "The receiver answered 410 Gone.")
    assert [event.type for event in events].count("webhook.disabled") == 1


async def test_days_of_failure_disable_and_a_success_in_between_forgives(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a", retry_schedule=())
    worker = rig.start()

    async def attempt() -> None:
        seen = len(rig.receiver.arrivals)
        await rig.owe(webhook, 1)
        worker.dispatcher.sweep()
        await eventually(lambda: len(rig.receiver.arrivals) > seen)
        await rig.until_quiet(worker)

    await attempt()
    began = (await rig.store.webhooks.all())[0].failing_since
    assert began == rig.clock.now_ms()
    rig.timers.advance(4 * DAY_MS)
    await attempt()
    assert (await rig.store.webhooks.all())[0].failing_since == began  # set once

    rig.receiver.answering["/a"] = always(200)
    await attempt()
    assert (await rig.store.webhooks.all())[0].failing_since is None
    rig.receiver.answering["/a"] = always(500)
    await attempt()
    rig.timers.advance(5 * DAY_MS)
    await attempt()
    assert (await rig.store.webhooks.all())[0].is_active
    rig.timers.advance(1)
    await attempt()
    await worker.dispatcher.drain()

    assert not (await rig.store.webhooks.all())[0].is_active


async def test_a_mark_of_failure_from_another_owner_is_cleared_by_the_first_success(rig: Rig) -> None:
    webhook = await rig.webhook("/a")
    worker = rig.start()
    await rig.store.hot.write(
        lambda tx: tx.mark_webhooks([(webhook.id, 1)], [])
    )  # this worker has not seen it
    await rig.owe(webhook, 1)
    worker.dispatcher.sweep()
    await eventually(lambda: rig.receiver.arrivals)
    await rig.until_quiet(worker)

    assert (await rig.store.webhooks.all())[0].failing_since is None


async def test_never_is_a_choice(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a", retry_schedule=(), failing_since=1)
    await rig.owe(webhook, 3)
    worker = rig.start(disable_after_ms=0)
    await eventually(lambda: len(rig.receiver.arrivals) == 3)
    await rig.until_quiet(worker)

    assert (await rig.store.webhooks.all())[0].is_active


@pytest.mark.slow  # the log renders a long traceback
async def test_a_fault_of_ours_neither_loses_nor_hammers(rig: Rig) -> None:
    """A secret that cannot be read fails each attempt before it is one; the lane rests and comes back."""
    broken = await rig.webhook("/a")
    await rig.owe(broken, 2)
    unreadable = replace(broken, secrets=())
    await rig.store.webhooks.save(replace(unreadable, updated_at=rig.clock.now_ms()))
    await rig.directory.refresh()
    worker = rig.start()
    await rig.until_quiet(worker)
    assert rig.receiver.arrivals == []
    assert worker.dispatcher.in_flight == 0

    await rig.change(broken)
    rig.timers.advance(5_000)
    await eventually(lambda: len(rig.receiver.arrivals) == 2)
    await rig.until_quiet(worker)

    assert await rig.states(broken) == [SUCCEEDED] * 2


@pytest.mark.parametrize("status", [429, 502, 504])
async def test_a_throttled_lane_rests_and_holds_nothing_in_memory(rig: Rig, status: int) -> None:
    rig.receiver.answering["/a"] = always(status)
    webhook = await rig.webhook("/a", concurrency=1)
    await rig.owe(webhook, 10)
    worker = rig.start()
    await eventually(lambda: rig.receiver.arrivals)
    await rig.until_quiet(worker)
    worker.dispatcher.sweep()
    await rig.until_quiet(worker)

    assert len(rig.receiver.arrivals) == 1
    assert worker.dispatcher.queued == 0
    rig.receiver.answering["/a"] = always(200)
    rig.timers.advance(30_000)
    await eventually(lambda: len(rig.receiver.arrivals) == 11)


async def test_a_dead_letter_throttles_too(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(429, retry_after="600")
    webhook = await rig.webhook("/a", concurrency=1, retry_schedule=())
    await rig.owe(webhook, 3)
    worker = rig.start()
    await eventually(lambda: rig.receiver.arrivals)
    await rig.until_quiet(worker)

    assert len(rig.receiver.arrivals) == 1
    rig.timers.advance(599_000)
    await rig.until_quiet(worker)
    assert len(rig.receiver.arrivals) == 1
    rig.timers.advance(1_000)
    await eventually(lambda: len(rig.receiver.arrivals) == 2)


async def test_a_half_open_breaker_lets_one_trial_through(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a", concurrency=4)
    await rig.owe(webhook, 30)
    worker = rig.start()
    await eventually(lambda: len(rig.receiver.arrivals) >= 5)
    await rig.until_quiet(worker)
    before = len(rig.receiver.arrivals)
    assert before < 12  # the breaker opened
    gate = rig.receiver.answering["/a"] = Gate()

    rig.timers.advance(30_000)
    await eventually(lambda: gate.waiting)
    await rig.until_read(worker)
    assert len(gate.waiting) == 1

    gate.let_go(500)
    await rig.until_quiet(worker)
    rig.timers.advance(59_999)
    await rig.until_quiet(worker)
    assert not gate.waiting  # it rests twice as long
    rig.timers.advance(1)
    await eventually(lambda: gate.waiting)
    assert len(gate.waiting) == 1
    gate.let_go(200)
    await eventually(lambda: len(gate.waiting) == 4)  # all its places again


async def test_a_breaker_of_one_failure_lets_one_trial_through(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a", concurrency=1)
    await rig.owe(webhook, 9)
    worker = rig.start(breaker=BreakerPolicy(threshold=1, open_ms=1_000, open_max_ms=1_000))
    await eventually(lambda: rig.receiver.arrivals)
    await rig.until_quiet(worker)
    await rig.change(webhook, concurrency=4)
    gate = rig.receiver.answering["/a"] = Gate()
    rig.timers.advance(1_000)
    await eventually(lambda: gate.waiting)
    await rig.until_read(worker)

    assert len(gate.waiting) == 1
