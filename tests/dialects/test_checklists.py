"""Every line of a contract's acceptance checklist has a test that is named after it: `test_07_…`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from hub.dialects.registry import DIALECTS

TESTS: Final = Path(__file__).parents[1]
#: Dialect → how many lines its contract's checklist has.
LINES: Final = {"ava": 14, "blooio": 25, "coop": 20, "msgbubbles": 22, "native": 25}
_NAMED: Final = re.compile(r"^(?:async )?def test_(\d\d)_", re.MULTILINE)


def lines_tested(dialect: str) -> set[int]:
    folder = TESTS / "api" if dialect == "native" else TESTS / "dialects" / dialect
    return {
        int(number) for file in folder.glob("test_*.py") for number in _NAMED.findall(file.read_text("utf-8"))
    }


@pytest.mark.parametrize("dialect", LINES)
def test_every_line_has_its_test(dialect: str) -> None:
    assert lines_tested(dialect) == set(range(1, LINES[dialect] + 1))


def test_every_dialect_has_a_checklist() -> None:
    assert LINES.keys() == {"native", *(each.name for each in DIALECTS)}
