"""The time zone that a phone number tells. The tables take some time to load, so they wait until somebody asks."""

from __future__ import annotations

from functools import lru_cache

from hub.rules.local_time import find_zone


@lru_cache(maxsize=4096)
def zone_of(handle: str) -> str | None:
    """Give the time zone that a phone number tells; None where it tells none, or several."""
    from phonenumbers import NumberParseException, parse  # noqa: PLC0415 - see above
    from phonenumbers.timezone import time_zones_for_number  # noqa: PLC0415 - see above

    if not handle.startswith("+"):
        return None
    try:
        zones = time_zones_for_number(parse(handle))
    except NumberParseException:
        return None
    return zones[0] if len(zones) == 1 and find_zone(zones[0]) else None
