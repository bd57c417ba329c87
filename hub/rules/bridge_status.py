"""Say in one word how a bridge is: by its switch, and by how its lines fare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

BridgeStatus = Literal["online", "degraded", "offline", "idle", "disabled"]


def bridge_status(*, is_enabled: bool, line_statuses: Iterable[str]) -> BridgeStatus:
    """Give the status of a bridge.

    Args:
        is_enabled: Whether it is switched on.
        line_statuses: `online`, `degraded` or `offline` of each of its lines.

    Returns:
        `disabled` when switched off, `idle` without lines, else the best that any of its lines is.
    """
    if not is_enabled:
        return "disabled"
    statuses = frozenset(line_statuses)
    if not statuses:
        return "idle"
    if "online" in statuses:
        return "online"
    return "degraded" if "degraded" in statuses else "offline"
