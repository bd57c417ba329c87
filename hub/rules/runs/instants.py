"""Read the instant that a template gives: Unix ms, or a text as ISO 8601 writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.rules.local_time import find_zone, instant

_LONGEST: Final = 64
#: 2100-01-01.
_LATEST_MS: Final = 4_102_444_800_000


def read_instant(value: object, *, timezone: str) -> int | None:
    """Give Unix ms; None if the value is no instant.

    Args:
        value: What a template gave.
        timezone: Of a text that names none.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return int(value) if 0 <= value <= _LATEST_MS else None
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    zone = find_zone(timezone)
    if moment.tzinfo is not None:
        at_ms = round(moment.timestamp() * 1000)
    elif zone is not None:
        at_ms = instant(zone, moment)
    else:
        return None
    return at_ms if 0 <= at_ms <= _LATEST_MS else None
