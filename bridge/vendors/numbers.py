"""Numbers that vendors write as numbers. Pure."""

from __future__ import annotations


def ms_in(value: object) -> int | None:
    """Read Unix ms; None for anything else, and for nothing."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 < value <= 32_503_680_000_000 else None
