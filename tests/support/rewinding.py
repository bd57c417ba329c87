"""A hub of a test as it was at one moment, for the next test: opening one costs more than most tests do.

Only its database goes back. Its clock and its ids go on, so nothing of before is met again.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


class Moment:
    """The rows of a hub's SQLite database, now.

    Args:
        place: The folder of the hub, as tests.support.hub_world has it.
    """

    def __init__(self, place: Path) -> None:
        self._live, self._kept = place / "hub.db", place / "moment.db"
        with closing(sqlite3.connect(self._live)) as live, closing(sqlite3.connect(self._kept)) as kept:
            live.backup(kept)

    def restore(self) -> None:
        """Let all tables hold what they held, at once."""
        with closing(sqlite3.connect(self._live, isolation_level=None, timeout=20)) as live:
            live.execute("PRAGMA foreign_keys = OFF")
            live.execute("ATTACH ? AS kept", (str(self._kept),))
            names = [row[0] for row in live.execute(_TABLES)]
            live.execute("BEGIN IMMEDIATE")
            for name in names:
                live.execute(f'DELETE FROM main."{name}"')
                live.execute(f'INSERT INTO main."{name}" SELECT * FROM kept."{name}"')
            live.execute("COMMIT")


#: Those that virtual tables keep behind themselves are written by these.
_TABLES = """
SELECT name FROM main.sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
  AND name NOT IN (SELECT s.name FROM main.sqlite_master v JOIN main.sqlite_master s
                   ON s.name LIKE v.name || '~_%' ESCAPE '~' WHERE v.sql LIKE 'CREATE VIRTUAL%')
"""
