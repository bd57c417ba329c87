"""Webhooks that change, shards that come and go, and the end: nothing is lost, nothing is posted twice."""

from __future__ import annotations

from hub.model.delivery import DeliveryState
from tests.worker.receiver import Gate, always
from tests.worker.rig import DAY_MS, Rig, check_counts
from tests.worker.time_by_hand import eventually

SUCCEEDED = DeliveryState.SUCCEEDED


async def test_a_disabled_webhook_gets_nothing_and_goes_on_when_enabled(rig: Rig) -> None:
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a", concurrency=2)
    owed = await rig.owe(webhook, 10)
    worker = rig.start()
    await eventually(lambda: len(gate.waiting) == 2)

    disabled = await rig.change(webhook, is_active=False)
    check_counts(worker)
    gate.let_go()
    gate.let_go()
    await rig.until_quiet(worker)
    assert len(rig.receiver.arrivals) == 2
    assert worker.dispatcher.queued == 0

    rig.receiver.answering["/a"] = always(200)
    await rig.change(disabled, is_active=True)
    await eventually(lambda: len(rig.receiver.arrivals) == 10)
    await rig.until_quiet(worker)

    assert sorted(rig.receiver.deliveries("/a")) == sorted(owed)


async def test_enabling_forgets_how_long_it_had_failed(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a", retry_schedule=(), failing_since=rig.clock.now_ms() - 4 * DAY_MS)
    await rig.owe(webhook, 1)
    worker = rig.start()
    await eventually(lambda: len(rig.receiver.arrivals) == 1)
    await rig.until_quiet(worker)
    disabled = await rig.change(webhook, is_active=False)
    rig.timers.advance(2 * DAY_MS)
    await rig.store.hot.write(lambda tx: tx.mark_webhooks([], [webhook.id]))  # as enabling does
    await rig.change(disabled, is_active=True)
    await rig.owe(webhook, 1)
    worker.dispatcher.sweep()
    await eventually(lambda: len(rig.receiver.arrivals) == 2)
    await rig.until_quiet(worker)

    assert (await rig.store.webhooks.all())[0].is_active


async def test_a_deleted_webhook_is_forgotten(rig: Rig) -> None:
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a", concurrency=1)
    await rig.owe(webhook, 5)
    worker = rig.start()
    await eventually(lambda: gate.waiting)

    await rig.store.webhooks.delete(webhook.id, at=rig.clock.now_ms())
    await rig.refresh()
    gate.let_go()
    await rig.until_quiet(worker)

    assert len(rig.receiver.arrivals) == 1
    assert len(worker.dispatcher.lanes) == 0


async def test_a_new_url_is_used_by_what_waits(rig: Rig) -> None:
    gate = rig.receiver.answering["/old"] = Gate()
    webhook = await rig.webhook("/old", concurrency=1)
    await rig.owe(webhook, 5)
    worker = rig.start()
    await eventually(lambda: gate.waiting)

    await rig.change(webhook, url=rig.receiver.url("/new"))
    gate.let_go()
    await eventually(lambda: len(rig.receiver.at("/new")) == 4)
    await rig.until_quiet(worker)

    assert len(rig.receiver.at("/old")) == 1


async def test_a_change_that_another_part_noticed_first_is_taken_over(rig: Rig) -> None:
    """Whoever refreshed the directory, the lanes must learn of it."""
    webhook = await rig.webhook("/a")
    worker = rig.start()
    await rig.until_quiet(worker)
    await rig.store.webhooks.disable(webhook.id, reason="test", at=rig.clock.now_ms())
    await rig.directory.refresh()
    await rig.owe(webhook, 1)
    worker.dispatcher.configuration_changed()
    worker.dispatcher.sweep()
    await rig.until_quiet(worker)

    assert rig.receiver.arrivals == []


async def test_shards_lost_and_regained_while_posting_repeat_nothing(rig: Rig) -> None:
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a", concurrency=2)
    owed = await rig.owe(webhook, 6)
    worker = rig.start()
    await eventually(lambda: len(gate.waiting) == 2)

    worker.dispatcher.own(())
    assert worker.dispatcher.queued == 0
    worker.dispatcher.own(range(16))
    await rig.until_read(worker)
    check_counts(worker)
    assert len(gate.waiting) == 2
    rig.receiver.answering["/a"] = always(200)
    gate.let_go()
    gate.let_go()
    await eventually(lambda: len(rig.receiver.arrivals) >= 6)
    await rig.until_quiet(worker)

    assert sorted(rig.receiver.deliveries("/a")) == sorted(owed)


async def test_a_lost_shard_is_let_go_when_its_last_post_ends(rig: Rig) -> None:
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a", concurrency=1)
    await rig.owe(webhook, 3)
    worker = rig.start()
    await eventually(lambda: gate.waiting)
    worker.dispatcher.own(())
    gate.let_go()
    await rig.until_quiet(worker)

    assert len(worker.dispatcher.lanes) == 0
    assert (await rig.states(webhook)).count(SUCCEEDED) == 1


async def test_drain_ends_what_is_under_way_and_starts_nothing(rig: Rig) -> None:
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a", concurrency=2)
    await rig.owe(webhook, 9)
    worker = rig.start()
    await eventually(lambda: len(gate.waiting) == 2)

    draining = rig.spawn(worker.dispatcher.drain())
    gate.let_go()
    gate.let_go()
    await eventually(draining.done)

    assert (await rig.states(webhook)).count(SUCCEEDED) == 2
    assert len(rig.receiver.arrivals) == 2


async def test_drain_does_not_wait_for_lanes_that_rest(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(429, retry_after="3600")
    webhook = await rig.webhook("/a", concurrency=1)
    await rig.owe(webhook, 9)
    worker = rig.start()
    await eventually(lambda: rig.receiver.arrivals)
    draining = rig.spawn(worker.dispatcher.drain())
    await eventually(draining.done)

    assert len(rig.receiver.arrivals) == 1
