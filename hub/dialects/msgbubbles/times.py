"""Times as the vendor writes them: ISO 8601, UTC, milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.dialects.msgbubbles.errors import Refused

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
#: The latest time that the native surface takes.
_LATEST_MS: Final = 32_503_680_000_000
#: The `+` of an offset that came in as a blank.
_LOST_PLUS: Final = re.compile(r" (?=[0-9]{2}:?[0-9]{2}\Z)")


def iso(time_ms: int) -> str:
    """Write Unix ms: `2026-06-11T18:21:04.000Z`."""
    text = (_EPOCH + time_ms * _MILLISECOND).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def iso_or_none(time_ms: int | None) -> str | None:
    """Write a time that there may be."""
    return None if time_ms is None else iso(time_ms)


def read_before(text: str | None) -> int | None:
    """Read the `before` of a page; what is finer than a millisecond is rounded up.

    Raises:
        Refused: invalid_request.
    """
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(_LOST_PLUS.sub("+", text))
    except ValueError:
        time = None
    if time is None or "T" not in text.upper():
        raise Refused(
            "invalid_request", "'before' must be an ISO 8601 time such as 2026-06-11T18:21:04.000Z."
        )
    since_epoch = (time if time.tzinfo is not None else time.replace(tzinfo=UTC)) - _EPOCH
    return min(max(0, -(-since_epoch // _MILLISECOND)), _LATEST_MS)
