"""What becomes of messages that we sent: imsg tells only who asks. Often at first, seldom later, not for ever."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

_FIRST_MS: Final = 2_000
_LONGEST_MS: Final = 10 * 60_000
_FOR_MS: Final = 24 * 60 * 60 * 1000
#: More messages than this are not asked for; the oldest are dropped.
_MOST: Final = 500
#: In one turn.
MOST_ASKED: Final = 10


@dataclass(slots=True)
class Asked:
    """A message whose state is asked for."""

    guid: str
    chat_key: str
    line: str
    since_ms: int
    due_at: int
    wait_ms: int = _FIRST_MS


class Receipts:
    """Knows which messages to ask for, and when."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, Asked] = OrderedDict()

    def follow(self, guid: str, *, chat_key: str, line: str, now_ms: int) -> None:
        """Ask for a message from now on."""
        if guid not in self._asked:
            self._asked[guid] = Asked(guid, chat_key, line, now_ms, now_ms + _FIRST_MS)
        while len(self._asked) > _MOST:
            self._asked.popitem(last=False)

    def due(self, now_ms: int) -> list[Asked]:
        """Give whom to ask for now; each is asked again after twice the time."""
        due = [each for each in self._asked.values() if each.due_at <= now_ms][:MOST_ASKED]
        for each in due:
            each.wait_ms = min(each.wait_ms * 2, _LONGEST_MS)
            each.due_at = now_ms + each.wait_ms
            if now_ms - each.since_ms > _FOR_MS:
                self.done(each.guid)
        return due

    def done(self, guid: str) -> None:
        self._asked.pop(guid, None)
