"""Windows of the clock, for `now: { inside: … }`: days and hours by the clock of a place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from hub.model.line_safety import DAYS
from hub.rules.local_time import find_zone, local
from hub.rules.problems import Problem, suggestion

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)
_KEYS: Final = ("days", "from", "to", "timezone")
DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockWindow:
    """Some days of the week, from one time of day to another; past midnight it belongs to the day on which it began."""

    #: 0 is Monday.
    days: frozenset[int]
    #: Minutes from midnight; `end` is not in it. Equal ones are the whole day.
    start: int
    end: int
    zone: ZoneInfo

    def covers(self, now_ms: int) -> bool:
        """Tell whether an instant is in the window."""
        moment = local(self.zone, now_ms)
        minute, weekday = moment.hour * 60 + moment.minute, moment.weekday()
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        is_late = weekday in self.days and minute >= self.start
        return is_late or ((weekday - 1) % 7 in self.days and minute < self.end)

    def shown(self, now_ms: int) -> str:
        """Write what the window's clock shows, for explanations."""
        moment: datetime = local(self.zone, now_ms)
        return f"{DAYS[moment.weekday()]} {moment:%H:%M} {self.zone.key}"


def read_window(written: object, pointer: str, *, timezone: str | None) -> ClockWindow | list[Problem]:
    """Read a window.

    Args:
        written: `{days, from, to, timezone}`; without days every day, without hours the whole day.
        pointer: Where it stands.
        timezone: Of a window that names none; None if it must name one.
    """
    if not isinstance(written, Mapping) or not written:
        fix = 'Write { days: mon-fri, from: "09:00", to: "18:00", timezone: Europe/Berlin }'
        return [Problem(pointer=pointer, what="this is no window of time", why="a window is a map", fix=fix)]
    reader = _WindowReader(pointer)
    for key in written:
        if key not in _KEYS:
            reader.refuse_key(str(key))
    days = reader.days(written.get("days"))
    start, end = reader.minute(written, "from"), reader.minute(written, "to")
    zone = reader.zone(written.get("timezone", timezone))
    if reader.problems or zone is None:
        return reader.problems
    return ClockWindow(days=days, start=start % DAY_MINUTES, end=end % DAY_MINUTES or DAY_MINUTES, zone=zone)


class _WindowReader:
    def __init__(self, pointer: str) -> None:
        self._pointer = pointer
        self.problems: list[Problem] = []

    def days(self, written: object) -> frozenset[int]:
        if written is None:
            return frozenset(range(7))
        parts = written if isinstance(written, list) else str(written).split(",")
        found: set[int] = set()
        for part in parts:
            first, _, last = str(part).strip().lower().partition("-")
            if first not in DAYS or (last and last not in DAYS):
                fix = "Write days such as mon-fri, or [sat, sun]"
                self._refuse("days", f"{str(part)[:40]!r} is no day", "days are mon, tue, … sun", fix)
                continue
            begin = DAYS.index(first)
            length = (DAYS.index(last or first) - begin) % 7
            found |= {(begin + offset) % 7 for offset in range(length + 1)}
        return frozenset(found)

    def minute(self, window: Mapping[str, object], key: str) -> int:
        """Read a time of day; without one the day begins, or ends, at midnight."""
        written = window.get(key)
        if written is None:
            return 0
        match = _CLOCK.fullmatch(str(written)) if isinstance(written, str) else None
        if match is None:
            self._refuse(key, f"{str(written)[:40]!r} is no time of day", "it is HH:MM", 'Write "09:00"')
            return 0
        return DAY_MINUTES if match[1] is None else int(match[1]) * 60 + int(match[2])

    def zone(self, written: object) -> ZoneInfo | None:
        if written is None:
            why = "nine o'clock is at another moment in each zone"
            fix = "Write timezone: Europe/Berlin here, or under defaults"
            self._refuse("timezone", "the window names no time zone", why, fix)
            return None
        zone = find_zone(str(written)) if isinstance(written, str) else None
        if zone is None:
            why, fix = "zones are named as IANA does", "Write one such as America/New_York"
            self._refuse("timezone", f"{str(written)[:40]!r} is no time zone", why, fix)
        return zone

    def refuse_key(self, key: str) -> None:
        near = suggestion(key, _KEYS)
        fix = f"Did you mean {near}" if near else f"Use {', '.join(_KEYS)}"
        self._refuse(key, f"a window has no {key[:40]!r}", "nothing reads it", fix)

    def _refuse(self, key: str, what: str, why: str, fix: str) -> None:
        self.problems.append(Problem(pointer=f"{self._pointer}/{key}", what=what, why=why, fix=fix))
