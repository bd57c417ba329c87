"""Hold a hub's database shut for writers, so that what was answered cannot be recorded yet.

SQLite: our own writers queue at a lock file (hub.store.sqlite.turnstile); PostgreSQL: a lock on a table.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from anyio.from_thread import BlockingPortal

#: Whatever is accepted, heard or answered is written here, too; of one table nobody can wait for us crosswise.
_TABLE = "messages"
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
#: Linux tells here who waits for whose lock.
_LOCKS = Path("/proc/locks")


class Gate(Protocol):
    """The way into one database."""

    def shut(self) -> contextlib.AbstractContextManager[None]:
        """Let nobody write for the length of a block."""
        ...

    def waiting(self) -> int:
        """Count the writers that wait before it."""
        ...


class SqliteGate:
    """The lock file beside the database."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-write-lock")

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def waiting(self) -> int:
        inode = f":{self._path.stat().st_ino} "
        return sum(1 for line in _LOCKS.read_text().splitlines() if "-> FLOCK" in line and inode in line)


class PostgresGate:
    """A lock on what sends are written to; gone with the server when that dies."""

    def __init__(self, url: str, portal: BlockingPortal) -> None:
        self._url = url
        self._portal = portal

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        connection = self._portal.call(asyncpg.connect, self._url)
        try:
            self._portal.call(connection.execute, f"BEGIN; LOCK TABLE {_TABLE} IN EXCLUSIVE MODE")
            yield
        finally:
            with contextlib.suppress(
                OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError
            ):
                self._portal.call(connection.execute, "ROLLBACK")
            self._portal.call(connection.terminate)

    def waiting(self) -> int:
        async def ask() -> int:
            connection = await asyncpg.connect(self._url)
            try:
                return int(await connection.fetchval(_WAITING))
            finally:
                await connection.close()

        return self._portal.call(ask)
