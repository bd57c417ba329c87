"""A strictly ordered lane: the next is posted only after the one before has succeeded or is a dead letter."""

from __future__ import annotations

from hub.model.delivery import DeliveryState
from hub.model.webhook import Webhook
from tests.worker.receiver import Answering, Arrival, Gate, Reply, always
from tests.worker.rig import Rig
from tests.worker.time_by_hand import eventually

SUCCEEDED, DEAD = DeliveryState.SUCCEEDED, DeliveryState.DEAD


async def an_ordered(rig: Rig, path: str = "/a", **fields: object) -> Webhook:
    return await rig.webhook(path, is_ordered=True, **fields)


def failing_once(*failing: str) -> Answering:
    """Fail the first attempt of these events' words."""
    known: set[str] = set()

    async def answer(arrival: Arrival) -> Reply:
        if arrival.text in failing and arrival.text not in known:
            known.add(arrival.text)
            return Reply(status=500)
        return Reply()

    return answer


async def test_the_order_is_that_of_the_events(rig: Rig) -> None:
    webhook = await an_ordered(rig)
    owed = await rig.owe(webhook, 40)
    worker = rig.start(lane_queue=8)
    await eventually(lambda: len(rig.receiver.arrivals) == 40)
    await rig.until_quiet(worker)

    assert rig.receiver.deliveries("/a") == owed
    assert rig.receiver.most_under_way["/a"] == 1


async def test_a_failure_holds_up_the_rest_until_its_retry_succeeds(rig: Rig) -> None:
    rig.receiver.answering["/a"] = failing_once("2")
    webhook = await an_ordered(rig)
    owed = await rig.owe(webhook, 6)
    worker = rig.start()
    await eventually(lambda: len(rig.receiver.arrivals) == 3)
    for _ in range(3):
        worker.dispatcher.sweep()
        worker.dispatcher.lane_due(webhook.id)
        await rig.until_quiet(worker)
    assert rig.receiver.deliveries("/a") == owed[:3]

    rig.timers.advance(5_000)
    await eventually(lambda: len(rig.receiver.arrivals) == 7)
    await rig.until_quiet(worker)

    assert rig.receiver.deliveries("/a") == [*owed[:3], *owed[2:]]


async def test_news_do_not_overtake_what_a_new_owner_has_not_read_yet(rig: Rig) -> None:
    webhook = await an_ordered(rig)
    owed = await rig.owe(webhook, 5)
    rows = await rig.deliveries(webhook)
    worker = rig.start(shards=())
    await rig.until_quiet(worker)

    worker.dispatcher.own(range(16))
    worker.dispatcher.deliveries_recorded(rows[-1].id, rows[-1].id)
    await eventually(lambda: len(rig.receiver.arrivals) == 5)
    await rig.until_quiet(worker)

    assert rig.receiver.deliveries("/a") == owed


async def test_news_during_a_wait_stay_behind_the_head(rig: Rig) -> None:
    rig.receiver.answering["/a"] = failing_once("0")
    webhook = await an_ordered(rig)
    first = await rig.owe(webhook, 1)
    worker = rig.start()
    await eventually(lambda: len(rig.receiver.arrivals) == 1)
    await rig.until_quiet(worker)
    second = await rig.owe(webhook, 2)
    rows = await rig.deliveries(webhook)
    worker.dispatcher.deliveries_recorded(rows[1].id, rows[2].id)
    await rig.until_quiet(worker)
    assert rig.receiver.deliveries("/a") == first

    rig.timers.advance(5_000)
    await eventually(lambda: len(rig.receiver.arrivals) == 4)
    await rig.until_quiet(worker)

    assert rig.receiver.deliveries("/a") == [*first, *first, *second]


async def test_a_dead_letter_lets_the_next_one_pass(rig: Rig) -> None:
    async def answer(arrival: Arrival) -> Reply:
        return Reply(status=500 if arrival.text == "0" else 200)

    rig.receiver.answering["/a"] = answer
    webhook = await an_ordered(rig, retry_schedule=())
    owed = await rig.owe(webhook, 3)
    worker = rig.start()
    await eventually(lambda: len(rig.receiver.arrivals) == 3)
    await rig.until_quiet(worker)

    assert rig.receiver.deliveries("/a") == owed
    assert await rig.states(webhook) == [DEAD, SUCCEEDED, SUCCEEDED]


