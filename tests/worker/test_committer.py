"""Results reach the database in order, whatever happens to it."""

from __future__ import annotations

from hub.flow.deliver import Finished
from hub.flow.rows import AttemptRow, DueDelivery, FinishRow
from hub.model.delivery import DeliveryState, Outcome
from hub.model.webhook import Webhook
from hub.rules.retry import Succeeded
from hub.worker.committer import UNRECORDABLE
from tests.worker.receiver import Gate
from tests.worker.rig import Rig, Worker
from tests.worker.time_by_hand import eventually


async def results(rig: Rig, webhook: Webhook, count: int) -> list[Finished]:
    """Successes of deliveries that are owed."""
    await rig.owe(webhook, count)
    return [
        Finished(
            due=DueDelivery(row.id, row.event_id, webhook.id, 0, "message.received", "{}"),
            finish=FinishRow(row.id, DeliveryState.SUCCEEDED, 1, 1, 1, 200, None),
            attempt=AttemptRow(row.id, 1, 1, 1, Outcome.SUCCESS, 200, None, None, "127.0.0.1", "{}", None),
            decision=Succeeded(),
        )
        for row in await rig.deliveries(webhook)
    ]


def add(worker: Worker, finished: list[Finished]) -> None:
    for each in finished:
        worker.committer.add(each, failing=None, recovered=False)


async def test_a_database_that_is_away_is_waited_for_and_the_order_kept(rig: Rig) -> None:
    webhook = await rig.webhook("/a")
    finished = await results(rig, webhook, 30)
    worker = rig.start(shards=())
    committed: list[int] = []
    worker.committer.on_committed = lambda batch: committed.extend(each.due.id for each in batch)
    rig.hot.is_away = True
    add(worker, finished[:10])
    await eventually(lambda: rig.hot.failures >= 2)
    add(worker, finished[10:])
    assert committed == []

    rig.hot.is_away = False
    await worker.committer.flush()

    assert committed == [each.due.id for each in finished]
    assert await rig.states(webhook) == [DeliveryState.SUCCEEDED] * 30


async def test_a_worker_delivers_on_after_the_database_was_away(rig: Rig) -> None:
    """Also the lanes whose read failed are read again."""
    gate = rig.receiver.answering["/a"] = Gate()
    webhook = await rig.webhook("/a", concurrency=1)
    await rig.owe(webhook, 40)
    worker = rig.start(lane_queue=8)
    await eventually(lambda: gate.waiting)
    rig.hot.is_away = True
    del rig.receiver.answering["/a"]
    gate.let_go()
    await eventually(lambda: rig.hot.failures >= 4)
    rig.hot.is_away = False
    await eventually(lambda: len(rig.receiver.arrivals) == 40)
    await rig.until_quiet(worker)

    assert await rig.states(webhook) == [DeliveryState.SUCCEEDED] * 40


async def test_flush_waits_for_what_was_added_before_it_and_no_longer(rig: Rig) -> None:
    webhook = await rig.webhook("/a")
    finished = await results(rig, webhook, 3)
    worker = rig.start(shards=())
    await worker.committer.flush()  # nothing to wait for

    rig.hot.may_write.clear()
    add(worker, finished[:1])
    flushing = rig.spawn(worker.committer.flush())
    await eventually(lambda: worker.committer.waiting_count == 1)
    assert not flushing.done()
    add(worker, finished[1:])
    rig.hot.may_write.set()
    await eventually(flushing.done)


async def test_a_refused_row_loses_its_details_and_holds_up_nobody(rig: Rig) -> None:
    webhook = await rig.webhook("/a")
    finished = await results(rig, webhook, 9)
    guilty = finished[4]
    finished[4] = Finished(
        due=guilty.due,
        finish=guilty.finish,
        attempt=guilty.attempt._replace(reason="a lone surrogate \ud800"),
        decision=guilty.decision,
    )
    worker = rig.start(shards=())
    add(worker, finished)
    await worker.committer.flush()

    assert await rig.states(webhook) == [DeliveryState.SUCCEEDED] * 9
    reasons = [
        attempt.reason for each in finished for attempt in await rig.store.deliveries.attempts(each.due.id)
    ]
    assert reasons == [None] * 4 + [UNRECORDABLE] + [None] * 4


async def test_marks_of_one_batch_end_as_they_happened(rig: Rig) -> None:
    """Failing, recovered and failing again within one batch: the webhook fails since the second time."""
    webhook = await rig.webhook("/a", failing_since=5)
    first, second, third = await results(rig, webhook, 3)
    worker = rig.start(shards=())
    worker.committer.add(first, failing=7, recovered=False)
    worker.committer.add(second, failing=None, recovered=True)
    worker.committer.add(third, failing=9, recovered=False)
    await worker.committer.flush()

    assert [each.failing_since for each in await rig.store.webhooks.all()] == [9]
