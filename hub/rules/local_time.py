"""Days and hours by a line's own clock, as instants. Both tile time: no instant is in none or in two of them.

A day with a change of clocks has 23 or 25 hours; hours are counted from its midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_HOUR_MS = 3_600_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A stretch of time: its first instant, and the first one after it. Unix ms."""

    start_ms: int
    end_ms: int


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Give the time zone of that IANA name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not known, a folder, or no name at all
        return None


def local(zone: ZoneInfo, now_ms: int) -> datetime:
    """Give an instant by the zone's clock."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)


def instant(zone: ZoneInfo, moment: datetime) -> int:
    """Give the instant at which the zone's clock shows a moment (naive, or with its fold); Unix ms."""
    return round(moment.replace(tzinfo=zone).timestamp() * 1000)


def day_of(zone: ZoneInfo, now_ms: int) -> Window:
    """Give the local day that an instant is in."""
    today = local(zone, now_ms).date()
    return _day(zone, today)


def days_before(zone: ZoneInfo, now_ms: int, count: int) -> Window:
    """Give the local day that lies so many days before."""
    return _day(zone, local(zone, now_ms).date() - timedelta(days=count))


def hour_of(zone: ZoneInfo, now_ms: int) -> Window:
    """Give the hour that an instant is in, counted from local midnight."""
    day = day_of(zone, now_ms)
    start_ms = day.start_ms + (now_ms - day.start_ms) // _HOUR_MS * _HOUR_MS
    return Window(start_ms=start_ms, end_ms=min(start_ms + _HOUR_MS, day.end_ms))


def days_between(zone: ZoneInfo, first_ms: int, last_ms: int) -> int:
    """Count the local midnights between two instants."""
    return (local(zone, last_ms).date() - local(zone, first_ms).date()).days


@lru_cache(maxsize=4096)
def _day(zone: ZoneInfo, day: date) -> Window:
    return Window(start_ms=_midnight(zone, day), end_ms=_midnight(zone, day + timedelta(days=1)))


def _midnight(zone: ZoneInfo, day: date) -> int:
    """The first instant of a date; where the clock skips midnight, the instant at which it does."""
    return instant(zone, datetime.combine(day, time()))
