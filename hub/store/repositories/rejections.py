"""Requests to sources that were turned away, in the database: of each source the newest few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields

from sqlalchemy import Connection, delete, func, insert, select

from hub.model.source import Rejection, RejectionTally
from hub.store.database import Database
from hub.store.schema import source_rejections

_COLUMNS = [source_rejections.c[each.name] for each in fields(Rejection)]


class SqlRejections:
    """hub.flow.source_ports.Rejections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, rejection: Rejection, *, keep: int) -> None:
        mine, number = source_rejections.c.source == rejection.source, source_rejections.c.id
        beyond = select(number).where(mine).order_by(number.desc()).offset(keep).limit(1).scalar_subquery()

        def work(connection: Connection) -> None:
            if keep:
                connection.execute(insert(source_rejections).values(asdict(rejection)))
            connection.execute(delete(source_rejections).where(mine, number <= beyond))

        await self._database.write(work)

    async def page(self, source: str, *, after: int | None, limit: int) -> list[Rejection]:
        number = source_rejections.c.id
        query = select(*_COLUMNS).where(source_rejections.c.source == source).order_by(number.desc())
        if after is not None:
            query = query.where(number < after)
        rows = await self._database.read(lambda connection: connection.execute(query.limit(limit)).all())
        return [Rejection(**row._mapping) for row in rows]

    async def tally(self) -> Mapping[str, RejectionTally]:
        source = source_rejections.c.source
        newest = func.max(source_rejections.c.rejected_at)
        query = select(source, func.count(), newest).group_by(source)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row[0]: RejectionTally(source=row[0], count=row[1], last_at=row[2]) for row in rows}
