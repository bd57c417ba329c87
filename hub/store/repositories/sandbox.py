"""The simulated network's memory (bridge/sandbox)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.database import Database
from hub.store.schema import sandbox_memory, sandbox_sends

_due_at = sandbox_sends.c.next_evidence_at


class SqlSandboxNetwork:
    """hub.flow.repositories.SandboxNetwork."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, send: dict[str, Any]) -> bool:
        def work(connection: Connection) -> bool:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            query = dialect.insert(sandbox_sends).values(send).on_conflict_do_nothing()
            return connection.execute(query).rowcount > 0

        return await self._database.write(work)

    async def by_attempt(self, attempt_id: str) -> dict[str, Any] | None:
        return await self._one(select(sandbox_sends).where(sandbox_sends.c.attempt_id == attempt_id))

    async def by_guid(self, guid: str) -> dict[str, Any] | None:
        return await self._one(select(sandbox_sends).where(sandbox_sends.c.guid == guid))

    async def _one(self, query: Select[Any]) -> dict[str, Any] | None:
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return dict(row._mapping) if row else None

    async def due(self, *, now: int, limit: int) -> list[dict[str, Any]]:
        query = select(sandbox_sends).where(_due_at <= now).order_by(_due_at).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [dict(row._mapping) for row in rows]

    async def next_due_at(self) -> int | None:
        query = select(func.min(_due_at))
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def told(self, attempt_id: str, *, told_count: int, next_evidence_at: int | None) -> None:
        query = update(sandbox_sends).where(sandbox_sends.c.attempt_id == attempt_id)
        query = query.values(told_count=told_count, next_evidence_at=next_evidence_at)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def recall(self, line_handle: str, name: str) -> str | None:
        query = select(sandbox_memory.c.value).where(
            sandbox_memory.c.line_handle == line_handle, sandbox_memory.c.name == name
        )
        value: str | None = await self._database.read(lambda connection: connection.execute(query).scalar())
        return value

    async def remember(self, line_handle: str, name: str, value: str) -> None:
        def work(connection: Connection) -> None:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            query = dialect.insert(sandbox_memory).values(line_handle=line_handle, name=name, value=value)
            key = [sandbox_memory.c.line_handle, sandbox_memory.c.name]
            connection.execute(query.on_conflict_do_update(index_elements=key, set_={"value": value}))

        await self._database.write(work)
