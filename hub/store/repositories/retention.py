"""Forget what is old, a small page at a time, so that no writer waits long.

A page is looked up in a read and checked again in the write. An event goes with its deliveries and their attempts,
and stays while one of them is pending; dead letters and held deliveries expire like finished ones. A message stays
while something of it is still to be sent. Chats, contacts and consents are never old.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, select, text, tuple_

from hub.model.ids import first_id_at
from hub.model.outbox import OutboxState
from hub.model.run import UNFINISHED
from hub.store.database import Database
from hub.store.schema import (
    attempts,
    availability,
    bulk_jobs,
    bulk_recipients,
    deliveries,
    events,
    idempotency_keys,
    message_pieces,
    messages,
    outbox,
    poll_votes,
    polls,
    raw_payloads,
    reactions,
    refused_payloads,
    route_marks,
    runs,
    source_memory,
    source_rejections,
    triages,
)

_PENDING = exists().where(deliveries.c.event_id == events.c.id, deliveries.c.state == 0)
_OWED = exists().where(outbox.c.message_id == messages.c.id, outbox.c.state < OutboxState.SENT)
#: As its index says it. An author's key outlives its age while the run that asked under it may ask again.
_BY_AGE = text("(run_id IS NULL OR scope <> 'run')")
_KEY_OF = (runs.c.id == idempotency_keys.c.run_id) | (runs.c.key_run_id == idempotency_keys.c.run_id)
_MAY_ASK = exists().where(_KEY_OF, runs.c.state.in_(sorted(UNFINISHED)))
_DELIVERY_PENDING = exists().where(deliveries.c.id == attempts.c.delivery_id, deliveries.c.state == 0)


class SqlRetention:
    """hub.flow.repositories.Retention."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._expire: dict[str, Callable[[int, int], Awaitable[int]]] = {
            "attempts": self._attempts,
            "availability": self._availability,
            "bulk_jobs": self._bulk_jobs,
            "deliveries": self._deliveries,
            "events": self._events,
            "idempotency_keys": self._idempotency_keys,
            "messages": self._messages,
            "outbox": self._outbox,
            "polls": self._polls,
            "raw_payloads": self._raw_payloads,
            "reactions": self._reactions,
            "refused_payloads": self._refused_payloads,
            "route_marks": self._route_marks,
            "source_memory": self._source_memory,
            "source_rejections": self._source_rejections,
            "triages": self._triages,
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

    async def _messages(self, before_ms: int, limit: int) -> int:
        """Their files go with them: nobody uses those any more (hub.flow.file_cleanup)."""
        key = messages.c.id
        query = select(key).where(key < first_id_at(before_ms), ~_OWED).order_by(key).limit(limit)
        ids = await self._ids(query)
        if not ids:
            return 0
        gone = await self._count(delete(messages).where(key.in_(ids), ~_OWED))
        is_orphan = ~select(key).where(key == message_pieces.c.message_id).exists()
        await self._count(delete(message_pieces).where(message_pieces.c.message_id.in_(ids), is_orphan))
        return gone

    async def _reactions(self, before_ms: int, limit: int) -> int:
        key = reactions.c.id
        ids = await self._ids(select(key).where(key < first_id_at(before_ms)).order_by(key).limit(limit))
        return await self._count(delete(reactions).where(key.in_(ids))) if ids else 0

    async def _route_marks(self, before_ms: int, limit: int) -> int:
        """What means nothing any more; its time is its own."""
        key, is_over = tuple_(route_marks.c.kind, route_marks.c.key), route_marks.c.until < before_ms
        query = select(route_marks.c.kind, route_marks.c.key).where(is_over)
        query = query.order_by(route_marks.c.until).limit(limit)
        rows = await self._database.read(lambda connection: [tuple(row) for row in connection.execute(query)])
        return await self._count(delete(route_marks).where(key.in_(rows), is_over)) if rows else 0

    async def _triages(self, before_ms: int, limit: int) -> int:
        key = triages.c.event_id
        ids = await self._ids(select(key).where(key < first_id_at(before_ms)).order_by(key).limit(limit))
        return await self._count(delete(triages).where(key.in_(ids))) if ids else 0

    async def _source_memory(self, before_ms: int, limit: int) -> int:
        """What is remembered no more; its time is its own, not its age."""
        key, is_over = source_memory.c.key, source_memory.c.expires_at < before_ms
        query = select(key).where(is_over).order_by(source_memory.c.expires_at).limit(limit)
        keys = await self._ids(query)
        return await self._count(delete(source_memory).where(key.in_(keys), is_over)) if keys else 0

    async def _source_rejections(self, before_ms: int, limit: int) -> int:
        key = source_rejections.c.id
        ids = await self._ids(select(key).where(key < first_id_at(before_ms)).order_by(key).limit(limit))
        return await self._count(delete(source_rejections).where(key.in_(ids))) if ids else 0

    async def _refused_payloads(self, before_ms: int, limit: int) -> int:
        """By when one last came: what comes again and again stays, with its count."""
        key, is_old = refused_payloads.c.id, refused_payloads.c.last_at < before_ms
        query = select(key).where(is_old).order_by(refused_payloads.c.last_at).limit(limit)
        ids = await self._ids(query)
        return await self._count(delete(refused_payloads).where(key.in_(ids), is_old)) if ids else 0

    async def _polls(self, before_ms: int, limit: int) -> int:
        key, name = polls.c.id, (polls.c.line_id, polls.c.guid)
        ids = await self._ids(select(key).where(key < first_id_at(before_ms)).order_by(key).limit(limit))

        def work(connection: Connection) -> int:
            gone = [
                tuple(row) for row in connection.execute(delete(polls).where(key.in_(ids)).returning(*name))
            ]
            votes = tuple_(poll_votes.c.line_id, poll_votes.c.poll_guid)
            connection.execute(delete(poll_votes).where(votes.in_(gone)))
            return len(gone)

        return await self._database.write(work) if ids else 0

    async def _bulk_jobs(self, before_ms: int, limit: int) -> int:
        """Recipients first, in pages of their own: a job may have many thousands."""
        key, owner = bulk_jobs.c.id, bulk_recipients.c.job_id
        over = select(key).where(key < first_id_at(before_ms), bulk_jobs.c.finished_at < before_ms)
        ids = await self._ids(over.order_by(key).limit(1))
        if not ids:
            return 0
        place = bulk_recipients.c.position
        last = await self._ids(select(place).where(owner == ids[0]).order_by(place).limit(limit))

        def work(connection: Connection) -> int:
            if last:
                page = delete(bulk_recipients).where(owner == ids[0], place <= last[-1])
                return int(connection.execute(page).rowcount)
            return int(connection.execute(delete(bulk_jobs).where(key == ids[0])).rowcount)

        return await self._database.write(work)

    async def _availability(self, before_ms: int, limit: int) -> int:
        key = tuple_(availability.c.line_id, availability.c.handle)
        query = select(availability.c.line_id, availability.c.handle)
        query = query.where(availability.c.checked_at < before_ms)
        query = query.order_by(availability.c.checked_at).limit(limit)
        rows = await self._database.read(lambda connection: [tuple(row) for row in connection.execute(query)])
        is_old = availability.c.checked_at < before_ms
        return await self._count(delete(availability).where(key.in_(rows), is_old)) if rows else 0

    async def _idempotency_keys(self, before_ms: int, limit: int) -> int:
        key = tuple_(idempotency_keys.c.scope, idempotency_keys.c.key)
        created = idempotency_keys.c.created_at
        is_over = and_(created < before_ms, _BY_AGE, ~_MAY_ASK)
        query = select(idempotency_keys.c.scope, idempotency_keys.c.key).where(is_over)
        query = query.order_by(created).limit(limit)
        rows = await self._database.read(lambda connection: [tuple(row) for row in connection.execute(query)])
        return await self._count(delete(idempotency_keys).where(key.in_(rows), ~_MAY_ASK)) if rows else 0

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

    async def _ids(self, query: Select[Any]) -> list[Any]:
        return await self._database.read(lambda connection: [*connection.scalars(query)])

    async def _count(self, query: Any) -> int:
        return await self._database.write(lambda connection: int(connection.execute(query).rowcount))
