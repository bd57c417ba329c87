"""Spans of time as people write them in routes: `20s`, `10m`, `1h30m`, `7d`."""

from __future__ import annotations

import re
from typing import Final

from hub.rules.problems import Problem

_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART: Final = r"(\d{1,9})(ms|s|m|h|d|w)"
_FORM: Final = re.compile(rf"(?:{_PART})+", re.ASCII)
_PARTS: Final = re.compile(_PART, re.ASCII)
#: Ten years: whatever is longer is a slip.
LONGEST_MS: Final = 10 * 366 * 86_400_000
FIX: Final = "Write a number and a unit, such as 20s, 10m, 1h30m or 7d"


def read_duration(written: object, pointer: str = "") -> int | Problem:
    """Read a span of time.

    Returns:
        Milliseconds, or what is wrong.
    """
    shown = repr(written[:40]) if isinstance(written, str) else str(written)[:40]
    what = f"{shown} is no span of time"
    if isinstance(written, bool) or not isinstance(written, (str, int)):
        return Problem(pointer=pointer, what=what, why="it is neither text nor a number", fix=FIX)
    if isinstance(written, int):
        return Problem(pointer=pointer, what=what, why="a number alone does not say of what", fix=FIX)
    text = written.replace(" ", "").lower()
    if not _FORM.fullmatch(text):
        return Problem(pointer=pointer, what=what, why="it is not made of numbers and units", fix=FIX)
    total = sum(int(number) * _UNITS_MS[unit] for number, unit in _PARTS.findall(text))
    if total > LONGEST_MS:
        return Problem(
            pointer=pointer, what=what, why="it is longer than ten years", fix="Write a shorter one"
        )
    return total
