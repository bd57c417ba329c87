"""How far a bridge has told, as text that the hub keeps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from bridge.bluebubbles.shapes import DAY_MS, mapping, number, read_json, text

#: So much is told again at every connect: rows are written late and out of order.
OVERLAP_MS: Final = 600_000


@dataclass(kw_only=True, slots=True)
class Place:
    """Where a feed stands."""

    #: Unix ms: whatever was created before it is told, but for the overlap.
    at: int
    #: The state of the lines that was told last; None if none was.
    state: str | None = None
    #: Nothing is missing before what is live; while that is open, live events do not move `at`.
    is_whole: bool = False

    @property
    def since(self) -> int:
        return max(0, self.at - OVERLAP_MS)

    def reached(self, at: int, *, now_ms: int) -> None:
        """Note that all up to a date is told; never back, never beyond now."""
        self.at = max(min(self.at, now_ms), min(at, now_ms))

    def mend(self, now_ms: int) -> None:
        """Go back a day where it lies ahead of now: a clock was wrong, and nobody knows what was told."""
        if self.at > now_ms + OVERLAP_MS:
            self.at = max(0, now_ms - DAY_MS)

    def cursor(self) -> str:
        return msgspec.json.encode({"at": self.at, "state": self.state}).decode()


def read_place(cursor: str | None, *, now_ms: int, history_days: int) -> Place:
    """Read what the hub kept; one that cannot be read is none."""
    said = mapping(read_json((cursor or "").encode("utf-8", "replace")))
    at = number(said, "at")
    if at is None or at <= 0:
        return Place(at=max(0, now_ms - history_days * DAY_MS) + (OVERLAP_MS if history_days == 0 else 0))
    place = Place(at=at, state=text(said, "state", most=16))
    place.mend(now_ms)
    return place
