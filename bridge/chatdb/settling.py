"""Messages writes a row first and puts it right afterwards: who wrote it, where it is, its files.

A row is told when it has been there for a moment. One that is in no chat is looked at again for a while, and then given
up and counted.
"""

from __future__ import annotations

from collections import deque
from typing import Final

#: How long a row without a chat is looked at on every turn, then only when something has changed.
QUICK_MS: Final = 1_500
_GIVE_UP_MS: Final = 60_000
#: More rows without a chat than this, and the oldest are given up.
_MOST_WAITING: Final = 1_000
#: Turns that are remembered: at four a second more than enough.
_MOST_MARKS: Final = 64


class Settling:
    """Knows which new rows have been there long enough.

    Args:
        settled: ROWIDs up to this one need no wait.
        settle_ms: How long that is.
    """

    def __init__(self, settled: int, *, settle_ms: int) -> None:
        self._settled = settled
        self._settle_ms = settle_ms
        self._marks: deque[tuple[int, int]] = deque()

    def settled_up_to(self, last_rowid: int, now_ms: int) -> int:
        """Note the highest ROWID there is now, and give the highest that may be told."""
        if self._marks and self._marks[-1][0] > now_ms:  # the clock was set back
            self._marks = deque((min(at, now_ms), rowid) for at, rowid in self._marks)
        while self._marks and self._marks[0][0] <= now_ms - self._settle_ms:
            self._settled = max(self._settled, self._marks.popleft()[1])
        newest = self._marks[-1][1] if self._marks else self._settled
        if last_rowid > newest:
            if len(self._marks) >= _MOST_MARKS:
                self._marks.pop()  # those rows wait for this mark, too
            self._marks.append((now_ms, last_rowid))
        return self._settled

    def has_beyond(self, told: int) -> bool:
        """Whether there may be rows behind the one told last, settled or not."""
        return bool(self._marks) or self._settled > told


class Waiting:
    """Rows that are in no chat yet."""

    def __init__(self) -> None:
        self._since: dict[int, int] = {}

    def add(self, rowid: int, now_ms: int) -> list[int]:
        """Let a row wait; give the rows that are given up for it."""
        self._since.setdefault(rowid, now_ms)
        over = sorted(self._since)[: max(0, len(self._since) - _MOST_WAITING)]
        for each in over:
            del self._since[each]
        return over

    def over(self, now_ms: int) -> list[int]:
        """Give up those that waited too long."""
        self._since = {rowid: min(since, now_ms) for rowid, since in self._since.items()}
        over = [rowid for rowid, since in self._since.items() if now_ms - since >= _GIVE_UP_MS]
        for rowid in over:
            del self._since[rowid]
        return over

    def done(self, rowid: int) -> None:
        self._since.pop(rowid, None)

    def due(self, now_ms: int, *, has_changed: bool) -> list[int]:
        """Give the rows to look at now."""
        return [rowid for rowid, since in self._since.items() if has_changed or now_ms - since <= QUICK_MS]

    @property
    def first(self) -> int | None:
        """The lowest of them: a cursor must not go past it."""
        return min(self._since, default=None)

    def __len__(self) -> int:
        return len(self._since)
