"""Pages of messages: walks along the indexes that end in (sent_at, id).

One index range for each chat, job or line that is asked for; several are merged by the database, which takes from each
only what the page needs. Where rows must be looked into, the place where a page must stop is found in the index first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select, tuple_, union_all

from hub.flow.message_pages import MessageFilter, MessagePage, Place
from hub.flow.rows import Known, MessageRow
from hub.store.repositories.message_filters import conditions
from hub.store.schema import chats, lines, messages

COLUMNS = [messages.c[name] for name in MessageRow._fields]
#: What people see: not what only a receipt has shown, nor what a later attempt has replaced.
IS_VISIBLE = messages.c.is_known.in_((Known.ASKED, Known.SEEN))
#: More ranges than this are ranked first: a page needs at most as many as it has messages.
MOST_RANGES = 64

_at, _id = messages.c.sent_at, messages.c.id
_ENDLESS = (1 << 62, 0)

Condition = ColumnElement[bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Walk:
    """A way along (sent_at, id): from `low`, which belongs to it, to `high`, which does not; or backwards."""

    is_oldest_first: bool
    low: Place = (0, 0)
    high: Place = _ENDLESS

    def after(self, place: Place) -> _Walk:
        """What is left of the way behind a place."""
        if self.is_oldest_first:
            return replace(self, low=max(self.low, (place[0], place[1] + 1)))
        return replace(self, high=min(self.high, place))

    def up_to(self, place: Place) -> _Walk:
        """The way to a place, which still belongs to it."""
        if self.is_oldest_first:
            return replace(self, high=min(self.high, (place[0], place[1] + 1)))
        return replace(self, low=max(self.low, place))

    def before(self, place: Place) -> Place:
        """The place that comes just before another one on the way."""
        return (place[0], place[1] - 1) if self.is_oldest_first else (place[0], place[1] + 1)

    def first(self, places: Sequence[Place]) -> Place | None:
        """Which of some places comes first."""
        return min(places, default=None) if self.is_oldest_first else max(places, default=None)

    @property
    def range(self) -> tuple[Condition, Condition]:
        return tuple_(_at, _id) >= self.low, tuple_(_at, _id) < self.high

    @property
    def order(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        return (_at.asc(), _id.asc()) if self.is_oldest_first else (_at.desc(), _id.desc())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ranges:
    """What is walked along: an index range for each value of a column."""

    column: Any
    values: tuple[int, ...]
    #: The table that has these values as its ids.
    parent: Any

    def keys(self, connection: Connection, walk: _Walk, *more: Condition, until: int) -> Any:
        """Select the places of the way, of all ranges together, in order; nobody asks beyond so many.

        Both databases take from each range only what they need, if each is told in its own way: SQLite merges ranges
        that are not ordered by themselves, PostgreSQL those that are.
        """
        each = [select(_at, _id).where(self.column == value, *walk.range, *more) for value in self.values]
        if len(each) == 1:
            return each[0].order_by(*walk.order)
        if connection.dialect.name == "postgresql":
            each = [one.order_by(*walk.order).limit(until) for one in each]
        merged = union_all(*each)
        by_name = merged.selected_columns
        order = [by_name.sent_at, by_name.id]
        return merged.order_by(*(column.asc() if walk.is_oldest_first else column.desc() for column in order))

    def rows(
        self, connection: Connection, walk: _Walk, found: Sequence[Condition], limit: int
    ) -> list[Row[Any]]:
        """Give the rows at the beginning of the way."""
        if len(self.values) == 1:
            query = select(*COLUMNS).where(self.column == self.values[0], *walk.range, *found)
            return list(connection.execute(query.order_by(*walk.order).limit(limit)))
        keys = self.keys(connection, walk, *found, until=limit)
        places = connection.execute(keys.limit(limit)).all()
        if not places:
            return []
        by_id = select(*COLUMNS).where(_id.in_([place.id for place in places]))
        return list(connection.execute(by_id.order_by(*walk.order)))


def read_page(
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
        walk: After which place, and whether the oldest come first.
        limit: How many at the most.
        most_read: How many rows may be looked into, where that is needed.
    """
    after, is_oldest_first = walk
    way = _way(wanted, after, is_oldest_first)
    if not _ranges(wanted).values:
        return MessagePage(messages=(), after=None)
    ranges, left_out = _ranked(connection, _ranges(wanted), way, limit + 1)
    stops = [] if left_out is None else [way.before(left_out)]
    if wanted.looks_into_rows:
        keys = ranges.keys(connection, way, until=most_read)
        reached = connection.execute(keys.offset(most_read - 1).limit(1)).first()
        stops += [] if reached is None else [(reached.sent_at, reached.id)]
    stop = way.first(stops)
    found = (IS_VISIBLE, *conditions(wanted, connection.dialect.name))
    rows = ranges.rows(connection, way if stop is None else way.up_to(stop), found, limit + 1)
    page = [MessageRow._make(row) for row in rows[:limit]]
    if len(rows) > limit:
        stop = (page[-1].sent_at or 0, page[-1].id)
    return MessagePage(messages=page, after=stop)


def _way(wanted: MessageFilter, after: Place | None, is_oldest_first: bool) -> _Walk:
    way = _Walk(
        is_oldest_first=is_oldest_first,
        low=(wanted.since or 0, 0),
        high=_ENDLESS if wanted.until is None else (wanted.until, 0),
    )
    return way if after is None else way.after(after)


def _ranges(wanted: MessageFilter) -> _Ranges:
    if wanted.chat_ids is not None:
        return _Ranges(column=messages.c.chat_id, values=wanted.chat_ids, parent=chats)
    if wanted.job_id is not None:
        return _Ranges(column=messages.c.job_id, values=(wanted.job_id,), parent=None)
    return _Ranges(column=messages.c.line_id, values=wanted.line_ids, parent=lines)


def _ranked(connection: Connection, ranges: _Ranges, way: _Walk, most: int) -> tuple[_Ranges, Place | None]:
    """Keep the ranges that come first on the way, and tell where those left out begin."""
    if len(ranges.values) <= MOST_RANGES:
        return ranges, None
    begins = connection.execute(_begins(ranges, way)).all()
    places = [((row.sent_at, row.message_id), row.id) for row in begins if row.message_id is not None]
    places.sort(reverse=not way.is_oldest_first)
    kept = tuple(value for _, value in places[:most]) or ranges.values[:1]
    return replace(ranges, values=kept), places[most][0] if len(places) > most else None


def _begins(ranges: _Ranges, way: _Walk) -> Select[Any]:
    """Select where each range begins: one look into the index for each."""
    parent = ranges.parent.c.id

    def first(column: ColumnElement[Any]) -> Any:
        begin = select(column).where(ranges.column == parent, *way.range).order_by(*way.order).limit(1)
        return begin.correlate(ranges.parent).scalar_subquery()

    return select(parent, first(_at).label("sent_at"), first(_id).label("message_id")).where(
        parent.in_(ranges.values)
    )
