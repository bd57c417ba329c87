"""Chats are found by what people ask for, counted within bounds, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hub.flow.chat_rows import ChatState, PollRow, VoteRow
from hub.flow.chat_store import ChatFilter, ChatOrder, ChatTotals
from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.rows import Known
from hub.model.ids import first_id_at
from hub.rules.textsearch import is_in, needle_of
from hub.store.repositories import chats as counting
from tests.rules.test_textsearch import FOUND, NOT_FOUND
from tests.store.specimens import BRIDGE, CHAT, LINE, MESSAGE

DIRECT = CHAT._replace(
    id=1, chat_key="dm:+1", identifier="+1", participants='["+1"]', last_message_at=10, name="Ada (home) 100%"
)
PAIR = CHAT._replace(
    id=2, chat_key="chat2", identifier="chat2", is_group=1, participants='["+1","+2"]', last_message_at=30
)
TRIO = CHAT._replace(
    id=3,
    chat_key="chat3",
    identifier="chat3",
    is_group=1,
    participants='["+1","+2","+30"]',
    last_message_at=20,
    name="Trip",
)
ELSEWHERE = CHAT._replace(id=4, line_id=2, chat_key="dm:+1", identifier="+1", last_message_at=25)
SILENT = CHAT._replace(id=5, chat_key="dm:+9", identifier="+9", participants='["+9"]')


@pytest.fixture
async def filled(store: Store) -> Store:
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    await store.lines.add(replace(LINE, id=2, handle="+2"))

    async def work(tx: HotTransaction) -> None:
        await tx.merge_chats([DIRECT, PAIR, TRIO, ELSEWHERE, SILENT])
        came_in = [MESSAGE._replace(id=n, guid=f"g{n}", chat_id=2, sent_at=n) for n in range(1, 6)]
        ours = MESSAGE._replace(id=6, guid="g6", chat_id=2, sent_at=6, is_from_me=1)
        unseen = MESSAGE._replace(id=7, guid="g7", chat_id=2, sent_at=7, is_known=Known.UNSEEN)
        await tx.merge_messages([row._replace(is_known=Known.SEEN) for row in (*came_in, ours)])
        await tx.merge_messages([unseen])

    await store.hot.write(work)
    return store


async def test_by_creation_the_latest_known_come_first_page_by_page(filled: Store) -> None:
    wanted = ChatFilter(line_ids=(1, 2), order=ChatOrder.CREATED)
    first = await filled.chats.list(wanted, after=None, limit=3)
    rest = await filled.chats.list(wanted, after=(0, first[-1].id), limit=3)
    of_one = await filled.chats.list(replace(wanted, participants=frozenset({"+1"})), after=(0, 4), limit=9)

    assert [chat.id for chat in (*first, *rest)] == [5, 4, 3, 2, 1]
    assert [chat.id for chat in of_one] == [3, 2, 1]


async def test_chats_are_found_by_when_they_became_known(filled: Store) -> None:
    later = CHAT._replace(id=first_id_at(1_800_000_000_000), chat_key="dm:+7", identifier="+7")
    await filled.hot.write(lambda tx: tx.merge_chats([later]))

    async def found(before: int) -> list[int]:
        wanted = ChatFilter(line_ids=(1,), created_before=before, order=ChatOrder.CREATED)
        return [chat.id for chat in await filled.chats.list(wanted, after=None, limit=9)]

    assert await found(1_800_000_000_000) == [5, 3, 2, 1]
    assert await found(1_800_000_000_001) == [later.id, 5, 3, 2, 1]


async def _read(store: Store, chat_id: int, *, at: int | None, is_marked: int = 0) -> None:
    async def work(tx: HotTransaction) -> None:
        (state,) = await tx.chats.states([chat_id])
        await tx.chats.save_states([state._replace(own_read_at=at, is_marked_unread=is_marked)])

    await store.hot.write(work)


CASES: dict[str, tuple[ChatFilter, list[int]]] = {
    "one line": (ChatFilter(line_ids=(1,)), [2, 3, 1, 5]),
    "two lines": (ChatFilter(line_ids=(1, 2)), [2, 4, 3, 1, 5]),
    "no line": (ChatFilter(line_ids=()), []),
    "groups": (ChatFilter(line_ids=(1, 2), is_group=True), [2, 3]),
    "direct": (ChatFilter(line_ids=(1,), is_group=False), [1, 5]),
    "words in a name": (ChatFilter(line_ids=(1,), q="TRI"), [3]),
    "words that look like a pattern": (ChatFilter(line_ids=(1,), q="0%"), [1]),
    "an underscore is no pattern": (ChatFilter(line_ids=(1,), q="_"), []),
    "a handle": (ChatFilter(line_ids=(1,), q="+9"), [5]),
    "a number as people write it": (ChatFilter(line_ids=(1,), q="+3-(0)"), [3]),
    "a number behind a plus that became a blank": (ChatFilter(line_ids=(1,), q=" 9"), [5]),
    "what stands between handles": (ChatFilter(line_ids=(1,), q='","'), []),
    "nothing but a blank, which a name has": (ChatFilter(line_ids=(1,), q=" "), [1]),
    "unread": (ChatFilter(line_ids=(1,), is_unread=True), [2]),
    "read": (ChatFilter(line_ids=(1,), is_unread=False), [3, 1, 5]),
    "with somebody": (ChatFilter(line_ids=(1,), participants=frozenset({"+1"})), [2, 3, 1]),
    "with somebody whose number begins alike": (
        ChatFilter(line_ids=(1,), participants=frozenset({"+3"})),
        [],
    ),
    "with two": (ChatFilter(line_ids=(1,), participants=frozenset({"+1", "+2"})), [2, 3]),
    "exactly one": (ChatFilter(line_ids=(1,), participants=frozenset({"+1"}), is_exact=True), [1]),
    "exactly two": (ChatFilter(line_ids=(1,), participants=frozenset({"+2", "+1"}), is_exact=True), [2]),
    "exactly two, direct": (
        ChatFilter(line_ids=(1,), participants=frozenset({"+2", "+1"}), is_exact=True, is_group=False),
        [],
    ),
}


@pytest.mark.parametrize(("wanted", "expected"), CASES.values(), ids=CASES.keys())
async def test_chats_are_found(filled: Store, wanted: ChatFilter, expected: list[int]) -> None:
    assert [chat.id for chat in await filled.chats.list(wanted, after=None, limit=9)] == expected


async def test_names_are_searched_as_texts_are(store: Store) -> None:
    """As the rule does: letters of any script in either case, and signs that mean something to a database."""
    table = [*FOUND, *NOT_FOUND, ("%", "a%b"), ("_", "a_b"), ("\\", "a\\b"), ("'", "it's"), ('"', 'a "b"')]
    rows = [
        TRIO._replace(id=number, chat_key=f"{number:x}", identifier="", name=name, participants='["~"]')
        for number, (_, name) in enumerate(table, start=1)
    ]
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    await store.hot.write(lambda tx: tx.merge_chats(rows))
    for query, _ in table:
        wanted = ChatFilter(line_ids=(1,), q=query)
        found = sorted(chat.id for chat in await store.chats.list(wanted, after=None, limit=100))

        assert found == [row.id for row in rows if is_in(needle_of(query), row.name or "")], query
        assert await store.chats.count(wanted) == len(found)


@pytest.mark.parametrize("name", ["two lines", "groups", "with somebody"])
async def test_pages_neither_skip_nor_repeat(filled: Store, name: str) -> None:
    wanted, expected = CASES[name]
    seen: list[int] = []
    after: tuple[int, int] | None = None
    while page := await filled.chats.list(wanted, after=after, limit=1):
        seen += [chat.id for chat in page]
        after = (page[-1].last_message_at or 0, page[-1].id)

    assert seen == expected


async def test_what_came_in_since_reading_is_unread(filled: Store) -> None:
    counts = [(await filled.chats.unread([2, 3]))[2]]
    for at in (3, 7):
        await _read(filled, 2, at=at)
        counts.append((await filled.chats.unread([2]))[2])

    assert counts == [5, 2, 0]
    unread = ChatFilter(line_ids=(1,), is_unread=True)
    assert await filled.chats.list(unread, after=None, limit=9) == []
    await _read(filled, 2, at=7, is_marked=1)
    assert [chat.id for chat in await filled.chats.list(unread, after=None, limit=9)] == [2]


async def test_groups_that_were_left_can_be_left_out(filled: Store) -> None:
    async def leave(tx: HotTransaction) -> None:
        (state,) = await tx.chats.states([3])
        await tx.chats.save_states([state._replace(left_at=40)])

    await filled.hot.write(leave)
    found = {
        (is_left, order): [chat.id for chat in await filled.chats.list(wanted, after=None, limit=9)]
        for is_left in (True, False)
        for order in (ChatOrder.ACTIVITY, ChatOrder.NAME_ASC)
        for wanted in [ChatFilter(line_ids=(1,), is_group=True, is_left=is_left, order=order)]
    }
    with_two = ChatFilter(line_ids=(1,), participants=frozenset({"+1", "+2"}), is_left=False)

    assert found == {
        (True, ChatOrder.ACTIVITY): [3],
        (True, ChatOrder.NAME_ASC): [3],
        (False, ChatOrder.ACTIVITY): [2],
        (False, ChatOrder.NAME_ASC): [2],
    }
    assert await filled.chats.count(ChatFilter(line_ids=(1,), is_group=True, is_left=False)) == 1
    assert [chat.id for chat in await filled.chats.list(with_two, after=None, limit=9)] == [2]


async def test_unread_messages_are_counted_up_to_a_bound(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_UNREAD", 4)

    assert await filled.chats.unread([2]) == {2: 4}


async def test_totals_are_counted_up_to_a_bound(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await filled.chats.totals(2) == ChatTotals(inbound=5, outbound=1, is_capped=False)
    monkeypatch.setattr(counting, "MOST_COUNTED", 3)
    capped = await filled.chats.totals(2)

    assert (capped.inbound + capped.outbound, capped.is_capped) == (4, True)


async def test_the_last_message_of_each_chat_is_given(filled: Store) -> None:
    found = await filled.chats.last_messages([1, 2, 3])

    assert {chat_id: row.guid for chat_id, row in found.items()} == {2: "g6"}
    assert await filled.chats.last_messages([]) == {}


async def test_a_chat_comes_back_with_how_it_stands(filled: Store) -> None:
    state = ChatState(3, "Holiday", '["+1"]', 40, 45, 50, 1, 8, '{"version":1}', 60, '{"team":"a"}', 70)
    await filled.hot.write(lambda tx: tx.chats.save_states([state]))
    chat = await filled.chats.get(3)

    assert chat is not None
    assert (chat.name, chat.participants, chat.own_read_at, chat.is_marked_unread) == (
        "Holiday",
        ("+1",),
        50,
        True,
    )
    assert (chat.icon_file_id, chat.background, chat.left_at) == (8, '{"version":1}', 60)
    assert (chat.assignee, chat.assigned_at) == ('{"team":"a"}', 70)


async def test_a_poll_is_given_with_its_votes(store: Store) -> None:
    poll = PollRow(1, 1, 2, "P", "Lunch?", "[]", None, 1, None, 5, 5)
    votes: Sequence[VoteRow] = [VoteRow(1, "P", "+2", "[]", 7), VoteRow(1, "P", "+1", '["a"]', 6)]
    await store.hot.write(lambda tx: tx.chats.merge_polls([poll]))
    await store.hot.write(lambda tx: tx.chats.merge_votes([*votes, VoteRow(2, "P", "+1", "[]", 1)]))
    tally = await store.chats.poll(1)

    assert tally is not None
    assert (tally.poll, tally.votes) == (poll, (votes[1], votes[0]))
    assert await store.chats.poll(2) is None
