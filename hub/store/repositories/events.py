"""Recorded events; the hot path writes them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from hub.flow.repositories import Event
from hub.store.database import Database
from hub.store.schema import events

_COLUMNS = [events.c[name] for name in Event.__dataclass_fields__]


class SqlEvents:
    """hub.flow.repositories.Events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, event_id: int) -> Event | None:
        found = await self.page(first_id=event_id, last_id=event_id, limit=1)
        return found[0] if found else None

    async def page(self, *, first_id: int, last_id: int, limit: int) -> list[Event]:
        query = (
            select(*_COLUMNS).where(events.c.id.between(first_id, last_id)).order_by(events.c.id).limit(limit)
        )
        return await self._events(query)

    async def newest(self, *, limit: int) -> list[Event]:
        return await self._events(select(*_COLUMNS).order_by(events.c.id.desc()).limit(limit))

    async def _events(self, query: Select[Any]) -> list[Event]:
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Event(**row._mapping) for row in rows]
