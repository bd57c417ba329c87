"""Make what networks say fit the normal form: text without what no store can hold, in bounds, and dates in Unix ms.

Foreign values have any type; nothing here raises for one. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
MOST_TEXT: Final = 65_536
MOST_ID: Final = 512
MOST_HANDLE: Final = 320


def tame(value: object, most: int = MOST_TEXT) -> str | None:
    """Give a text or a number as text that can be kept; None for anything else and for nothing."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = value if isinstance(value, str) else str(value) if abs(value) < 10**40 else ""
    return _UNSTORABLE.sub("\ufffd", text[:most]) or None


def handle_in(value: object) -> str | None:
    """Give somebody's handle; None where there is none, or none that can be one."""
    text = _whole(value, MOST_HANDLE)
    return (text.strip() or None) if text is not None else None


def id_in(value: object) -> str | None:
    """Give a network's id; None for one that we could not keep as it is, because half an id is another one."""
    return _whole(value, MOST_ID)


def _whole(value: object, most: int) -> str | None:
    """Give a text that needs no taming; None for any other."""
    text = tame(value, most + 1)
    is_changed = isinstance(value, str) and text is not None and _UNSTORABLE.search(value[: most + 1])
    return None if text is None or len(text) > most or is_changed else text


def mapping_in(value: object) -> Mapping[str, Any]:
    """Give an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def list_in(value: object) -> list[Any]:
    """Give a list; anything else is an empty one."""
    return value if isinstance(value, list) else []


def json_in(body: bytes) -> Any:
    """Read JSON; None for what is none, or has no bottom.

    Half of a surrogate pair or a NUL in somebody's words (JavaScript writes both) must not cost the page that it stands
    on: `tame` takes them out where a text is kept.
    """
    for read in (msgspec.json.decode, _read_leniently):
        try:
            return read(body)
        except (RecursionError, ValueError):  # msgspec's errors are ValueErrors
            continue
    return None


def _read_leniently(body: bytes) -> Any:
    return json.loads(body.decode("utf-8", "replace"))


def seconds_in(value: object, *, otherwise: int) -> int:
    """Read Unix seconds, in digits or as a number, into Unix ms."""
    text = tame(value, 16)
    if text is None or not re.fullmatch(r"[0-9]{1,11}", text, re.ASCII):
        return otherwise
    return min(int(text) * 1000, _LATEST_MS)


def date_in(value: object) -> int | None:
    """Read a date of RFC 2822 or ISO 8601 with its zone into Unix ms."""
    text = tame(value, 64)
    if text is None:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(text)
            # A text without a zone is of the writer's clock: nobody knows which.
            return None if at.tzinfo is None else _in_bounds(round(at.timestamp() * 1000))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def iso_text(at_ms: int) -> str:
    """Write Unix ms as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_LATEST_MS: Final = 32_503_680_000_000


def _in_bounds(at_ms: int) -> int | None:
    return at_ms if 0 <= at_ms <= _LATEST_MS else None
