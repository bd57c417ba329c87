"""The hot transaction keeps its promises on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hub.flow.ports import HotTransaction
from hub.flow.repositories import DeliveryFilter, Store
from hub.flow.rows import DueDelivery, EventRow, IdempotencyRow, OutboxUpdate
from hub.model.delivery import DeliveryState
from hub.model.outbox import OUTBOX_MOVES, OutboxState
from tests.store.specimens import (
    ATTEMPT,
    BRIDGE,
    CHAT,
    DISPATCH,
    FINISH,
    LINE,
    MESSAGE,
    OUTBOX,
    RAW,
    REACTION,
    WEBHOOK,
    delivery,
    event,
)

KNOWN = IdempotencyRow(
    scope="key_1", key="k", request_hash=b"h", status=201, response='{"item":1}', created_at=1
)


def inserting(rows: list[EventRow]) -> Callable[[HotTransaction], Awaitable[set[int]]]:
    return lambda tx: tx.insert_events(rows)


async def test_a_raw_payload_is_kept_once(store: Store) -> None:
    """A replayed request id adds nothing; another bridge may use the same id."""
    replayed, foreign = RAW._replace(id=2), RAW._replace(id=3, bridge_id=2)
    await store.hot.write(lambda tx: tx.insert_raw([RAW]))

    assert {3} == await store.hot.write(lambda tx: tx.insert_raw([replayed, foreign]))


async def test_events_are_kept_once_within_and_across_batches(store: Store) -> None:
    """Of events with the same dedupe key the first one counts."""
    first = await store.hot.write(lambda tx: tx.insert_events([event(1), event(2, dedupe_key="1"), event(3)]))
    again = await store.hot.write(lambda tx: tx.insert_events([event(4, dedupe_key="3"), event(5)]))

    assert ({1, 3}, {5}) == (first, again)


async def test_the_same_rows_again_count_as_inserted(store: Store) -> None:
    """Work that runs twice (its commit was answered by silence) learns the same."""
    rows = [event(number) for number in (1, 2, 3)]
    await store.hot.write(lambda tx: tx.insert_events(rows))

    assert {1, 2, 3} == await store.hot.write(lambda tx: tx.insert_events(rows))


async def test_batches_of_every_size_are_kept_whole(store: Store) -> None:
    """Sizes around the chunks of the statements."""
    number = 0
    for size in (0, 1, 2, 3, 127, 128, 129, 300):
        rows = [event(number + offset) for offset in range(1, size + 1)]
        number += size

        assert {row.id for row in rows} == await store.hot.write(inserting(rows))


async def test_chats_merge_what_is_said(store: Store) -> None:
    """What is unsaid leaves what is there; evidence only rises."""
    group = CHAT._replace(name="Team", participants='["+1"]', has_inbound=1, last_message_at=50)
    silent = CHAT._replace(id=2, service="", name="", last_message_at=40)
    other = CHAT._replace(id=3, chat_key="dm:+2")
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    await store.hot.write(lambda tx: tx.merge_chats([group]))

    assert [other, group] == await store.hot.write(lambda tx: tx.merge_chats([other, silent]))


async def test_messages_come_back_in_the_order_given(store: Store) -> None:
    """New and known ones mixed."""
    await store.hot.write(lambda tx: tx.merge_messages([MESSAGE._replace(guid="b")]))
    batch = [MESSAGE._replace(id=id, guid=guid) for id, guid in ((10, "c"), (11, "b"), (12, "a"))]
    merged = await store.hot.write(lambda tx: tx.merge_messages(batch))

    assert [(row.id, row.guid) for row in merged] == [(10, "c"), (1, "b"), (12, "a")]


async def test_a_receipt_before_its_message_says_nothing_but_the_receipt(store: Store) -> None:
    """A placeholder never overwrites, and is filled by the message itself."""
    receipt = MESSAGE._replace(
        id=9, chat_id=0, is_known=0, sender=None, text=None, service=None, sent_at=None
    )
    receipt = receipt._replace(read_at=30, edited_at=25)
    await store.hot.write(lambda tx: tx.merge_messages([receipt]))
    merged = await store.hot.write(lambda tx: tx.merge_messages([MESSAGE]))

    assert [MESSAGE._replace(id=9, read_at=30)] == merged


async def test_the_latest_edit_says_what_a_message_is(store: Store) -> None:
    """An older snapshot that comes late changes nothing that is said."""
    edited = MESSAGE._replace(text="hello!", edited_at=60)
    await store.hot.write(lambda tx: tx.merge_messages([edited]))
    merged = await store.hot.write(lambda tx: tx.merge_messages([MESSAGE._replace(delivered_at=11)]))

    assert [edited._replace(delivered_at=11)] == merged


async def test_the_latest_word_of_a_reaction_counts(store: Store) -> None:
    """Taken back, then an old addition comes late."""
    removed = REACTION._replace(is_added=0, sent_at=20)

    async def work(tx: HotTransaction) -> None:
        for row in (REACTION, removed, REACTION._replace(id=2)):
            await tx.merge_reactions([row])

    await store.hot.write(work)

    assert [removed] == await store.messages.reactions(1, "g1")


async def test_an_existing_delivery_is_left_as_it_is(store: Store) -> None:
    """The same event to the same webhook once."""

    async def work(tx: HotTransaction) -> None:
        await tx.insert_events([event(1)])
        await tx.insert_deliveries([delivery(1, at=10)])
        await tx.insert_deliveries([delivery(2, at=99)])

    await store.hot.write(work)

    assert await store.deliveries.get(2) is None
    assert await store.hot.read(lambda tx: tx.pending_lanes(0)) == [(7, 10)]


async def test_finishing_records_the_attempt_and_moves_the_delivery(store: Store) -> None:
    """Success leaves the lane; a retry stays in it with its new time; a finished one is not moved again."""

    async def arrive(tx: HotTransaction) -> None:
        await tx.insert_events([event(1), event(2)])
        await tx.insert_deliveries([delivery(1), delivery(2, event_id=2)])

    await store.hot.write(arrive)
    retry = FINISH._replace(
        id=2, state=0, next_attempt_at=500, finished_at=None, last_status=503, reason="busy"
    )
    attempts = [ATTEMPT, ATTEMPT._replace(delivery_id=2, outcome=1, status=503, response=None)]
    await store.hot.write(lambda tx: tx.finish_deliveries([FINISH, retry], attempts))
    await store.hot.write(
        lambda tx: tx.finish_deliveries([FINISH._replace(state=2, reason="late")], attempts)
    )

    done = await store.deliveries.get(1)
    assert done is not None
    assert (done.state, done.reason) == (DeliveryState.SUCCEEDED, None)
    assert await store.hot.read(lambda tx: tx.pending_lanes(0)) == [(7, 500)]
    assert [attempt.number for attempt in await store.deliveries.attempts(2)] == [1]


async def test_due_deliveries_are_one_lane_by_time(store: Store) -> None:
    """Not the other lane, not the future, not more than asked."""

    async def arrive(tx: HotTransaction) -> None:
        await tx.insert_events([event(number) for number in range(1, 6)])
        times = {1: 30, 2: 10, 3: 10, 4: 99, 5: 20}
        await tx.insert_deliveries([delivery(n, event_id=n, at=at) for n, at in times.items()])
        await tx.insert_deliveries(
            [delivery(9, event_id=1, webhook_id=8), delivery(10, webhook_id=9, shard=1)]
        )

    await store.hot.write(arrive)
    due = await store.hot.read(lambda tx: tx.due_deliveries(7, 0, 50, 3))
    ordered = await store.hot.read(lambda tx: tx.ordered_deliveries(7, 0, 2))

    assert [row.id for row in due] == [2, 3, 5]
    assert DueDelivery(2, 2, 7, 0, "message.received", '{"number":2}') == due[0]
    assert [(at, row.id) for at, row in ordered] == [(30, 1), (10, 2)]
    assert await store.hot.read(lambda tx: tx.pending_lanes(0)) == [(7, 10), (8, 10)]
    assert await store.hot.read(lambda tx: tx.pending_lanes(1)) == [(9, 10)]


async def test_new_deliveries_are_found_by_their_range(store: Store) -> None:
    """Only of the shards asked for, never attempted, pending."""

    async def arrive(tx: HotTransaction) -> None:
        await tx.insert_events([event(number) for number in range(1, 6)])
        await tx.insert_deliveries(
            [delivery(number, event_id=number, shard=number % 2) for number in range(1, 5)]
        )
        await tx.insert_deliveries([delivery(5, event_id=5, state=3)])
        await tx.finish_deliveries([FINISH._replace(id=2, state=0, next_attempt_at=50)], [])

    await store.hot.write(arrive)

    assert [row.id for row in await store.hot.read(lambda tx: tx.deliveries_between(2, 5, [0, 1], 9))] == [
        3,
        4,
    ]
    assert [row.id for row in await store.hot.read(lambda tx: tx.deliveries_between(2, 5, [0], 9))] == [4]
    assert [row.id for row in await store.hot.read(lambda tx: tx.deliveries_between(1, 5, [0, 1], 1))] == [1]


async def test_idempotency_answers_with_the_first_row(store: Store) -> None:
    """Across batches and within one; the very same row again is our own."""
    other = KNOWN._replace(key="other")
    mine = KNOWN._replace(response='{"item":2}')
    assert await store.hot.write(lambda tx: tx.insert_idempotency([KNOWN])) == [None]

    found = await store.hot.write(
        lambda tx: tx.insert_idempotency([mine, other, other._replace(response="{}"), KNOWN])
    )

    assert [KNOWN, None, other, KNOWN] == found
    assert await store.hot.write(lambda tx: tx.insert_idempotency([KNOWN._replace(created_at=2)])) == [None]


@pytest.mark.parametrize("target", OutboxState, ids=lambda state: state.name.lower())
@pytest.mark.parametrize("source", OutboxState, ids=lambda state: state.name.lower())
async def test_outbox_items_move_as_the_table_allows(
    store: Store, source: OutboxState, target: OutboxState
) -> None:
    """Nothing leaves a finished state, and nothing is dispatched twice."""
    path = {
        OutboxState.PENDING: (),
        OutboxState.DISPATCHED: (1,),
        OutboxState.UNKNOWN: (1, 2),
        OutboxState.SENT: (1, 3),
        OutboxState.FAILED: (4,),
        OutboxState.CANCELLED: (5,),
    }[source]
    await store.hot.write(lambda tx: tx.insert_outbox([OUTBOX]))

    async def walk(tx: HotTransaction) -> list[set[int]]:
        return [await tx.update_outbox([DISPATCH._replace(state=state)]) for state in path]

    assert [{1}] * len(path) == await store.hot.write(walk)
    may = target in OUTBOX_MOVES[source] or (source == target and source in {0, 2})
    moved = await store.hot.write(lambda tx: tx.update_outbox([DISPATCH._replace(state=target)]))

    assert moved == ({1} if may else set())


@pytest.mark.parametrize(
    ("state", "attempt", "expected"),
    [
        (OutboxState.DISPATCHED, 2, set()),
        (OutboxState.DISPATCHED, 3, {1}),
        (OutboxState.PENDING, 1, set()),
        (OutboxState.PENDING, 2, {1}),
        (OutboxState.FAILED, 1, set()),
        (OutboxState.FAILED, 2, {1}),
    ],
)
async def test_an_earlier_attempt_has_no_say_any_more(
    store: Store, state: OutboxState, attempt: int, expected: set[int]
) -> None:
    """The item waits after two attempts; whoever has stood still since the first one does not move it."""
    again = DISPATCH._replace(state=OutboxState.PENDING)

    async def twice(tx: HotTransaction) -> None:
        await tx.insert_outbox([OUTBOX])
        for row in (DISPATCH, again, DISPATCH._replace(attempt_count=2), again._replace(attempt_count=2)):
            assert await tx.update_outbox([row]) == {1}

    await store.hot.write(twice)
    late = DISPATCH._replace(state=state, attempt_count=attempt)

    assert await store.hot.write(lambda tx: tx.update_outbox([late])) == expected


async def test_a_line_s_outbox_is_in_order_and_finished_items_leave_it(store: Store) -> None:
    """Of each priority the one that is due first; the lane tells its earliest time."""
    items = [OUTBOX, OUTBOX._replace(id=2, next_attempt_at=3), OUTBOX._replace(id=3, line_id=2)]
    await store.hot.write(lambda tx: tx.insert_outbox(items))
    assert await store.hot.read(lambda tx: tx.pending_lines(0)) == [(1, 3), (2, 5)]
    sent = OutboxUpdate(1, OutboxState.SENT, 1, 0, 6, "guid", None, 8)
    await store.hot.write(lambda tx: tx.update_outbox([DISPATCH]))
    await store.hot.write(lambda tx: tx.update_outbox([sent]))

    due = await store.hot.read(lambda tx: tx.due_outbox(1, 0, 9))
    assert [row.id for row in due] == [2]
    assert (due[0].next_attempt_at, due[0].created_at) == (3, 5)
    item = await store.outbox.get(1)
    assert item is not None
    assert (item.state, item.provider_id, item.payload) == (OutboxState.SENT, "guid", {"to": "+1"})


async def test_a_webhook_fails_since_the_first_failure(store: Store) -> None:
    """Later failures leave the time; a success clears it."""
    await store.webhooks.add(WEBHOOK)

    async def since() -> int | None:
        webhook = await store.webhooks.get(7)
        return webhook.failing_since if webhook else 0

    await store.hot.write(lambda tx: tx.mark_webhooks([(7, 100)], []))
    await store.hot.write(lambda tx: tx.mark_webhooks([(7, 200)], []))
    assert await since() == 100
    await store.hot.write(lambda tx: tx.mark_webhooks([], [7]))
    assert await since() is None


async def test_nothing_stays_of_work_that_raises_and_its_neighbours_are_kept(store: Store) -> None:
    """A unit fails alone."""

    async def broken(tx: HotTransaction) -> None:
        await tx.insert_events([event(99)])
        raise LookupError("broken on purpose")

    good = [store.hot.write(inserting([event(n)])) for n in range(20)]
    results = await asyncio.gather(*good[:10], store.hot.write(broken), *good[10:], return_exceptions=True)

    assert [LookupError] == [type(result) for result in results if isinstance(result, Exception)]
    assert list(range(20)) == [
        found.id for found in await store.events.page(first_id=0, last_id=99, limit=99)
    ]


async def test_a_transaction_reads_its_own_writes(store: Store) -> None:
    """Set-based statements of one unit build on each other."""

    async def work(tx: HotTransaction) -> list[tuple[int, int]]:
        await tx.insert_deliveries([delivery(1)])
        return await tx.pending_lanes(0)

    assert await store.hot.write(work) == [(7, 10)]


async def test_configuration_changes_raise_the_revision(store: Store) -> None:
    """Within the same transaction."""
    before = await store.hot.read(lambda tx: tx.revision())
    await store.webhooks.add(WEBHOOK)

    assert before + 1 == await store.hot.read(lambda tx: tx.revision())


async def test_what_is_recorded_owes_only_what_is_new(store: Store) -> None:
    """Deliveries of a known event, or of the second of two alike, are left out; the revision is told."""
    await store.hot.write(inserting([event(1)]))
    events = [event(2, dedupe_key="1"), event(3), event(4, dedupe_key="3")]
    owed = [delivery(10 + number, event_id=number) for number in (4, 3, 2)]
    revision, inserted = await store.hot.write(lambda tx: tx.record(events, owed))

    assert inserted == {3}
    assert revision == await store.hot.read(lambda tx: tx.revision())
    assert await store.deliveries.count(DeliveryFilter()) == 1
    assert await store.hot.read(lambda tx: tx.pending_lanes(0)) == [(7, 10)]


async def test_nothing_recorded_tells_the_revision(store: Store) -> None:
    """For whoever must know that it is the one of the snapshot at hand."""
    revision, inserted = await store.hot.write(lambda tx: tx.record([], []))

    assert (revision, inserted) == (await store.hot.read(lambda tx: tx.revision()), set())
