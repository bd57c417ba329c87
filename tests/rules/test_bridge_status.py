"""How a bridge is, in one word."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.rules.bridge_status import bridge_status


@pytest.mark.parametrize(
    ("expected", "is_enabled", "lines"),
    [
        ("disabled", False, ["online"]),
        ("idle", True, []),
        ("online", True, ["offline", "degraded", "online"]),
        ("degraded", True, ["offline", "degraded"]),
        ("offline", True, ["offline", "offline"]),
    ],
)
def test_status(expected: str, is_enabled: bool, lines: Sequence[str]) -> None:
    assert bridge_status(is_enabled=is_enabled, line_statuses=lines) == expected
