"""One connection seen two ways: as hot transaction and as SQLAlchemy connection, within the same transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from hub.flow.ports import HotTransaction
from hub.store.sqlite.hot import SqliteTransaction

T = TypeVar("T")


class Session:
    """What a unit of work gets. BEGIN and COMMIT are the caller's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._hot = SqliteTransaction(connection)
        self._engine = create_engine(
            "sqlite://", creator=lambda: connection, poolclass=StaticPool, pool_reset_on_return=None
        )
        self._cold: Connection | None = None

    def hot(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        """Run hot work to its end at once: on SQLite nothing of it suspends."""
        steps = work(self._hot).__await__()
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        raise TypeError("hot work awaited something other than its transaction")

    def fetch(self, statement: str, arguments: Sequence[object]) -> list[tuple[Any, ...]]:
        """Run one statement by the bare driver."""
        rows: list[tuple[Any, ...]] = self._connection.execute(statement, arguments).fetchall()
        return rows

    def cold(self, work: Callable[[Connection], T]) -> T:
        """Run cold work."""
        if self._cold is None:
            self._cold = self._engine.connect()
        with self._cold.begin():
            return work(self._cold)

    def close(self) -> None:
        if self._cold is not None:
            self._cold.close()
        self._engine.dispose(close=False)
