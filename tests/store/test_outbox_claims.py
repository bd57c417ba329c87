"""What evidence and answers are checked against, on both databases."""

from __future__ import annotations

from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.rows import MessageRow, OperationRow, OutboxClaim
from hub.model.outbox import OutboxState
from hub.rules.lanes import shard_of
from tests.store.specimens import DISPATCH, MESSAGE, OUTBOX

ASKED = MessageRow(*MESSAGE)._replace(id=50, guid="attempt", outbox_id=1, is_from_me=1, queued_at=5)


async def test_claims_are_given_for_items_that_exist(store: Store) -> None:
    items = [OUTBOX._replace(id=number, line_id=number + 10) for number in (1, 2, 3)]
    items[0] = items[0]._replace(message_id=50, priority=7, parts_done=2, set_id=1)

    async def insert(tx: HotTransaction) -> None:
        await tx.insert_outbox(items)
        await tx.merge_own_messages([ASKED])

    await store.hot.write(insert)
    found = await store.hot.read(lambda tx: tx.outbox_claims([1, 3, 99]))

    assert sorted(found, key=lambda claim: claim.id) == [
        OutboxClaim(1, 11, OUTBOX.payload, "send", 0, 7, 2, 1, None, 50, 1, "attempt", 0),
        OutboxClaim(3, 13, OUTBOX.payload, "send", 0, 0, 0, None, None, None, None, None, None),
    ]


async def test_no_ids_no_claims(store: Store) -> None:
    assert await store.hot.read(lambda tx: tx.outbox_claims([])) == []


async def test_what_waits_for_a_reason_is_let_go(store: Store) -> None:
    """Of one line, and nothing that waits for anything else."""
    shard = shard_of(5)
    items = [
        OUTBOX._replace(id=number, line_id=line_id, shard=shard_of(line_id), next_attempt_at=900)
        for number, line_id in ((1, 5), (2, 5), (3, 5), (4, 6))
    ]
    waits = DISPATCH._replace(
        state=OutboxState.PENDING, attempt_count=0, next_attempt_at=900, dispatched_at=None
    )
    reasons = {1: "quiet_hours", 2: None, 3: "bridge_away", 4: "quiet_hours"}

    async def insert(tx: HotTransaction) -> None:
        await tx.insert_outbox(items)
        await tx.update_outbox([waits._replace(id=number, error=reasons[number]) for number in reasons])

    await store.hot.write(insert)

    assert await store.outbox.let_go(5, reasons={"quiet_hours", "message_limit_reached"}, now=100) == 1
    assert await store.outbox.let_go(5, reasons={"quiet_hours", "message_limit_reached"}, now=100) == 0
    assert await store.hot.read(lambda tx: tx.pending_lines(shard)) == [(5, 100)]


async def test_own_messages_are_read_saved_and_deleted_by_id(store: Store) -> None:
    async def work(tx: HotTransaction) -> list[list[MessageRow]]:
        seen = [await tx.merge_own_messages([ASKED, ASKED._replace(id=51, guid="other")])]
        await tx.save_messages([ASKED._replace(guid="G", cancelled_at=9, metadata="{}", error=None)])
        seen.append(await tx.messages_by_id([50, 51, 52]))
        await tx.delete_messages([50])
        seen.append(await tx.messages_by_id([50, 51]))
        return seen

    merged, saved, left = await store.hot.write(work)

    assert merged == [ASKED, ASKED._replace(id=51, guid="other")]
    assert sorted(saved) == [
        ASKED._replace(guid="G", cancelled_at=9, metadata="{}"),
        ASKED._replace(id=51, guid="other"),
    ]
    assert [row.id for row in left] == [51]
    assert await store.hot.read(lambda tx: tx.messages_by_id([51])) == left


async def test_what_only_we_know_survives_every_merge(store: Store) -> None:
    """Evidence says nothing of it; the first word of ours stays."""
    asked = ASKED._replace(send_at=8, metadata='{"a":1}', job_id=3)
    shown = MESSAGE._replace(id=60, guid="attempt", is_from_me=1, text="shown", sent_at=7)

    async def work(tx: HotTransaction) -> list[MessageRow]:
        await tx.merge_own_messages([asked])
        await tx.merge_messages([shown])
        await tx.merge_own_messages([asked._replace(id=61, metadata="{}", accepted_at=6, was_downgraded=1)])
        return await tx.messages_by_id([50])

    [row] = await store.hot.write(work)

    assert (row.send_at, row.metadata, row.job_id, row.queued_at) == (8, '{"a":1}', 3, 5)
    assert (row.accepted_at, row.was_downgraded, row.sent_at) == (6, 1, 7)


async def test_only_what_is_pending_is_cancelled(store: Store) -> None:
    items = [OUTBOX._replace(id=number, set_id=1) for number in (1, 2, 3)]
    await store.hot.write(lambda tx: tx.insert_outbox(items))
    await store.hot.write(lambda tx: tx.update_outbox([DISPATCH._replace(id=2)]))

    assert await store.hot.read(lambda tx: tx.outbox_set(1)) == [1, 3]
    assert await store.hot.write(lambda tx: tx.cancel_outbox([1, 2, 9], 44)) == {1}
    assert await store.hot.write(lambda tx: tx.cancel_outbox([1], 45)) == set()
    assert await store.hot.read(lambda tx: tx.outbox_set(1)) == [3]
    cancelled = await store.outbox.get(1)
    assert cancelled is not None
    assert (cancelled.state, cancelled.completed_at) == (5, 44)


async def test_operations_follow_a_message_that_was_folded(store: Store) -> None:
    items = [OUTBOX._replace(id=number, message_id=50 + number % 2) for number in (1, 2, 3)]

    async def work(tx: HotTransaction) -> list[OperationRow]:
        await tx.insert_outbox(items)
        await tx.move_operations([(51, 77)])
        await tx.mark_evidence([(3, b"k")])
        return await tx.message_operations([77, 50])

    found = await store.hot.write(work)

    assert found == [
        OperationRow(1, 77, "send", 0, OUTBOX.payload, None),
        OperationRow(2, 50, "send", 0, OUTBOX.payload, None),
        OperationRow(3, 77, "send", 0, OUTBOX.payload, b"k"),
    ]
    assert await store.hot.read(lambda tx: tx.message_operations([77])) == found[::2]


async def test_what_other_items_of_a_line_have_sent_is_told_by_guid(store: Store) -> None:
    """Not the item's own, not what somebody else wrote there, and nothing that is too old."""
    sent = ASKED._replace(sent_at=100)
    rows = [
        sent._replace(id=50, guid="own", outbox_id=1),
        sent._replace(id=51, guid="before", outbox_id=2),
        sent._replace(id=52, guid="after", outbox_id=3, sent_at=200),
        sent._replace(id=53, guid="old", outbox_id=4, sent_at=99),
        sent._replace(id=54, guid="typed on the phone", outbox_id=None),
        sent._replace(id=55, guid="of another line", outbox_id=5, line_id=sent.line_id + 1),
    ]
    await store.hot.write(lambda tx: tx.merge_own_messages(rows))

    assert await store.hot.read(lambda tx: tx.guids_of_others(sent.line_id, 1, 100)) == ["after", "before"]
