"""What was found out about handles, in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.contact import Reachability
from hub.store.database import Database
from hub.store.schema import availability

_SAID = ("outbox_id", "result", "checked_at")


class SqlAvailability:
    """hub.flow.contact_store.Availability."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, line_id: int, handles: Collection[str]) -> dict[str, Reachability]:
        query = select(availability).where(
            availability.c.line_id == line_id, availability.c.handle.in_(sorted(handles))
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.handle: Reachability(**row._mapping) for row in rows}

    async def save(self, rows: Sequence[Reachability]) -> None:
        # In one order, so that two processes never wait for each other crosswise.
        values = [asdict(row) for row in sorted(rows, key=lambda row: (row.line_id, row.handle))]

        def work(connection: Connection) -> None:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            query = dialect.insert(availability).values(values)
            connection.execute(
                query.on_conflict_do_update(
                    index_elements=["line_id", "handle"],
                    set_={name: query.excluded[name] for name in _SAID},
                )
            )

        if values:
            await self._database.write(work)
