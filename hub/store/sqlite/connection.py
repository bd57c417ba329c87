"""Open SQLite the one way Hub uses it: WAL, full fsync, explicit transactions.

Not here: who may write when (turnstile, writer) and when the log is folded back (checkpoint).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

#: UPSERT, RETURNING, UPDATE FROM and row values are all there from this version on.
OLDEST_SQLITE = (3, 35, 0)
#: Only strangers (a person's sqlite3 shell) ever hold a lock against us: our own writers queue at the turnstile.
BUSY_TIMEOUT_SECONDS = 10.0
#: Hot statements exist in several sizes (see statements), all of which should stay prepared.
PREPARED_STATEMENTS = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class SqliteOptions:
    """How much memory and how many threads one process may use."""

    #: Page cache of the writer, in KiB. Random keys (guids, digests) touch pages all over their indexes.
    writer_cache_kib: int = 65_536
    #: Page cache of each reader, in KiB.
    reader_cache_kib: int = 8_192
    reader_count: int = 2
    #: The log is folded back into the database after so many changed rows (about 2 pages of log each).
    checkpoint_changes: int = 4_000
    #: A log that a slow reader let grow beyond this is cut down again.
    log_limit_bytes: int = 64 * 1024 * 1024


class GroupConnection(sqlite3.Connection):
    """A connection whose transaction belongs to the writer: SQLAlchemy's commit and rollback do nothing to it."""

    def commit(self) -> None:
        """Leave the transaction open: the whole group commits at once."""

    def rollback(self) -> None:
        """Leave the transaction open: the writer undoes what failed."""


def connect(path: Path, *, cache_kib: int, is_reader: bool) -> GroupConnection:
    """Open one connection, to be used by one thread at a time."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=PREPARED_STATEMENTS,
        factory=GroupConnection,
    )
    pragmas = (
        # EXTRA adds nothing to FULL in WAL mode; NORMAL would lose the last commits at a power cut.
        "synchronous=FULL",
        # On macOS fsync alone leaves the data in the drive's cache.
        "fullfsync=ON",
        "checkpoint_fullfsync=ON",
        f"cache_size=-{cache_kib}",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "mmap_size=0",
        # Checkpoints are ours to time (see checkpoint): inside a commit they would stall its callers.
        "wal_autocheckpoint=0",
        # Debian builds zero all that is deleted; an index entry removed at every finish needs no such care.
        "secure_delete=FAST",
        f"query_only={'ON' if is_reader else 'OFF'}",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").close()
    connection.create_function("translate", 3, _translate, deterministic=True)
    return connection


def _translate(text: str | None, old: str, new: str) -> str | None:
    """Put each letter of `new` in the place of that of `old`, as PostgreSQL's function of that name does."""
    if text is None or text.isascii():
        return text
    for letter, other in zip(old, new, strict=True):
        text = text.replace(letter, other)
    return text
