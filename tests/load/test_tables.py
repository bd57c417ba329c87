"""The same rows make a terminal table and a Markdown table."""

import pytest

from tests.load.percentiles import Spread
from tests.load.tables import figure, markdown_table, spread_text, terminal_table


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")],
)
def test_figures_carry_three_digits(value: float, expected: str) -> None:
    """More digits would claim more than three runs can know."""
    assert figure(value) == expected


def test_spread_shows_median_and_both_ends() -> None:
    """One run has no spread."""
    assert spread_text(Spread.of([1.0, 2.0, 3.0])) == "2.00 (1.00-3.00)"
    assert spread_text(Spread.of([2.0])) == "2.00"


def test_terminal_table_lines_up() -> None:
    """Names to the left, figures to the right."""
    assert terminal_table(["what", "a"], [["x", "10"], ["long name", "1"]]) == (
        "what        a\n─────────  ──\nx          10\nlong name   1"
    )


def test_markdown_table_escapes_pipes() -> None:
    """A pipe in a cell must not make a column."""
    assert markdown_table(["a|b", "c"], [["1", "2"]]) == "| a\\|b | c |\n| --- | ---: |\n| 1 | 2 |"