async def test_the_next_is_posted_only_after_the_commit(rig: Rig) -> None:
    webhook = await an_ordered(rig)
    await rig.owe(webhook, 2)
    rig.hot.may_write.clear()
    worker = rig.start()
    await eventually(lambda: worker.committer.waiting_count == 1)
    await rig.until_read(worker)
    assert len(rig.receiver.arrivals) == 1

    rig.hot.may_write.set()
    await eventually(lambda: len(rig.receiver.arrivals) == 2)


async def test_a_read_from_before_a_failure_does_not_break_the_order(rig: Rig) -> None:
    """A read begins while the head is posted, and ends after the head has failed and its wait is over."""
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await an_ordered(rig, retry_schedule=(0.0, 0.0))
    owed = await rig.owe(webhook, 4)
    worker = rig.start()
    await eventually(lambda: gate.waiting)
    rig.hot.may_read.clear()
    worker.dispatcher.lane_due(webhook.id)
    await eventually(lambda: rig.hot.reads_held)
    gate.let_go(500)
    await eventually(lambda: not worker.dispatcher.in_flight)
    rig.timers.advance(1)
    rig.receiver.answering["/a"] = always(200)
    rig.hot.may_read.set()
    await eventually(lambda: len(rig.receiver.arrivals) == 5)
    await rig.until_quiet(worker)

    assert rig.receiver.deliveries("/a") == [owed[0], *owed]


async def test_an_uncommitted_failure_holds_up_the_rest(rig: Rig) -> None:
    """The retry is due at once, but its commit takes long: SQL still shows the head as it was."""
    rig.receiver.answering["/a"] = failing_once("0")
    webhook = await an_ordered(rig, retry_schedule=(0.0, 0.0))
    owed = await rig.owe(webhook, 3)
    rig.hot.may_write.clear()
    worker = rig.start()
    await eventually(lambda: worker.committer.waiting_count == 1)
    rig.timers.advance(1_000)
    worker.dispatcher.sweep()
    worker.dispatcher.lane_due(webhook.id)
    await rig.until_read(worker)
    assert len(rig.receiver.arrivals) == 1

    rig.hot.may_write.set()
    await eventually(lambda: len(rig.receiver.arrivals) == 4)
    await rig.until_quiet(worker)

    assert rig.receiver.deliveries("/a") == [owed[0], *owed]


async def test_the_order_outlives_a_crash(rig: Rig) -> None:
    rig.receiver.answering["/a"] = failing_once("1")
    webhook = await an_ordered(rig)
    owed = await rig.owe(webhook, 5)
    first = rig.start()
    await eventually(lambda: len(rig.receiver.arrivals) == 2)
    await rig.until_quiet(first)
    first.kill()
    second = rig.start()
    await rig.until_quiet(second)
    assert len(rig.receiver.arrivals) == 2  # the head waits under its new owner too

    rig.timers.advance(5_000)
    await eventually(lambda: len(rig.receiver.arrivals) == 6)
    await rig.until_quiet(second)

    assert rig.receiver.deliveries("/a") == [*owed[:2], *owed[1:]]


async def test_a_lane_that_becomes_ordered_waits_for_older_retries(rig: Rig) -> None:
    rig.receiver.answering["/a"] = always(500)
    webhook = await rig.webhook("/a", concurrency=1)
    old = await rig.owe(webhook, 2)
    worker = rig.start()
    await eventually(lambda: len(rig.receiver.arrivals) == 2)
    await rig.until_quiet(worker)
    rig.receiver.answering["/a"] = always(200)

    await rig.change(webhook, is_ordered=True)
    new = await rig.owe(webhook, 2)
    worker.dispatcher.sweep()
    await rig.until_quiet(worker)
    assert len(rig.receiver.arrivals) == 2
    rig.timers.advance(5_000)
    await eventually(lambda: len(rig.receiver.arrivals) == 6)

    assert rig.receiver.deliveries("/a")[2:] == [*old, *new]


async def test_an_earlier_delivery_committed_later_takes_its_place_in_the_queue(rig: Rig) -> None:
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await an_ordered(rig)
    await rig.owe(webhook, 1)
    worker = rig.start()
    await eventually(lambda: gate.waiting)
    await rig.until_read(worker)
    owed = await rig.owe(webhook, 3)
    rows = (await rig.deliveries(webhook))[1:]
    for row in reversed(rows):  # another process's batch was faster
        worker.dispatcher.deliveries_recorded(row.id, row.id)
        await rig.until_read(worker)
    rig.receiver.answering["/a"] = always(200)
    gate.let_go()
    await eventually(lambda: len(rig.receiver.arrivals) == 4)

    assert rig.receiver.deliveries("/a")[1:] == owed
