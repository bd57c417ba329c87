"""Pages of messages: walks along the indexes that end in (sent_at, id).

One index range for each chat, job or line that is asked for; several are merged by the database, which takes from each
only what the page needs. Where rows must be looked into, the place where a page must stop is found in the index first.
Statements are kept by their shape: to put one together takes longer than to run it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)

from hub.flow.message_pages import MessageFilter, MessagePage, Place
from hub.flow.rows import Known, MessageRow
from hub.store.lookups import among, one_value
from hub.store.repositories.message_filters import conditions
from hub.store.schema import chats, lines, messages

COLUMNS = [messages.c[name] for name in MessageRow._fields]


def is_visible(name: str) -> ColumnElement[bool]:
    """Tell what people see: not what only a receipt has shown, nor what a later attempt has replaced.

    Args:
        name: `messages`, or an alias of it.
    """
    return literal_column(f"{name}.is_known IN ({Known.ASKED:d}, {Known.SEEN:d})")


IS_VISIBLE: ColumnElement[bool] = is_visible("messages")
#: More ranges than this are ranked first: a page needs at most as many as it has messages.
MOST_RANGES = 64
#: Index entries that a page by offset walks along at a time, until it is full.
_MOST_SKIPPED = 100_000

Condition = ColumnElement[bool]

_at, _id = messages.c.sent_at, messages.c.id
_ENDLESS = (1 << 62, 0)


def _whole(name: str) -> Any:
    return bindparam(name, type_=BigInteger)


#: The way, as values to be filled in.
_IN_RANGE = (
    tuple_(_at, _id) >= tuple_(_whole("low_at"), _whole("low_id")),
    tuple_(_at, _id) < tuple_(_whole("high_at"), _whole("high_id")),
)
_MOST = bindparam("most", type_=Integer)
_BY_IDS = select(*COLUMNS).where(_id.in_(bindparam("ids", expanding=True)))


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

    def nearest(self, places: Sequence[Place]) -> Place | None:
        """Which of some places comes first on the way."""
        return min(places, default=None) if self.is_oldest_first else max(places, default=None)

    @property
    def values(self) -> dict[str, int]:
        """Fill in `_IN_RANGE`."""
        (low_at, low_id), (high_at, high_id) = self.low, self.high
        return {"low_at": low_at, "low_id": low_id, "high_at": high_at, "high_id": high_id}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ranges:
    """What is walked along: an index range for each value of a column."""

    #: `chat_id`, `job_id` or `line_id`.
    column: str
    values: tuple[int, ...]

    def first(
        self, connection: Connection, walk: _Walk, found: Sequence[Condition], most: int
    ) -> list[Row[Any]]:
        """Give the rows at the beginning of the way that are visible, and found by what looks into them."""
        if len(self.values) > 1:
            return self._merged(connection, walk, found, most)
        query = _rows_in_order(self.column, walk.is_oldest_first)
        query = query.where(*found) if found else query
        return list(connection.execute(query, self.filled(walk, most)))

    def _merged(
        self, connection: Connection, walk: _Walk, found: Sequence[Condition], most: int
    ) -> list[Row[Any]]:
        shape = (self.column, len(self.values), walk.is_oldest_first, connection.dialect.name)
        query = _keys(*shape, more=(IS_VISIBLE, *found)) if found else _visible_keys(*shape)
        keys = connection.execute(query, self.filled(walk, most)).all()
        if not keys:
            return []
        rows = {row.id: row for row in connection.execute(_BY_IDS, {"ids": [key.id for key in keys]})}
        return [rows[key.id] for key in keys]

    def place(self, connection: Connection, walk: _Walk, number: int) -> Place | None:
        """Give the place of the so-many-th entry on the way, whatever it holds; None if the way is shorter."""
        query = _last_key(self.column, len(self.values), walk.is_oldest_first, connection.dialect.name)
        reached = connection.execute(query, {**self.filled(walk, number), "skipped": number - 1}).first()
        return None if reached is None else (reached.sent_at, reached.id)

    def filled(self, walk: _Walk, most: int) -> dict[str, int]:
        """Fill in what the statements leave open."""
        values = {f"value_{index}": value for index, value in enumerate(self.values)}
        return {**walk.values, **values, "most": most}


def _order(is_oldest_first: bool, *columns: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    return [column.asc() if is_oldest_first else column.desc() for column in columns]


@cache
def _rows_in_order(column: str, is_oldest_first: bool) -> Select[Any]:
    """Select the visible rows of one range."""
    rows = select(*COLUMNS).where(messages.c[column] == _whole("value_0"), *_IN_RANGE, IS_VISIBLE)
    return rows.order_by(*_order(is_oldest_first, _at, _id)).limit(_MOST)


def _keys(
    column: str, count: int, is_oldest_first: bool, dialect: str, *, more: tuple[Condition, ...] = ()
) -> Any:
    """Select the places of several ranges together, in order.

    Both databases take from each range only what they need, if each is told in its own way: SQLite merges ranges that
    are not ordered by themselves, PostgreSQL those that are, and that end where nobody asks further.
    """
    each = [
        select(_at, _id).where(messages.c[column] == _whole(f"value_{index}"), *_IN_RANGE, *more)
        for index in range(count)
    ]
    if count == 1:
        return each[0].order_by(*_order(is_oldest_first, _at, _id)).limit(_MOST)
    if dialect == "postgresql":
        each = [one.order_by(*_order(is_oldest_first, _at, _id)).limit(_MOST) for one in each]
    merged = union_all(*each)
    columns = merged.selected_columns
    return merged.order_by(*_order(is_oldest_first, columns.sent_at, columns.id)).limit(_MOST)


@cache
def _visible_keys(column: str, count: int, is_oldest_first: bool, dialect: str) -> Any:
    return _keys(column, count, is_oldest_first, dialect, more=(IS_VISIBLE,))


@cache
def _last_key(column: str, count: int, is_oldest_first: bool, dialect: str) -> Any:
    """Select the last of `most` places, known how many are `skipped` before it."""
    return _keys(column, count, is_oldest_first, dialect).offset(_whole("skipped")).limit(1)


def plain_page(
    wanted: MessageFilter, *, walk: tuple[Place | None, bool], limit: int
) -> tuple[Select[Any], dict[str, int]] | None:
    """Give the one statement, with its values, that answers most questions; None where it takes more than one.

    Args:
        wanted: Which messages.
        walk: As `read_page`.
        limit: How many rows at the most; one more than a page has tells whether there is another.
    """
    ranges = _ranges(wanted)
    if wanted.looks_into_rows or len(ranges.values) != 1:
        return None
    after, is_oldest_first = walk
    values = ranges.filled(_way(wanted, after, is_oldest_first), limit)
    return _rows_in_order(ranges.column, is_oldest_first), values


def merged_keys(
    wanted: MessageFilter, dialect: str, *, walk: tuple[Place | None, bool], limit: int
) -> tuple[Select[Any], dict[str, int]] | None:
    """Give the statement, with its values, for the places of a page of several ranges; None where it takes more."""
    ranges = _ranges(wanted)
    if wanted.looks_into_rows or not 1 < len(ranges.values) <= MOST_RANGES:
        return None
    after, is_oldest_first = walk
    values = ranges.filled(_way(wanted, after, is_oldest_first), limit)
    return _visible_keys(ranges.column, len(ranges.values), is_oldest_first, dialect), values


def page_of(rows: Sequence[Sequence[Any]], limit: int, stop: Place | None = None) -> MessagePage:
    """Make the page of what was found.

    Args:
        rows: One more than the page may have tells that there are more.
        limit: How many it may have.
        stop: How far was looked, if not to the end.
    """
    page = [MessageRow._make(row) for row in rows[:limit]]
    if len(rows) > limit:
        stop = (page[-1].sent_at or 0, page[-1].id)
    return MessagePage(messages=page, after=stop)


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
    ranges = _ranges(wanted)
    if not ranges.values:
        return MessagePage(messages=(), after=None)
    ranges, left_out = _ranked(connection, ranges, way, limit + 1)
    stops = [] if left_out is None else [way.before(left_out)]
    if wanted.looks_into_rows:
        reached = ranges.place(connection, way, most_read)
        stops += [] if reached is None else [reached]
    stop = way.nearest(stops)
    found = conditions(wanted, connection.dialect.name)
    rows = ranges.first(connection, way if stop is None else way.up_to(stop), found, limit + 1)
    return page_of(rows, limit, stop)


def read_page_at(
    connection: Connection, wanted: MessageFilter, *, offset: int, limit: int, is_oldest_first: bool
) -> MessagePage:
    """Read the page after so many messages: their last one's place is found in the index, and gone on from.

    Args:
        connection: Within a snapshot.
        wanted: Which messages.
        offset: How many come before.
        limit: How many the page has, unless it is the last.
        is_oldest_first: The order.
    """
    after = None
    if offset and (after := _last_of(connection, wanted, offset, is_oldest_first)) is None:
        return MessagePage(messages=(), after=None)
    rows: list[MessageRow] = []
    while True:
        missing = limit + 1 - len(rows)
        walk = (after, is_oldest_first)
        page = read_page(connection, wanted, walk=walk, limit=missing, most_read=_MOST_SKIPPED)
        rows += page.messages
        after = page.after
        if after is None or len(rows) > limit:
            return page_of(rows, limit)


def _last_of(
    connection: Connection, wanted: MessageFilter, number: int, is_oldest_first: bool
) -> Place | None:
    """Give the place of the so-many-th message; None when there are fewer."""
    ranges = _ranges(wanted)
    if not ranges.values:
        return None
    more = (IS_VISIBLE, *conditions(wanted, connection.dialect.name))
    if len(ranges.values) <= MOST_RANGES:
        keys = _keys(ranges.column, len(ranges.values), is_oldest_first, connection.dialect.name, more=more)
    else:
        keys = select(_at, _id).where(among(messages.c[ranges.column], "owners"), *_IN_RANGE, *more)
        keys = keys.order_by(*_order(is_oldest_first, _at, _id))
    values = {**ranges.filled(_way(wanted, None, is_oldest_first), number), "skipped": number - 1}
    place = connection.execute(
        keys.offset(_whole("skipped")).limit(1), {**values, "owners": one_value(ranges.values, connection)}
    ).first()
    return None if place is None else (place.sent_at, place.id)


def count_all(connection: Connection, wanted: MessageFilter) -> int:
    """Count the messages on all pages: the same ranges and conditions, in one statement."""
    ranges = _ranges(wanted)
    found = conditions(wanted, connection.dialect.name)
    # The way from end to end, told by its instants alone: to compare pairs costs half as much again.
    in_time = [_at >= (wanted.since or 0), *([] if wanted.until is None else [_at < wanted.until])]
    query = select(func.count()).select_from(messages)
    query = query.where(among(messages.c[ranges.column], "owners"), *in_time, IS_VISIBLE, *found)
    return connection.execute(query, {"owners": one_value(ranges.values, connection)}).scalar_one()


def _way(wanted: MessageFilter, after: Place | None, is_oldest_first: bool) -> _Walk:
    way = _Walk(
        is_oldest_first=is_oldest_first,
        low=(wanted.since or 0, 0),
        high=_ENDLESS if wanted.until is None else (wanted.until, 0),
    )
    return way if after is None else way.after(after)


def _ranges(wanted: MessageFilter) -> _Ranges:
    if wanted.chat_ids is not None:
        return _Ranges(column="chat_id", values=wanted.chat_ids)
    if wanted.job_id is not None:
        return _Ranges(column="job_id", values=(wanted.job_id,))
    return _Ranges(column="line_id", values=wanted.line_ids)


def _ranked(connection: Connection, ranges: _Ranges, way: _Walk, most: int) -> tuple[_Ranges, Place | None]:
    """Keep the ranges that come first on the way, and tell where those left out begin."""
    if len(ranges.values) <= MOST_RANGES:
        return ranges, None
    query = _begins(ranges.column, way.is_oldest_first)
    begins = connection.execute(query, {**way.values, "owners": ranges.values}).all()
    places = [((row.sent_at, row.message_id), row.id) for row in begins if row.message_id is not None]
    places.sort(reverse=not way.is_oldest_first)
    kept = tuple(value for _, value in places[:most]) or ranges.values[:1]
    return replace(ranges, values=kept), places[most][0] if len(places) > most else None


@cache
def _begins(column: str, is_oldest_first: bool) -> Select[Any]:
    """Select where the range of each chat or line begins: one look into the index for each."""
    owner = (chats if column == "chat_id" else lines).c.id

    def first(wanted: ColumnElement[Any]) -> Any:
        begin = select(wanted).where(messages.c[column] == owner, *_IN_RANGE)
        return (
            begin.order_by(*_order(is_oldest_first, _at, _id))
            .limit(1)
            .correlate(owner.table)
            .scalar_subquery()
        )

    begins = select(owner, first(_at).label("sent_at"), first(_id).label("message_id"))
    return begins.where(owner.in_(bindparam("owners", expanding=True)))
