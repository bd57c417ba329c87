"""Apple's dates: nanoseconds since 2001-01-01 UTC, seconds before macOS 10.13, and now and then nonsense."""

from __future__ import annotations

from typing import Final

#: Unix ms of 2001-01-01 UTC.
APPLE_EPOCH_MS: Final = 978_307_200_000
#: Below it a value counts seconds: as nanoseconds it would be the first quarter of an hour of 2001.
_SECONDS_BELOW: Final = 10**12
_DAY_MS: Final = 24 * 60 * 60 * 1000
#: The largest integer that SQLite holds.
_MOST: Final = 2**63 - 1


def unix_ms(value: object) -> int | None:
    """Give a date as Unix ms; None for never (0, NULL) and for what is no date or lies before 2001."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # No number (NaN) is in no range.
    if not 0 < value <= _MOST:
        return None
    return APPLE_EPOCH_MS + int(value * 1000 if value < _SECONDS_BELOW else value // 1_000_000)


def past_ms(value: object, *, now_ms: int) -> int | None:
    """Give a date that can be true: what lies more than a day ahead is none."""
    at = unix_ms(value)
    return None if at is None or at > now_ms + _DAY_MS else at


def clamped_ms(value: object, *, now_ms: int) -> int | None:
    """Give the date of something that did happen: what lies more than a day ahead happened now."""
    at = unix_ms(value)
    return None if at is None else now_ms if at > now_ms + _DAY_MS else at


def apple_ns(at_ms: int) -> int:
    """Give Unix ms as Apple's nanoseconds, within what SQLite can hold."""
    return max(-_MOST, min(_MOST, (at_ms - APPLE_EPOCH_MS) * 1_000_000))
