"""Times as the vendor writes them, ISO 8601 in UTC with whole seconds, and as its clients send them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hub.model.errors import InvalidRequest

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
#: The last instant that native lists take; nothing is after it.
_LAST_MS: Final = 32_503_680_000_000


def iso(at_ms: int) -> str:
    """Write a Unix time in ms: `2026-01-25T12:00:00Z`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def first_after(text: str) -> int:
    """Give the first Unix time in ms that a client who has seen this time has not.

    Our times are whole seconds, so a time without a fraction stands for all of its second.

    Raises:
        InvalidRequest: It is no time, or one without a zone, or none that counts from 1970.
    """
    # A `+` that was not percent-encoded came in as a blank.
    written = text.strip().replace(" ", "+") if "T" in text else text
    try:
        at = datetime.fromisoformat(written)
        if at.tzinfo is None:
            raise ValueError
        at_ms = (at - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        at_ms = -1
    if at_ms < 0:
        message = "'since' must be an ISO 8601 time with its zone, such as 2026-01-25T12:00:00Z."
        raise InvalidRequest("invalid_parameter_value", message, param="since")
    return min(at_ms + 1 if at_ms % 1000 else at_ms + 1000, _LAST_MS)
