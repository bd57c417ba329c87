"""States of connections in the database: sealed, and changed by whoever read them last."""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.flow.connection_states import KeptState
from hub.store.database import Database
from hub.store.faults import UnsealingFailed
from hub.store.schema import connection_states
from hub.store.sealing import Sealer

_columns = connection_states.c


class SqlConnectionStates:
    """hub.flow.connection_states.ConnectionStates."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def find(self, name: str) -> KeptState | None:
        query = select(_columns.content, _columns.version).where(_columns.name == name)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        try:
            content = self._sealer.open(row.content, _place(name))
        except UnsealingFailed:
            # Sealed with a key that is gone: what was learned is learned again, over the same version.
            content = b""
        return KeptState(content=content, version=row.version)

    async def keep(self, name: str, content: bytes, *, replaces: int, now: int) -> bool:
        values = {
            "content": self._sealer.seal(content, _place(name)),
            "version": replaces + 1,
            "changed_at": now,
        }
        is_same = (_columns.name == name) & (_columns.version == replaces)

        def work(connection: Connection) -> bool:
            if replaces:
                return (
                    connection.execute(update(connection_states).where(is_same).values(values)).rowcount > 0
                )
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            adding = dialect.insert(connection_states).values(name=name, **values).on_conflict_do_nothing()
            return connection.execute(adding).rowcount > 0

        return await self._database.write(work)


def _place(name: str) -> bytes:
    return f"connection_states:content:{name}".encode()
