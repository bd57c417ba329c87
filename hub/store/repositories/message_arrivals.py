"""Pages of messages in the order in which the hub stored them: walks along their ids, which tell when that was.

What was written long ago and came in late stands where it came in: those who ask for what is new find it. A page looks
into a bounded number of ids, whosever they are, and drops what is not wanted.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)

from hub.flow.message_pages import MessageFilter, MessagePage, Place
from hub.flow.rows import MessageRow
from hub.model.ids import first_id_at
from hub.store.lookups import among, one_value
from hub.store.repositories.message_filters import conditions
from hub.store.repositories.message_pages import COLUMNS, IS_VISIBLE
from hub.store.schema import messages

_id, _at = messages.c.id, messages.c.sent_at
_END = (1 << 63) - 1


def read_arrivals(
    connection: Connection,
    wanted: MessageFilter,
    *,
    walk: tuple[Place | None, bool],
    limit: int,
    most_read: int,
) -> MessagePage:
    """Read one page.

    Args:
        connection: Within a snapshot.
        wanted: Which messages.
        walk: After which place, and whether the earliest come first.
        limit: How many at the most.
        most_read: How many ids may be looked at.
    """
    after, is_earliest_first = walk
    low = 0 if wanted.synced_since is None else first_id_at(wanted.synced_since)
    high = _END if wanted.synced_before is None else first_id_at(wanted.synced_before)
    if after is not None and is_earliest_first:
        low = max(low, after[1] + 1)
    elif after is not None:
        high = min(high, after[1])
    values = {
        "low": low,
        "high": high,
        "most": most_read,
        "owners": one_value(wanted.line_ids, connection),
        "chats": one_value(wanted.chat_ids or (), connection),
    }
    count, last = connection.execute(_reached(is_earliest_first), values).one()
    rows = connection.execute(_page(wanted, is_earliest_first, connection).limit(limit + 1), values).all()
    page = [MessageRow._make(row) for row in rows[:limit]]
    if len(rows) > limit:
        last = page[-1].id
    elif count < most_read:
        return MessagePage(messages=page, after=None)
    return MessagePage(messages=page, after=(0, last))


@cache
def _walked(is_earliest_first: bool) -> Any:
    """Select the ids that a page looks at."""
    low, high = bindparam("low", type_=BigInteger), bindparam("high", type_=BigInteger)
    ids = select(_id).where(_id >= low, _id < high)
    order = _id.asc() if is_earliest_first else _id.desc()
    return ids.order_by(order).limit(bindparam("most", type_=Integer)).subquery("walked")


@cache
def _reached(is_earliest_first: bool) -> Select[Any]:
    """Select how many ids the page looks at, and the last of them."""
    walked = _walked(is_earliest_first).c.id
    return select(func.count(), func.max(walked) if is_earliest_first else func.min(walked))


def _page(wanted: MessageFilter, is_earliest_first: bool, connection: Connection) -> Select[Any]:
    walked = _walked(is_earliest_first)
    query = select(*COLUMNS).select_from(walked.join(messages, _id == walked.c.id))
    query = query.where(among(_unindexed("line_id"), "owners"), IS_VISIBLE)
    if wanted.chat_ids is not None:
        query = query.where(among(_unindexed("chat_id"), "chats"))
    if wanted.job_id is not None:
        query = query.where(_unindexed("job_id") == wanted.job_id)
    if wanted.since is not None:
        query = query.where(_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_at < wanted.until)
    query = query.where(*conditions(replace(wanted, job_id=None), connection.dialect.name))
    return query.order_by(walked.c.id.asc() if is_earliest_first else walked.c.id.desc())


def _unindexed(name: str) -> ColumnElement[int]:
    """Give a column so that no index of it is walked: a young PostgreSQL would read a chat's whole history by it."""
    column: ColumnElement[int] = messages.c[name] + literal_column("0")
    return column
