"""What is asked about one message: under which ids it is found, what was owed for it, which of its facts are kept."""

from __future__ import annotations

from hub.flow.repositories import Store
from hub.flow.rows import MessageRow
from tests.store.specimens import MESSAGE, OUTBOX, event

ASKED = MessageRow(*MESSAGE)._replace(is_from_me=1, outbox_id=OUTBOX.id, queued_at=5)


async def test_a_folded_message_is_found_under_both_its_ids(store: Store) -> None:
    """The one that it was asked for under, and that of the row which its network showed first."""
    await store.hot.write(lambda tx: tx.insert_outbox([OUTBOX._replace(message_id=40)]))
    await store.hot.write(lambda tx: tx.merge_own_messages([ASKED._replace(id=77)]))
    assert await store.messages.get(40) is None
    await store.hot.write(lambda tx: tx.move_operations([(40, 77)]))

    assert await store.messages.get(40) == await store.messages.get(77) == ASKED._replace(id=77)


async def test_everything_that_was_owed_for_a_message_is_told_in_order(store: Store) -> None:
    items = [
        OUTBOX._replace(id=n, message_id=message_id) for n, message_id in ((3, 1), (1, 1), (2, 9), (4, None))
    ]
    await store.hot.write(lambda tx: tx.insert_outbox(items))

    assert [item.id for item in await store.outbox.of_message(1)] == [1, 3]
    assert await store.outbox.of_message(5) == []


async def test_facts_are_found_by_their_keys(store: Store) -> None:
    events = [event(n)._replace(occurred_at=n * 10) for n in (1, 2, 3)]
    await store.hot.write(lambda tx: tx.insert_events(events))
    found = await store.messages.evidence([events[0].dedupe_key, events[2].dedupe_key, b"nothing like it!"])

    assert found == {events[0].dedupe_key: 10, events[2].dedupe_key: 30}
    assert await store.messages.evidence([]) == {}
