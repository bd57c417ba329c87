"""Messages in the order in which the hub stored them, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.flow.message_pages import MessageFilter
from hub.flow.repositories import Store
from hub.flow.rows import Known, MessageRow
from hub.model.ids import EPOCH_MS, first_id_at
from tests.store.specimens import MESSAGE
from tests.store.test_message_pages import keep, walk

PLAIN = MessageRow(*MESSAGE)
AT = EPOCH_MS + 1_000_000
COUNT = 60
LINES = (1, 2, 3)


def some_messages() -> list[MessageRow]:
    """One each millisecond from AT on; every third was written long before, some are not to be seen."""
    return [
        PLAIN._replace(
            id=first_id_at(AT + number) + number,
            guid=f"g{number}",
            line_id=1 + number % 3,
            chat_id=10 + number % 5,
            is_from_me=number % 2,
            is_known=Known.UNSEEN if number % 10 == 9 else Known.SEEN,
            sent_at=number if number % 3 == 0 else AT + number,
            synced_at=AT + number,
            job_id=7 if number % 4 == 1 else None,
            text="late" if number % 3 == 0 else "new",
        )
        for number in range(COUNT)
    ]


QUESTIONS: dict[str, tuple[MessageFilter, Callable[[MessageRow], bool]]] = {
    "all": (MessageFilter(line_ids=LINES, synced_since=0), lambda row: True),
    "since": (MessageFilter(line_ids=LINES, synced_since=AT + 30), lambda row: row.synced_at >= AT + 30),
    "before": (MessageFilter(line_ids=LINES, synced_before=AT + 30), lambda row: row.synced_at < AT + 30),
    "between": (
        MessageFilter(line_ids=LINES, synced_since=AT + 10, synced_before=AT + 30),
        lambda row: AT + 10 <= row.synced_at < AT + 30,
    ),
    "one line": (MessageFilter(line_ids=(2,), synced_since=AT), lambda row: row.line_id == 2),
    "no line": (MessageFilter(line_ids=(), synced_since=AT), lambda row: False),
    "chats": (
        MessageFilter(line_ids=LINES, chat_ids=(11, 13), synced_since=AT),
        lambda row: row.chat_id in {11, 13},
    ),
    "no chat": (MessageFilter(line_ids=LINES, chat_ids=(), synced_since=AT), lambda row: False),
    "what came in": (
        MessageFilter(line_ids=LINES, is_from_me=False, synced_since=AT + 20),
        lambda row: row.synced_at >= AT + 20 and not row.is_from_me,
    ),
    "written lately, too": (
        MessageFilter(line_ids=LINES, since=AT, until=AT + 40, synced_since=AT),
        lambda row: AT <= (row.sent_at or 0) < AT + 40,
    ),
    "a job": (
        MessageFilter(line_ids=LINES, job_id=7, synced_since=AT + 20),
        lambda row: row.job_id == 7 and row.synced_at >= AT + 20,
    ),
    "words": (MessageFilter(line_ids=LINES, words="LATE", synced_since=AT), lambda row: row.text == "late"),
    "a time that is still to come": (MessageFilter(line_ids=LINES, synced_since=AT + 99), lambda row: False),
    "the end of time": (MessageFilter(line_ids=LINES, synced_since=32_503_680_000_000), lambda row: False),
    "before the end of time": (
        MessageFilter(line_ids=LINES, synced_before=32_503_680_000_000),
        lambda row: True,
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("most_read", [5, 1000])
async def test_each_question_finds_what_fits_in_the_order_of_storing(
    store: Store, question: str, most_read: int
) -> None:
    """From either end, each message once, however small the pages are and however little one looks into."""
    rows = some_messages()
    await keep(store, rows)
    wanted, fits = QUESTIONS[question]
    expected = [row.id for row in rows if row.is_known == Known.SEEN and fits(row)]

    assert await walk(store, wanted, is_oldest_first=True, most_read=most_read) == expected
    assert await walk(store, wanted, most_read=most_read) == expected[::-1]


async def test_a_page_that_ends_with_the_last_says_so(store: Store) -> None:
    await keep(store, some_messages()[:4])
    wanted = MessageFilter(line_ids=LINES, synced_since=0)
    exact = await store.messages.page(wanted, after=None, limit=4)
    short = await store.messages.page(wanted, after=None, limit=3)
    rest = await store.messages.page(wanted, after=short.after, limit=3)

    assert (len(exact.messages), exact.after) == (4, None)
    assert (len(short.messages), short.after) == (3, (0, short.messages[-1].id))
    assert (len(rest.messages), rest.after) == (1, None)
