"""Which bytes a `Range` header asks for (RFC 9110 §14): one range, or all.

Several ranges in one request are answered with the whole, as the standard allows; nobody has needed more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ONE: Final = re.compile(
    r"bytes[ \t]*=[ \t]*([0-9]{0,18})[ \t]*-[ \t]*([0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Bytes of a whole."""

    first: int
    size: int


class Unsatisfiable(ValueError):
    """The range lies behind the end."""


def read_range(header: str | None, *, size: int) -> Span | None:
    """Read a range; None for the whole.

    Args:
        header: The header's value; what is malformed counts as none.
        size: Of the whole.

    Raises:
        Unsatisfiable: No byte of it is there.
    """
    found = _ONE.fullmatch(header or "")
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        count = min(int(found[2]), size)
        if count == 0:
            raise Unsatisfiable
        return Span(first=size - count, size=count)
    first, last = int(found[1]), int(found[2] or size)
    if found[2] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Span(first=first, size=min(last, size - 1) - first + 1)
