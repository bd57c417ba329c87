"""Deliveries as people see them: lists, counts, requeue, purge, cancel; the hot path writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from hub.flow.repositories import DeliveryFilter
from hub.model.delivery import Attempt, Delivery, DeliveryState, Outcome
from hub.store.database import Database
from hub.store.repositories.pending import IS_PENDING, IS_REFUSED, IS_WAITING_FOR_A_PERSON, REPLAYED
from hub.store.schema import attempts, deliveries, events

_COLUMNS = [
    events.c.type.label("event_type") if name == "event_type" else deliveries.c[name]
    for name in Delivery.__dataclass_fields__
]
_WITH_EVENT = deliveries.join(events, events.c.id == deliveries.c.event_id)
_WAITING = frozenset({DeliveryState.DEAD, DeliveryState.HELD})
_id = deliveries.c.id


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**{**row._mapping, "state": DeliveryState(row.state)})


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(**{**row._mapping, "outcome": Outcome(row.outcome)})


def _wanted(query: Select[Any], wanted: DeliveryFilter) -> Select[Any]:
    if wanted.webhook_id is not None:
        query = query.where(deliveries.c.webhook_id == wanted.webhook_id)
    if wanted.event_id is not None:
        query = query.where(deliveries.c.event_id == wanted.event_id)
    if wanted.states is not None:
        query = query.where(deliveries.c.state.in_(sorted(wanted.states)))
        if wanted.states <= _WAITING:
            query = query.where(IS_WAITING_FOR_A_PERSON)
    if wanted.event_type is not None:
        query = query.where(events.c.type == wanted.event_type)
    if wanted.webhook_ids is not None:
        query = query.where(deliveries.c.webhook_id.in_(sorted(wanted.webhook_ids)))
    if wanted.least_status is not None:
        query = query.where(deliveries.c.last_status >= wanted.least_status)
        if wanted.least_status >= 300:
            query = query.where(IS_REFUSED)
    if wanted.most_status is not None:
        query = query.where(deliveries.c.last_status <= wanted.most_status)
    if wanted.is_unanswered:
        query = query.where(deliveries.c.last_status.is_(None), deliveries.c.attempt_count > 0)
    if wanted.first_id is not None:
        query = query.where(_id >= wanted.first_id)
    if wanted.last_id is not None:
        query = query.where(_id <= wanted.last_id)
    return query


def _page(wanted: DeliveryFilter, *, after: int, limit: int) -> Select[Any]:
    source = _WITH_EVENT if wanted.event_type is not None else deliveries
    query = _wanted(select(_id).select_from(source), wanted)
    return query.where(_id > after).order_by(_id).limit(limit)


class SqlDeliveries:
    """hub.flow.repositories.Deliveries.

    Pages to change are looked up in a read and checked again in the write: a look-up may walk far, and the writer
    must not wait for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, delivery_id: int) -> Delivery | None:
        query = select(*_COLUMNS).select_from(_WITH_EVENT).where(_id == delivery_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _delivery(row) if row else None

    async def attempts(self, delivery_id: int) -> list[Attempt]:
        query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_attempt(row) for row in rows]

    async def last_attempts(self, delivery_ids: Sequence[int]) -> dict[int, Attempt]:
        is_last = (attempts.c.delivery_id == _id) & (attempts.c.number == deliveries.c.attempt_count)
        query = select(attempts).select_from(deliveries.join(attempts, is_last)).where(_id.in_(delivery_ids))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.delivery_id: _attempt(row) for row in rows}

    async def count(self, wanted: DeliveryFilter) -> int:
        source = _WITH_EVENT if wanted.event_type is not None else deliveries
        query = _wanted(select(func.count()).select_from(source), wanted)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def requeue(self, delivery_id: int, *, now: int) -> bool:
        return bool(await self._requeue([delivery_id], DeliveryFilter(), now=now))

    async def requeue_page(self, wanted: DeliveryFilter, *, after: int, limit: int, now: int) -> list[int]:
        while ids := await self._ids(_page(wanted, after=after, limit=limit)):
            if requeued := await self._requeue(ids, wanted, now=now):
                return requeued
            after = ids[-1]
        return []

    async def purge_page(self, wanted: DeliveryFilter, *, after: int, limit: int) -> list[int]:
        while ids := await self._ids(_page(wanted, after=after, limit=limit)):
            if purged := await self._purge(ids, wanted):
                return purged
            after = ids[-1]
        return []

    async def cancel_page(self, webhook_id: int, *, limit: int, now: int) -> int:
        mine = select(_id).where(deliveries.c.webhook_id == webhook_id)
        shards = select(deliveries.c.shard).where(IS_PENDING).distinct()
        pending = mine.where(IS_PENDING, deliveries.c.shard.in_(shards)).limit(limit)
        held = mine.where(IS_WAITING_FOR_A_PERSON, deliveries.c.state == DeliveryState.HELD).limit(limit)
        ids = (await self._ids(pending) or await self._ids(held))[:limit]
        change = {"state": DeliveryState.CANCELLED, "finished_at": now, "reason": "its webhook was deleted"}
        states = (DeliveryState.PENDING, DeliveryState.HELD)
        query = update(deliveries).where(_id.in_(ids), deliveries.c.state.in_(states)).values(change)
        return await self._database.write(lambda connection: connection.execute(query).rowcount) if ids else 0

    async def backlog(self) -> dict[int, tuple[int, int]]:
        webhook = deliveries.c.webhook_id
        query = select(webhook, func.count(), func.min(_id)).where(IS_PENDING).group_by(webhook)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row[0]: (row[1], row[2]) for row in rows}

    async def _ids(self, query: Select[Any]) -> list[int]:
        return await self._database.read(lambda connection: [*connection.scalars(query)])

    async def _requeue(self, ids: list[int], wanted: DeliveryFilter, *, now: int) -> list[int]:
        states = (wanted.states or frozenset(DeliveryState)) - {DeliveryState.CANCELLED}
        change = {
            "state": DeliveryState.PENDING,
            "next_attempt_at": now,
            "finished_at": None,
            "replay_count": REPLAYED,
        }
        query = update(deliveries).where(_id.in_(ids), deliveries.c.state.in_(sorted(states)))
        returning = query.values(change).returning(_id)
        return await self._database.write(lambda connection: sorted(connection.scalars(returning)))

    async def _purge(self, ids: list[int], wanted: DeliveryFilter) -> list[int]:
        states = sorted(wanted.states or frozenset(DeliveryState))

        def work(connection: Connection) -> list[int]:
            gone = delete(deliveries).where(_id.in_(ids), deliveries.c.state.in_(states)).returning(_id)
            purged = sorted(connection.scalars(gone))
            connection.execute(delete(attempts).where(attempts.c.delivery_id.in_(purged)))
            return purged

        return await self._database.write(work)

    async def list(
        self,
        wanted: DeliveryFilter,
        *,
        after: int | None,
        offset: int | None = None,
        limit: int,
        is_oldest_first: bool = False,
    ) -> list[Delivery]:
        order = _id if is_oldest_first else _id.desc()
        if offset:
            # What is skipped is not joined with its event.
            source = _WITH_EVENT if wanted.event_type is not None else deliveries
            skipped = _wanted(select(_id).select_from(source), wanted).order_by(order)
            last = await self._ids(skipped.offset(offset - 1).limit(1))
            if not last:
                return []
            after = last[0]
        query = _wanted(select(*_COLUMNS).select_from(_WITH_EVENT), wanted).limit(limit)
        query = query.order_by(order)
        if after is not None:
            query = query.where(_id > after if is_oldest_first else _id < after)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_delivery(row) for row in rows]
