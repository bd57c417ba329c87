"""What an agent remembers: which attempts it began, what became of them, and how far it told the hub.

One SQLite file, written durably before anything is done; a second agent on the same file is refused. Calls are short
enough to be made on the event loop.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.flow.agent_calls import read_outcome, write_outcome
from hub.model.errors import HubError
from hub.model.outbox import OperationOutcome

KEPT_MS: Final = 30 * 86_400_000
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (
    attempt_id TEXT PRIMARY KEY, begun_at INTEGER NOT NULL, outcome TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS attempts_begun_at ON attempts (begun_at);
"""


class JournalBusy(HubError):
    """Another agent runs on this folder."""


class JournalBroken(HubError):
    """The file cannot be read or written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One that was begun."""

    #: None: it was begun, and nobody saw how it ended.
    outcome: OperationOutcome | None


class Journal:
    """The memory of one agent.

    Args:
        folder: Where it is kept; only its owner may read it.
        draw_name: Draws the name of a new journal, by which the hub tells agents apart.

    Raises:
        JournalBusy: Another agent runs on this folder.
        JournalBroken: Its file cannot be read or written.
    """

    def __init__(self, folder: Path, draw_name: Callable[[], str]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(folder / "agent.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise JournalBusy(
                f"Another agent runs on {folder}. Stop it first, or give this one a folder of its own (--folder)."
            ) from None
        path = folder / "journal.db"
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_TABLES)
            self.name = self._recall("name") or self._remember("name", draw_name())
        except (OSError, sqlite3.Error) as error:
            os.close(self._lock)
            raise JournalBroken(
                f"{path} cannot be used: {error}. Is the disk full? If the file is damaged, move it away; what was "
                "under way is then looked up in the network."
            ) from None

    @property
    def cursor(self) -> str | None:
        """How far the hub knows what the network showed."""
        return self._recall("cursor")

    def move_cursor(self, cursor: str) -> None:
        self._remember("cursor", cursor)

    def attempt(self, attempt_id: str) -> Attempt | None:
        """Give what is known of an attempt; None if it was never begun."""
        found = self._database.execute(
            "SELECT outcome FROM attempts WHERE attempt_id = ?", (attempt_id,)
        ).fetchone()
        if found is None:
            return None
        return Attempt(outcome=None if found[0] is None else read_outcome(found[0]))

    def begin(self, attempt_id: str, now_ms: int) -> None:
        """Note, durably, that an attempt begins."""
        self._database.execute("DELETE FROM attempts WHERE begun_at < ?", (now_ms - KEPT_MS,))
        self._database.execute(
            "INSERT OR REPLACE INTO attempts (attempt_id, begun_at) VALUES (?, ?)", (attempt_id, now_ms)
        )

    def end(self, attempt_id: str, outcome: OperationOutcome) -> None:
        """Note what became of an attempt."""
        self._database.execute(
            "UPDATE attempts SET outcome = ? WHERE attempt_id = ?", (write_outcome(outcome), attempt_id)
        )

    def forget(self, attempt_id: str) -> None:
        """Forget an attempt that certainly did not happen: it may be made again."""
        self._database.execute("DELETE FROM attempts WHERE attempt_id = ?", (attempt_id,))

    def close(self) -> None:
        self._database.close()
        os.close(self._lock)

    def _recall(self, name: str) -> str | None:
        found = self._database.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def _remember(self, name: str, value: str) -> str:
        self._database.execute("INSERT OR REPLACE INTO memory (name, value) VALUES (?, ?)", (name, value))
        return value
