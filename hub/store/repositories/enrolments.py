"""Enrolments in the database: digests of their tokens, never the tokens."""

from __future__ import annotations

from dataclasses import asdict, fields

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from hub.model.enrolment import Enrolment
from hub.model.line import Bridge
from hub.store.database import Database
from hub.store.repositories.bridges import bridge_values
from hub.store.repositories.configuration import raise_revision
from hub.store.schema import bridges, enrolments
from hub.store.sealing import Sealer

_COLUMNS = [enrolments.c[each.name] for each in fields(Enrolment)]


class SqlEnrolments:
    """hub.flow.repositories.Enrolments."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def add(self, enrolment: Enrolment, *, digest: bytes, forget_before: int) -> None:
        def work(connection: Connection) -> None:
            connection.execute(delete(enrolments).where(enrolments.c.expires_at < forget_before))
            connection.execute(insert(enrolments).values({**asdict(enrolment), "hash": digest}))

        await self._database.write(work)

    async def by_digest(self, digest: bytes) -> Enrolment | None:
        return await self._one(enrolments.c.hash == digest)

    async def get(self, enrolment_id: int) -> Enrolment | None:
        return await self._one(enrolments.c.id == enrolment_id)

    async def _one(self, condition: ColumnElement[bool]) -> Enrolment | None:
        query = select(*_COLUMNS).where(condition)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else Enrolment(**row._mapping)

    async def page(self, *, after: int | None, limit: int) -> list[Enrolment]:
        query = select(*_COLUMNS).order_by(enrolments.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(enrolments.c.id < after)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Enrolment(**row._mapping) for row in rows]

    async def delete(self, enrolment_id: int) -> bool:
        query = delete(enrolments).where(enrolments.c.id == enrolment_id)
        return await self._database.write(lambda connection: connection.execute(query).rowcount > 0)

    async def redeem(self, enrolment_id: int, bridge: Bridge, *, is_new: bool, at: int) -> bool:
        use = (
            update(enrolments)
            .where(enrolments.c.id == enrolment_id, enrolments.c.redeemed_at.is_(None))
            .where(enrolments.c.expires_at > at)
            .values(redeemed_at=at, bridge_id=bridge.id)
        )
        values = bridge_values(bridge, self._sealer)
        replaced = {name: value for name, value in values.items() if name not in ("id", "cursor")}
        mine = bridges.c.id == bridge.id
        change = insert(bridges).values(values) if is_new else update(bridges).where(mine).values(replaced)

        def work(connection: Connection) -> bool:
            is_there = connection.execute(select(bridges.c.id).where(mine)).first() is not None
            if is_there is is_new or connection.execute(use).rowcount == 0:
                return False
            connection.execute(change)
            raise_revision(connection, bridges, [bridge.id])
            return True

        return await self._database.write(work)
