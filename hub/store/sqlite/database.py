"""SQLite as the store's port: hot transactions and cold units share the writer's groups and the readers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Select
from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite_dialect

from hub.flow.ports import HotTransaction
from hub.store.faults import DatabaseUnavailable
from hub.store.lookups import as_text, compiled
from hub.store.sqlite.connection import OLDEST_SQLITE, SqliteOptions
from hub.store.sqlite.readers import Readers
from hub.store.sqlite.writer import Writer

T = TypeVar("T")

_DIALECT: Final = sqlite_dialect()


class SqliteDatabase:
    """One database file, opened by this process."""

    dialect = "sqlite"

    def __init__(self, path: Path, options: SqliteOptions) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            oldest = ".".join(map(str, OLDEST_SQLITE))
            raise DatabaseUnavailable(
                f"Python was built with SQLite {sqlite3.sqlite_version}; Hub needs {oldest} or later. "
                "Use a newer Python, or PostgreSQL."
            )
        self._writer = Writer(path, options)
        self._readers = Readers(path, options)
        self.hot = SqliteHot(self._writer, self._readers)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._readers.run(lambda session: session.cold(work))

    async def look_up(self, query: Select[Any], values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        lookup = compiled(query, _DIALECT)
        arguments = list(map(as_text, lookup.arguments(values)))
        return await self._readers.run(lambda session: session.fetch(lookup.text, arguments))

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(lambda session: session.cold(work))

    async def close(self) -> None:
        """Commit what waits and end the threads."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._readers.close()
        self._writer.close()


class SqliteHot:
    """The hot path (hub.flow.ports.HotStore)."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def write(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        return await self._writer.run(lambda session: session.hot(work))

    async def read(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        return await self._readers.run(lambda session: session.hot(work))
