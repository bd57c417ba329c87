"""Members, votes, polls, places and cards in one transaction: the same on both databases, in whatever order."""

from __future__ import annotations

import random
from dataclasses import replace

from hub.flow.chat_rows import ChatState, MemberRow, PlaceRow, PollRow, VoteRow
from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from tests.store.specimens import BRIDGE, CHAT, LINE

GROUP = CHAT._replace(chat_key="chat1", identifier="chat1", is_group=1, participants='["+1","+2"]')
POLL = PollRow(
    id=1,
    line_id=1,
    chat_id=0,
    guid="P",
    title="",
    options="[]",
    creator=None,
    is_from_me=0,
    outbox_id=None,
    created_at=None,
    synced_at=5,
)
MADE = POLL._replace(
    id=2,
    chat_id=7,
    title="Lunch?",
    options='[{"id":"a","text":"Soup"}]',
    is_from_me=1,
    outbox_id=9,
    created_at=4,
)
PLACE = PlaceRow(1, "+1", 51.5, -0.25, "Home", "live", 4, 5)


async def _with_group(store: Store) -> None:
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    await store.lines.add(replace(LINE, id=2, handle="+2"))
    await store.hot.write(lambda tx: tx.merge_chats([GROUP]))


async def test_the_latest_word_on_a_member_counts(store: Store) -> None:
    words = [MemberRow(1, "+1", number % 2, 10 + number) for number in range(6)]
    random.Random(3).shuffle(words)
    for word in words:
        await store.hot.write(lambda tx, word=word: tx.chats.merge_members([word]))  # type: ignore[misc] # bound
    await store.hot.write(
        lambda tx: tx.chats.merge_members([MemberRow(2, "+1", 0, 1), MemberRow(1, "+1", 0, 3)])
    )
    standing = await store.hot.write(lambda tx: tx.chats.members([1, 2, 3]))

    assert sorted(standing) == [MemberRow(1, "+1", 1, 15), MemberRow(2, "+1", 0, 1)]
    assert (await store.chats.joined(1), await store.chats.joined(2)) == ({"+1": 15}, {})


async def test_a_chats_state_comes_back_as_it_was_saved(store: Store) -> None:
    await _with_group(store)
    saved = ChatState(1, None, '["+3"]', 40, 45, 50, 1, 8, '{"version":1}', 60, '{"team":"a"}', 70)

    async def change(tx: HotTransaction) -> list[ChatState]:
        before = await tx.chats.states([1])
        await tx.chats.save_states([saved])
        return before

    before = await store.hot.write(change)

    assert before == [ChatState(1, None, '["+1","+2"]', None, None, None, 0, None, None, None)]
    assert await store.hot.write(lambda tx: tx.chats.states([1, 99])) == [saved]


async def test_chats_are_found_by_their_keys(store: Store) -> None:
    await _with_group(store)

    assert await store.hot.write(lambda tx: tx.chats.ids([(1, "chat1"), (2, "chat1"), (1, "x")])) == {
        (1, "chat1"): 1
    }
    assert await store.hot.write(lambda tx: tx.chats.keys([1, 99])) == {1: "chat1"}
    assert await store.chats.keys([1, 1, 99]) == {1: "chat1"}


async def test_a_poll_is_completed_in_any_order_and_never_changed(store: Store) -> None:
    other = MADE._replace(id=3, title="Dinner?", options="[]", is_from_me=0, outbox_id=10, created_at=6)
    for line_id, rows in ((1, (POLL, MADE, other)), (2, (MADE, POLL))):
        for row in rows:
            mine = row._replace(id=row.id + 10 * line_id, line_id=line_id)
            await store.hot.write(lambda tx, mine=mine: tx.chats.merge_polls([mine]))  # type: ignore[misc] # bound
    keys = [POLL._replace(id=99), POLL._replace(id=98, line_id=2)]
    first, second = await store.hot.write(lambda tx: tx.chats.merge_polls(keys))

    assert first == MADE._replace(id=11)
    assert second == MADE._replace(id=22, line_id=2)


async def test_the_latest_vote_of_each_voter_counts(store: Store) -> None:
    votes = [
        VoteRow(1, "P", "+1", '["a"]', 5),
        VoteRow(1, "P", "+2", '["b"]', 5),
        VoteRow(1, "Q", "+1", "[]", 5),
    ]
    await store.hot.write(lambda tx: tx.chats.merge_votes(votes))
    await store.hot.write(lambda tx: tx.chats.merge_votes([VoteRow(1, "P", "+1", "[]", 9)]))
    await store.hot.write(lambda tx: tx.chats.merge_votes([VoteRow(1, "P", "+1", '["c"]', 8)]))
    cast = await store.hot.write(lambda tx: tx.chats.votes([(1, "P")]))

    assert sorted(cast) == [VoteRow(1, "P", "+1", "[]", 9), VoteRow(1, "P", "+2", '["b"]', 5)]


async def test_places_and_cards_are_overwritten(store: Store) -> None:
    await _with_group(store)
    moved = PLACE._replace(latitude=-33.75, label=None, synced_at=9)
    await store.hot.write(lambda tx: tx.chats.save_places([PLACE]))
    await store.hot.write(lambda tx: tx.chats.save_places([moved, PLACE._replace(handle="+2")]))
    await store.hot.write(lambda tx: tx.chats.save_card(1, '{"first_name":"Ada"}', 5))
    await store.hot.write(lambda tx: tx.chats.save_card(1, '{"first_name":"Bob"}', 6))

    assert await store.chats.places(1) == [moved, PLACE._replace(handle="+2")]
    assert await store.chats.card(1) == ('{"first_name":"Bob"}', 6)
    assert (await store.chats.places(2), await store.chats.card(2)) == ([], None)


async def test_an_empty_batch_does_nothing(store: Store) -> None:
    async def nothing(tx: HotTransaction) -> list[object]:
        await tx.chats.save_states([])
        await tx.chats.merge_votes([])
        await tx.chats.save_places([])
        return [*await tx.chats.members([]), *await tx.chats.merge_polls([]), *await tx.chats.votes([])]

    assert await store.hot.write(nothing) == []
