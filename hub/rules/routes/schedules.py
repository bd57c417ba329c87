"""When a schedule fires, by the clock of its place (docs/decisions/0001: cronsim)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cronsim import CronSim, CronSimError

from hub.rules.local_time import find_zone, local

#: Looked for at the most: no schedule fires more often than once a minute.
MOST_FIRES: Final = 1_500


def next_fire(schedule: str, timezone: str, after_ms: int) -> int | None:
    """Give the first instant after another at which a schedule fires; None if it never does. Unix ms."""
    zone = find_zone(timezone)
    if zone is None:
        return None
    try:
        moment: datetime = next(CronSim(schedule, local(zone, after_ms)))
    except (CronSimError, StopIteration):
        return None
    return round(moment.timestamp() * 1000)


def last_fire(schedule: str, timezone: str, *, since_ms: int, until_ms: int) -> int | None:
    """Give the last instant after `since_ms`, up to `until_ms`, at which a schedule fires; None for none."""
    found, at_ms = None, since_ms
    for _ in range(MOST_FIRES):
        following = next_fire(schedule, timezone, at_ms)
        if following is None or following > until_ms:
            return found
        found = at_ms = following
    return found
