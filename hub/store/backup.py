"""Copy the embedded database while the hub runs, and put a copy back.

The copy is one consistent moment; it is checked before it counts. PostgreSQL has tools of its own (pg_dump).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from hub.store.faults import DatabaseUnavailable


def backup_sqlite(source: Path, target: Path) -> None:
    """Copy the database at `source`, in use or not, to `target`, which must not exist.

    Raises:
        DatabaseUnavailable: The copy failed its integrity check, or SQLite could not make it; nothing is left.
    """
    if not source.exists():
        raise DatabaseUnavailable(f"There is no database at {source}.")
    _copy(source, target)


def restore_sqlite(source: Path, target: Path) -> None:
    """Put the backup at `source` back at `target`, where no database may be; the hub must be stopped.

    Raises:
        DatabaseUnavailable: The backup is damaged, or there is something at the target.
    """
    if not source.exists():
        raise DatabaseUnavailable(f"There is no backup at {source}.")
    _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        raise DatabaseUnavailable(f"{target} exists already; nothing was overwritten. Move it away first.")
    unfinished = target.with_name(f"{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(unfinished)) as new:
            # All pages in one go: copying in steps would begin anew after every write of the running hub.
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
            problems = [row[0] for row in new.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
        if problems:
            raise DatabaseUnavailable(f"{source} is damaged: {'; '.join(problems)}")
        _make_durable(unfinished)
        unfinished.replace(target)
        _make_durable(target.parent)
    except sqlite3.Error as error:
        raise DatabaseUnavailable(f"{source} could not be copied: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
