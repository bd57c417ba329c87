"""Notice what changes of messages that were told: delivered, read, edited, taken back, failed.

A mark by date would miss what comes late with an older date (a phone that was off), so recent rows are compared with
what they were. On each change the newest thousand; all of the window now and then, and once in the end.
"""

from __future__ import annotations

from typing import Final

from bridge.chatdb.database import ChatDatabase, Fingerprints

#: Rows compared whenever the database has changed.
NARROW: Final = 1_000
#: Between two comparisons of the whole window.
_WIDE_EVERY_MS: Final = 30_000


class Changes:
    """Compares.

    Args:
        wide: How many of the newest rows are watched at all.
    """

    def __init__(self, *, wide: int) -> None:
        self._wide = max(wide, NARROW)
        self._known: Fingerprints = {}
        self._wide_at: int | None = None
        #: Something has changed since the whole window was compared.
        self._is_dirty = False

    def begin(self, database: ChatDatabase, now_ms: int) -> None:
        """Take everything for told as it is now."""
        self._known = database.fingerprints(database.last_rowid() - self._wide)
        self._wide_at = now_ms

    def is_due(self, now_ms: int, *, has_changed: bool) -> bool:
        self._is_dirty = self._is_dirty or has_changed
        return has_changed or (self._is_dirty and self._is_wide_due(now_ms))

    def find(self, database: ChatDatabase, now_ms: int) -> list[int]:
        """Give the ROWIDs that were there before and have changed since."""
        is_wide = self._is_wide_due(now_ms)
        last = database.last_rowid()
        now = database.fingerprints(last - (self._wide if is_wide else NARROW))
        known = self._known
        changed = [rowid for rowid, mark in now.items() if known.get(rowid, mark) != mark]
        if is_wide:
            self._known, self._wide_at, self._is_dirty = now, now_ms, False
        else:
            known.update(now)
        return sorted(changed)

    def _is_wide_due(self, now_ms: int) -> bool:
        return self._wide_at is None or not 0 <= now_ms - self._wide_at < _WIDE_EVERY_MS
