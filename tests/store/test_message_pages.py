"""Pages of messages, on both databases, held against a plain list that is filtered by the rules themselves."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hub.flow.message_pages import MessageFilter, Place
from hub.flow.payloads import status_of
from hub.flow.repositories import Store
from hub.flow.rows import Known, MessageRow
from hub.rules.message_status import MessageStatus
from hub.rules.textsearch import is_in, needle_of
from hub.store.repositories.message_pages import MOST_RANGES
from tests.rules.test_textsearch import FOUND, NOT_FOUND
from tests.store.specimens import BRIDGE, LINE, MESSAGE

LINES = (1, 2, 3)
PLAIN = MessageRow(*MESSAGE)
_ATTACHED = '[{"type":"text","text":"see"},{"type":"attachment","ref":"r"}]'
_NOT_ATTACHED = '[{"type":"text","text":"\\"type\\":\\"attachment\\""},{"type":"link","url":"u"}]'


def some_messages(count: int = 90) -> list[MessageRow]:
    """Messages of three lines in five chats, many of the same millisecond."""
    chance = random.Random(3)
    rows = []

    def moment() -> int | None:
        return chance.choice([None, 7])

    for number in range(1, count + 1):
        line_id = chance.choice(LINES)
        rows.append(
            PLAIN._replace(
                id=number,
                line_id=line_id,
                chat_id=line_id * 10 + chance.randrange(2),
                guid=f"g{number}",
                sent_at=chance.randrange(20, 40),
                is_known=chance.choice(list(Known)),
                is_from_me=chance.randrange(2),
                text=chance.choice(["Über alles", "überall", "ÜBRIGENS 100%", "hello", None]),
                parts=chance.choice([None, _ATTACHED, _NOT_ATTACHED]),
                service=chance.choice(["imessage", "sms", None]),
                queued_at=moment(),
                accepted_at=moment(),
                failed_at=moment(),
                delivered_at=moment(),
                job_id=chance.choice([None, 5, 6]),
            )
        )
    return rows


async def keep(store: Store, rows: Sequence[MessageRow]) -> None:
    await store.hot.write(lambda tx: tx.merge_own_messages(rows))


async def keep_lines(store: Store, count: int) -> None:
    await store.bridges.add(BRIDGE)
    for number in range(1, count + 1):
        await store.lines.add(replace(LINE, id=number, handle=f"+1555{number:07d}"))


async def walk(
    store: Store, wanted: MessageFilter, *, limit: int = 4, is_oldest_first: bool = False, most_read: int = 7
) -> list[int]:
    """Read page after page to the end; give the ids."""
    seen: list[int] = []
    after: Place | None = None
    for _ in range(200):
        page = await store.messages.page(
            wanted, after=after, limit=limit, is_oldest_first=is_oldest_first, most_read=most_read
        )
        assert len(page.messages) <= limit
        seen += [message.id for message in page.messages]
        after = page.after
        if after is None:
            return seen
    raise AssertionError("the walk does not end")


def expected(rows: Sequence[MessageRow], fits: Callable[[MessageRow], bool]) -> list[int]:
    """The ids, oldest first."""
    visible = [row for row in rows if row.is_known in {Known.ASKED, Known.SEEN} and fits(row)]
    return [row.id for row in sorted(visible, key=lambda row: (row.sent_at or 0, row.id))]


QUESTIONS: dict[str, tuple[MessageFilter, Callable[[MessageRow], bool]]] = {
    "all lines": (MessageFilter(line_ids=LINES), lambda row: True),
    "one line": (MessageFilter(line_ids=(2,)), lambda row: row.line_id == 2),
    "no line": (MessageFilter(line_ids=()), lambda row: False),
    "one chat": (MessageFilter(line_ids=(1,), chat_ids=(10,)), lambda row: row.chat_id == 10),
    "two chats": (MessageFilter(line_ids=LINES, chat_ids=(10, 21)), lambda row: row.chat_id in {10, 21}),
    "a time": (
        MessageFilter(line_ids=LINES, since=25, until=31),
        lambda row: 25 <= (row.sent_at or 0) < 31,
    ),
    "a time without an end": (
        MessageFilter(line_ids=(1,), since=35),
        lambda row: row.line_id == 1 and (row.sent_at or 0) >= 35,
    ),
    "outbound": (MessageFilter(line_ids=LINES, is_from_me=True), lambda row: row.is_from_me == 1),
    "inbound": (MessageFilter(line_ids=(3,), is_from_me=False), lambda row: row.line_id == 3 and not row.is_from_me),
    "a service": (MessageFilter(line_ids=LINES, service="sms"), lambda row: row.service == "sms"),
    "attachments": (MessageFilter(line_ids=LINES, has_attachments=True), lambda row: row.parts == _ATTACHED),
    "no attachments": (MessageFilter(line_ids=LINES, has_attachments=False), lambda row: row.parts != _ATTACHED),
    "words": (MessageFilter(line_ids=LINES, words="ÜBER"), lambda row: "über" in (row.text or "").lower()),
    "a job": (MessageFilter(line_ids=LINES, job_id=5), lambda row: row.job_id == 5),
    "a job on some lines": (MessageFilter(line_ids=(1, 2), job_id=5), lambda row: row.job_id == 5 and row.line_id < 3),
    "a job in a chat": (
        MessageFilter(line_ids=LINES, chat_ids=(20,), job_id=6),
        lambda row: row.job_id == 6 and row.chat_id == 20,
    ),
    "much at once": (
        MessageFilter(line_ids=LINES, is_from_me=True, since=22, words="e", status=MessageStatus.QUEUED),
        lambda row: row.is_from_me == 1
        and (row.sent_at or 0) >= 22
        and "e" in (row.text or "").lower()
        and status_of(row) is MessageStatus.QUEUED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
async def test_each_question_finds_what_fits_in_order(store: Store, question: str) -> None:
    """Each message once, whichever end comes first, however small the pages are."""
    rows = some_messages()
    await keep(store, rows)
    wanted, fits = QUESTIONS[question]
    oldest = expected(rows, fits)

    assert await walk(store, wanted, is_oldest_first=True) == oldest
    assert await walk(store, wanted) == oldest[::-1]
    assert await walk(store, wanted, limit=100, most_read=1000) == oldest[::-1]


COUNTABLE = [name for name, (wanted, _) in QUESTIONS.items() if wanted.is_countable]


@pytest.mark.parametrize("question", COUNTABLE)
async def test_what_is_countable_is_counted_and_skipped(store: Store, question: str) -> None:
    """By any offset, from either end, the page is that piece of the whole, and says whether there is more."""
    rows = some_messages()
    await keep(store, rows)
    wanted, fits = QUESTIONS[question]
    oldest = expected(rows, fits)

    assert await store.messages.count(wanted) == len(oldest)
    for is_oldest_first, whole in ((True, oldest), (False, oldest[::-1])):
        for offset in {0, 1, 3, max(len(whole) - 1, 0), len(whole), len(whole) + 5}:
            page = await store.messages.page_at(
                wanted, offset=offset, limit=4, is_oldest_first=is_oldest_first
            )
            assert [message.id for message in page.messages] == whole[offset : offset + 4]
            assert (page.after is not None) == (len(whole) > offset + 4)


async def test_of_more_lines_than_are_merged_pages_by_offset_are_whole(store: Store) -> None:
    """Though each line has one message that is looked for, behind others."""
    count = MOST_RANGES + 9
    await keep_lines(store, count)
    rows = [
        PLAIN._replace(
            id=2 * n + own, line_id=n, chat_id=n, guid=f"g{n}-{own}", sent_at=n + own, is_from_me=own
        )
        for n in range(1, count + 1)
        for own in (0, 1)
    ]
    await keep(store, rows)
    wanted = MessageFilter(line_ids=tuple(range(1, count + 1)), is_from_me=False)
    page = await store.messages.page_at(wanted, offset=2, limit=count)

    assert await store.messages.count(wanted) == count
    assert [message.id for message in page.messages] == [2 * n for n in range(count - 2, 0, -1)]


async def test_a_status_is_found_by_its_rule(store: Store) -> None:
    """Every combination of marks."""
    marks = ("queued_at", "accepted_at", "cancelled_at", "failed_at", "delivered_at", "read_at", "unsent_at")
    combinations = itertools.product((0, 1), itertools.product((None, 9), repeat=len(marks)))
    rows = []
    for number, (own, values) in enumerate(combinations, start=1):
        dates: dict[str, Any] = dict(zip(marks, values, strict=True))
        rows.append(PLAIN._replace(id=number, guid=f"g{number}", is_from_me=own, **dates))
    await keep(store, rows)
    for status in MessageStatus:
        wanted = MessageFilter(line_ids=(1,), status=status)
        found = await walk(store, wanted, limit=100, is_oldest_first=True, most_read=1000)

        assert found == [row.id for row in rows if status_of(row) is status]


async def test_both_databases_find_the_same_words(store: Store) -> None:
    """As the rule does: letters of any script, and signs that mean something to a database."""
    table = [
        *FOUND,
        *NOT_FOUND,
        ("%", "100"),
        ("_", "a"),
        ("/", "a/b"),
        ("\\", "a\\b"),
        ("'", "it's"),
        ("\N{LATIN SMALL LETTER DOTLESS I}", "I"),
    ]
    rows = [PLAIN._replace(id=n, guid=f"g{n}", text=text) for n, (_, text) in enumerate(table, start=1)]
    await keep(store, rows)
    for query, _ in table:
        wanted = MessageFilter(line_ids=(1,), words=query)
        found = await walk(store, wanted, limit=100, is_oldest_first=True, most_read=1000)

        assert found == [row.id for row in rows if is_in(needle_of(query), row.text or "")], query


async def test_a_rare_thing_is_looked_for_step_by_step(store: Store) -> None:
    """Each page looks into so many rows, tells where to go on, and the last one says that it is the last."""
    rows = [PLAIN._replace(id=n, guid=f"g{n}", sent_at=n, text="hay") for n in range(1, 21)]
    await keep(store, [row._replace(text="needle") if row.id == 3 else row for row in rows])
    wanted = MessageFilter(line_ids=(1,), words="NEEDLE")
    pages: list[tuple[list[int], Place | None]] = []
    after: Place | None = None
    while not pages or after is not None:
        page = await store.messages.page(wanted, after=after, limit=5, most_read=6)
        pages.append(([message.id for message in page.messages], page.after))
        after = page.after

    assert pages == [([], (15, 15)), ([], (9, 9)), ([3], (3, 3)), ([], None)]


async def test_pages_stay_stable_while_messages_arrive(store: Store) -> None:
    """What was there at the beginning is seen once, whatever is added before and behind."""
    rows = [PLAIN._replace(id=n, guid=f"g{n}", sent_at=100 + n // 3) for n in range(1, 31)]
    await keep(store, rows)
    seen: list[int] = []
    after: Place | None = None
    for turn in range(50):
        page = await store.messages.page(MessageFilter(line_ids=(1,)), after=after, limit=4)
        seen += [message.id for message in page.messages]
        fresh = [
            PLAIN._replace(id=1000 + 2 * turn + n, guid=f"n{turn}-{n}", sent_at=at)
            for n, at in ((0, 500), (1, 1))
        ]
        await keep(store, fresh)
        after = page.after
        if after is None or len(seen) > 60:
            break

    assert [message_id for message_id in seen if message_id < 1000] == [row.id for row in rows][::-1]
    assert len(set(seen)) == len(seen)


@pytest.mark.slow
@pytest.mark.parametrize("is_oldest_first", [True, False], ids=["oldest", "newest"])
async def test_many_lines_are_walked_as_one(store: Store, is_oldest_first: bool) -> None:
    """More than are merged at a time, with messages of the same millisecond on all of them."""
    count = MOST_RANGES + 40
    await keep_lines(store, count)
    rows = [
        PLAIN._replace(id=turn * count + number, guid=f"g{turn}", line_id=number, sent_at=10 + turn // 2)
        for turn in range(3)
        for number in range(1, count + 1)
        if number % 7
    ]
    await keep(store, rows)
    lines = tuple(range(1, count + 1))
    oldest = expected(rows, lambda row: True)
    wanted = oldest if is_oldest_first else oldest[::-1]

    assert (
        await walk(store, MessageFilter(line_ids=lines), limit=30, is_oldest_first=is_oldest_first) == wanted
    )
    searched = MessageFilter(line_ids=lines, words="hello")
    found = await walk(store, searched, limit=60, is_oldest_first=is_oldest_first, most_read=50)
    assert found == wanted
