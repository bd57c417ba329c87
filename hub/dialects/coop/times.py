"""Times as the vendor writes them: ISO 8601 in UTC, whole seconds, as its examples show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def iso(at_ms: int) -> str: ...
@overload
def iso(at_ms: None) -> None: ...
def iso(at_ms: int | None) -> str | None:
    """Write a Unix time in ms: `2025-01-15T10:30:00Z`."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
