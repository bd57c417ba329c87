"""Fold the write-ahead log back into the database without stalling those who wait for a commit.

Nearly all of the copying happens beside the writers; only the last few pages, which would otherwise never run out
under load, are copied while the turnstile is held, so that the next writer starts the log anew.

SQLite before 3.51.3 can corrupt a database when a checkpoint begins on a log that is already folded whole while a
writer starts it anew (sqlite.org/wal.html, "the WAL-reset bug"). That cannot happen here: only one checkpoint runs
at a time on the machine, and it begins with a write of its own, so the log is never whole when it begins.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from hub.store.sqlite.connection import SqliteOptions, connect
from hub.store.sqlite.turnstile import Turnstile

CACHE_KIB = 1_024
_LARGEST_MARK = 0x7FFF_FFFF


class Checkpointer:
    """A thread that folds the log back once this process has changed enough rows."""

    def __init__(self, path: Path, options: SqliteOptions) -> None:
        self._connection = connect(path, cache_kib=CACHE_KIB, is_reader=False)
        self._connection.execute(f"PRAGMA journal_size_limit={options.log_limit_bytes}").close()
        self._changes_between = options.checkpoint_changes
        self._folded_at = 0
        self._turnstile = Turnstile(path)
        self._only_one = Turnstile(path, "checkpoint")
        self._wake = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._serve, name="hub-store-checkpoint", daemon=True)
        self._thread.start()

    def committed(self, total_changes: int) -> None:
        """Learn from the writer how many rows it has changed in all."""
        if total_changes - self._folded_at >= self._changes_between:
            self._folded_at = total_changes
            self._wake.set()

    def close(self) -> None:
        self._is_closing = True
        self._wake.set()
        self._thread.join()
        self._connection.close()
        self._turnstile.close()
        self._only_one.close()

    def _serve(self) -> None:
        while self._wake.wait() and not self._is_closing:
            self._wake.clear()
            try:
                self.fold()
            except sqlite3.Error:
                # A full or failing disk fails the next commit, which tells its callers; the log is still whole.
                continue

    def fold(self) -> None:
        """Copy the log into the database."""
        with self._only_one.held():
            with self._turnstile.held():
                self._leave_a_mark()
            self._copy()
            with self._turnstile.held():
                self._copy()

    def _leave_a_mark(self) -> None:
        execute = self._connection.execute
        mark = execute("PRAGMA user_version").fetchone()[0]
        execute("BEGIN IMMEDIATE").close()
        execute(f"PRAGMA user_version={mark % _LARGEST_MARK + 1}").close()
        execute("COMMIT").close()

    def _copy(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
