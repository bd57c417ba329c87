"""What the hub's own records say at the end, read by SQL: the receiver's word alone is not enough."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import asyncpg  # type: ignore[import-untyped]  # it ships no types


@dataclass(frozen=True, kw_only=True, slots=True)
class Records:
    """Rows by what they mean."""

    events: int
    pending: int
    succeeded: int
    #: Dead letters, held and cancelled.
    other: int
    attempts: int


_EVENTS = "SELECT count(*) FROM events"
_DELIVERIES = "SELECT state, count(*) FROM deliveries GROUP BY state"
_ATTEMPTS = "SELECT count(*) FROM attempts"
_PENDING = "SELECT count(*) FROM deliveries WHERE state = 0"


class Database(Protocol):
    """Counts rows while the hub runs."""

    def records(self) -> Records:
        """Count everything; slow with a long history."""
        ...

    def pending(self) -> int:
        """Count unfinished deliveries; cheap, by the partial index."""
        ...


class SqliteDatabase:
    """Reads the file beside the running hub."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def records(self) -> Records:
        """Count everything."""
        with self._open() as connection:
            events = connection.execute(_EVENTS).fetchone()[0]
            states = dict(connection.execute(_DELIVERIES).fetchall())
            attempts = connection.execute(_ATTEMPTS).fetchone()[0]
        connection.close()
        return _records(events, states, attempts)

    def pending(self) -> int:
        """Count unfinished deliveries."""
        with self._open() as connection:
            count: int = connection.execute(_PENDING).fetchone()[0]
        connection.close()
        return count

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)


class PostgresDatabase:
    """Asks the server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def records(self) -> Records:
        """Count everything."""

        async def ask() -> Records:
            connection = await asyncpg.connect(self.url)
            try:
                events = await connection.fetchval(_EVENTS)
                states = {row[0]: row[1] for row in await connection.fetch(_DELIVERIES)}
                return _records(events, states, await connection.fetchval(_ATTEMPTS))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def pending(self) -> int:
        """Count unfinished deliveries."""

        async def ask() -> int:
            connection = await asyncpg.connect(self.url)
            try:
                return int(await connection.fetchval(_PENDING))
            finally:
                await connection.close()

        return asyncio.run(ask())


def _records(events: int, states: dict[int, int], attempts: int) -> Records:
    total = sum(states.values())
    pending, succeeded = states.get(0, 0), states.get(1, 0)
    return Records(
        events=events,
        pending=pending,
        succeeded=succeeded,
        other=total - pending - succeeded,
        attempts=attempts,
    )
