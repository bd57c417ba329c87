"""A few threads that read snapshots while the writer goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hub.store.faults import explained
from hub.store.sqlite.connection import GroupConnection, SqliteOptions, connect
from hub.store.sqlite.session import Session

T = TypeVar("T")


class Readers:
    """Runs reading work, each on a snapshot of its own."""

    def __init__(self, path: Path, options: SqliteOptions) -> None:
        self._path = path
        self._cache_kib = options.reader_cache_kib
        self._opened: list[tuple[GroupConnection, Session]] = []
        self._mine = threading.local()
        self._pool = ThreadPoolExecutor(options.reader_count, "hub-store-reader", self._open)

    async def run(self, work: Callable[[Session], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    def close(self) -> None:
        self._pool.shutdown()
        for connection, session in self._opened:
            session.close()
            connection.close()

    def _open(self) -> None:
        connection = connect(self._path, cache_kib=self._cache_kib, is_reader=True)
        self._mine.pair = (connection, Session(connection))
        self._opened.append(self._mine.pair)

    def _read(self, work: Callable[[Session], T]) -> T:
        connection, session = self._mine.pair
        connection.execute("BEGIN")
        try:
            return work(session)
        except Exception as error:
            raise explained(error) from error.__cause__
        finally:
            connection.execute("ROLLBACK")
