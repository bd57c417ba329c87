"""Recorded events; the hot path writes them.

Reading by position walks the one index that holds all that can be asked for, and fetches only what fits. Windows
bound the walk: a small one first, because most of what is asked for is not rare.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select

from hub.flow.event_store import Event, EventFilter, EventPage
from hub.store.database import Database
from hub.store.schema import events

#: Entries of the index that one read looks at, in turn; some milliseconds of work at the most.
WINDOWS: Final = (500, 50_000)

_COLUMNS = [events.c[name] for name in Event.__dataclass_fields__]
_position = events.c.position


class SqlEvents:
    """hub.flow.repositories.Events."""

    def __init__(self, database: Database, *, windows: Sequence[int] = WINDOWS) -> None:
        self._database = database
        self._windows = windows

    async def get(self, event_id: int) -> Event | None:
        found = await self.page(first_id=event_id, last_id=event_id, limit=1)
        return found[0] if found else None

    async def some(self, event_ids: Collection[int]) -> dict[int, Event]:
        query = select(*_COLUMNS).where(events.c.id.in_(sorted(event_ids)))
        return {event.id: event for event in await self._events(query)}

    async def page(self, *, first_id: int, last_id: int, limit: int) -> list[Event]:
        query = (
            select(*_COLUMNS).where(events.c.id.between(first_id, last_id)).order_by(events.c.id).limit(limit)
        )
        return await self._events(query)

    async def newest(self, *, limit: int) -> list[Event]:
        return await self._events(select(*_COLUMNS).order_by(_position.desc()).limit(limit))

    async def newest_position(self) -> int:
        query = select(func.max(_position))
        return await self._database.read(lambda connection: connection.execute(query).scalar() or 0)

    async def read_on(self, wanted: EventFilter, *, after: int, limit: int) -> EventPage:
        way = _Way(is_up=True, far_end=wanted.last_position)
        start = max(after, wanted.first_position - 1)
        return await self._database.read(lambda connection: self._read(connection, way, wanted, start, limit))

    async def read_back(self, wanted: EventFilter, *, before: int, limit: int) -> EventPage:
        way = _Way(is_up=False, far_end=wanted.first_position)
        start = min(before, wanted.last_position + 1)
        return await self._database.read(lambda connection: self._read(connection, way, wanted, start, limit))

    def _read(
        self, connection: Connection, way: _Way, wanted: EventFilter, start: int, limit: int
    ) -> EventPage:
        found: list[Event] = []
        for size in self._windows:
            end = connection.execute(way.end_of_window(start, size)).scalar()
            fitting = way.between(select(_position).where(*_fits(wanted)), start, end)
            positions = [*connection.scalars(fitting.limit(limit - len(found)))]
            found += _at(connection, positions)
            if len(found) == limit:
                return EventPage(events=found, position=found[-1].position, is_end=False)
            if end is None:
                last = connection.execute(way.last_beyond(start)).scalar()
                return EventPage(events=found, position=start if last is None else last, is_end=True)
            start = end
        return EventPage(events=found, position=start, is_end=False)

    async def _events(self, query: Select[Any]) -> list[Event]:
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Event(**row._mapping) for row in rows]


class _Way(NamedTuple):
    """A direction of reading, and where it must end."""

    is_up: bool
    #: The last position that may be read.
    far_end: int

    def between(self, query: Select[Any], start: int, end: int | None) -> Select[Any]:
        """What lies beyond `start`, up to `end` (included; None for all there is), nearest first."""
        end = self.far_end if end is None else end
        if self.is_up:
            return query.where(_position > start, _position <= end).order_by(_position)
        return query.where(_position < start, _position >= end).order_by(_position.desc())

    def end_of_window(self, start: int, size: int) -> Select[Any]:
        """The position at which a window of `size` entries ends; nothing if there are fewer."""
        return self.between(select(_position), start, None).offset(size - 1).limit(1)

    def last_beyond(self, start: int) -> Select[Any]:
        """The very last position beyond `start`."""
        furthest = func.max(_position) if self.is_up else func.min(_position)
        return self.between(select(furthest), start, None).order_by(None)


def _at(connection: Connection, positions: list[int]) -> list[Event]:
    """The events at these positions, in this order."""
    if not positions:
        return []
    rows = connection.execute(select(*_COLUMNS).where(_position.in_(positions)))
    by_position = {row.position: Event(**row._mapping) for row in rows}
    return [by_position[position] for position in positions]


def _fits(wanted: EventFilter) -> list[ColumnElement[bool]]:
    fits: list[ColumnElement[bool]] = []
    if wanted.types is not None:
        fits.append(events.c.type.in_(sorted(wanted.types)))
    if wanted.line_ids is not None:
        fits.append(events.c.line_id.in_(sorted(wanted.line_ids)))
    if wanted.chat_id is not None:
        fits.append(events.c.chat_id == wanted.chat_id)
    return fits
