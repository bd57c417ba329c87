"""The one way to chat.db for everybody in a bridge: in a thread, one at a time, opened again when it was replaced."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from typing import TypeVar

from bridge.chatdb.database import ChatDatabase, Unreadable, explain

T = TypeVar("T")


class Reading:
    """Runs work on the database.

    Args:
        path: Of chat.db; `~` is the home of this user.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.expanduser(path)
        self._database: ChatDatabase | None = None
        # Not of asyncio: whoever is cancelled leaves its thread behind, at work.
        self._lock = threading.Lock()

    async def run(self, work: Callable[[ChatDatabase], T]) -> T:
        """Run `work` on the open database.

        Raises:
            Unreadable: It cannot be read now; the next time it is opened anew.
        """
        return await asyncio.to_thread(self._run, work)

    def close(self) -> None:
        with self._lock:
            self._close()

    def _run(self, work: Callable[[ChatDatabase], T]) -> T:
        with self._lock:
            try:
                database = self._open()
                return work(database)
            except (sqlite3.Error, OSError, OverflowError) as error:
                self._close()
                raise Unreadable(explain(self.path, error)) from error

    def _open(self) -> ChatDatabase:
        if self._database is not None:
            status = os.stat(self.path)
            if self._database.file_identity == (status.st_dev, status.st_ino):
                return self._database
            self._close()
        self._database = ChatDatabase(self.path)
        return self._database

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
