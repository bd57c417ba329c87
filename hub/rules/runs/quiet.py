"""When a route's steps that write to people must wait (facts: routes A2, `quiet_hours`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hub.rules.local_time import find_zone, instant, local
from hub.rules.routes.clock_windows import DAY_MINUTES, ClockWindow
from hub.rules.routes.model import QuietHours

_MINUTE_MS: Final = 60_000


def quiet_until(quiet: QuietHours, now_ms: int, *, timezone: str, contact_timezone: str | None) -> int | None:
    """Give the instant at which people may be written to again; None if they may now. Unix ms.

    Where the contact's own clock counts and nobody knows it, the route's does.
    """
    window = quiet.window or ClockWindow(
        days=quiet.days,
        start=quiet.start,
        end=quiet.end,
        zone=_zone(contact_timezone) or _zone(timezone) or _UTC,
    )
    at_ms = now_ms
    for _ in range(8):  # windows of whole days may follow one another
        if not window.covers(at_ms):
            return None if at_ms == now_ms else at_ms
        at_ms = _end(window, at_ms)
    return at_ms


_UTC: Final = ZoneInfo("UTC")


def _zone(name: str | None) -> ZoneInfo | None:
    return None if name is None else find_zone(name)


def _end(window: ClockWindow, now_ms: int) -> int:
    """The next time that the window's clock shows its end."""
    moment = local(window.zone, now_ms).replace(tzinfo=None, fold=0)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    for days in (0, 1):
        end = midnight + timedelta(days=days, minutes=window.end % DAY_MINUTES or DAY_MINUTES)
        at_ms = instant(window.zone, end)
        if at_ms > now_ms:
            return at_ms
    return now_ms + DAY_MINUTES * _MINUTE_MS
