"""Forget what is old, a small page at a time, so that no writer waits long.

A page is looked up in a read and checked again in the write. An event goes with its deliveries and their attempts,
and stays while one of them is pending; dead letters and held deliveries expire like finished ones.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, select, tuple_

from hub.model.ids import first_id_at
from hub.model.outbox import OutboxState
from hub.store.database import Database
from hub.store.schema import attempts, deliveries, events, idempotency_keys, outbox, raw_payloads

_PENDING = exists().where(deliveries.c.event_id == events.c.id, deliveries.c.state == 0)
_DELIVERY_PENDING = exists().where(deliveries.c.id == attempts.c.delivery_id, deliveries.c.state == 0)


class SqlRetention:
    """hub.flow.repositories.Retention."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._expire: dict[str, Callable[[int, int], Awaitable[int]]] = {
            "attempts": self._attempts,
            "deliveries": self._deliveries,
            "events": self._events,
            "idempotency_keys": self._idempotency_keys,
            "outbox": self._outbox,
            "raw_payloads": self._raw_payloads,
        }

    async def expire_page(self, table: str, *, before_ms: int, limit: int) -> int:
        return await self._expire[table](before_ms, limit)

    async def _raw_payloads(self, before_ms: int, limit: int) -> int:
        key = raw_payloads.c.id
        ids = await self._ids(select(key).where(key < first_id_at(before_ms)).order_by(key).limit(limit))
        return await self._count(delete(raw_payloads).where(key.in_(ids))) if ids else 0

    async def _outbox(self, before_ms: int, limit: int) -> int:
        key, is_finished = outbox.c.id, outbox.c.state >= OutboxState.SENT
        query = select(key).where(key < first_id_at(before_ms), is_finished).order_by(key).limit(limit)
        ids = await self._ids(query)
        return await self._count(delete(outbox).where(key.in_(ids), is_finished)) if ids else 0

    async def _idempotency_keys(self, before_ms: int, limit: int) -> int:
        key = tuple_(idempotency_keys.c.scope, idempotency_keys.c.key)
        created = idempotency_keys.c.created_at
        query = select(idempotency_keys.c.scope, idempotency_keys.c.key).where(created < before_ms)
        query = query.order_by(created).limit(limit)
        rows = await self._database.read(lambda connection: [tuple(row) for row in connection.execute(query)])
        return await self._count(delete(idempotency_keys).where(key.in_(rows))) if rows else 0

    async def _attempts(self, before_ms: int, limit: int) -> int:
        key = attempts.c.delivery_id
        query = select(key).where(key < first_id_at(before_ms), ~_DELIVERY_PENDING).distinct()
        ids = await self._ids(query.order_by(key).limit(limit))
        return await self._count(delete(attempts).where(key.in_(ids), ~_DELIVERY_PENDING)) if ids else 0

    async def _deliveries(self, before_ms: int, limit: int) -> int:
        key, is_over = deliveries.c.id, deliveries.c.state != 0
        query = select(key).where(key < first_id_at(before_ms), is_over).order_by(key).limit(limit)
        ids = await self._ids(query)

        def work(connection: Connection) -> int:
            gone = [*connection.scalars(delete(deliveries).where(key.in_(ids), is_over).returning(key))]
            connection.execute(delete(attempts).where(attempts.c.delivery_id.in_(gone)))
            return len(gone)

        return await self._database.write(work) if ids else 0

    async def _events(self, before_ms: int, limit: int) -> int:
        key = events.c.id
        query = select(key).where(key < first_id_at(before_ms), ~_PENDING).order_by(key).limit(limit)
        ids = await self._ids(query)

        def work(connection: Connection) -> int:
            gone = [*connection.scalars(delete(events).where(key.in_(ids), ~_PENDING).returning(key))]
            theirs = delete(deliveries).where(deliveries.c.event_id.in_(gone)).returning(deliveries.c.id)
            orphans = [*connection.scalars(theirs)]
            connection.execute(delete(attempts).where(attempts.c.delivery_id.in_(orphans)))
            return len(gone)

        return await self._database.write(work) if ids else 0

    async def _ids(self, query: Select[Any]) -> list[int]:
        return await self._database.read(lambda connection: [*connection.scalars(query)])

    async def _count(self, query: Any) -> int:
        return await self._database.write(lambda connection: int(connection.execute(query).rowcount))
