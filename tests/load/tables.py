"""Tables for a terminal and for Markdown, from the same rows."""

from __future__ import annotations

from collections.abc import Sequence

from tests.load.percentiles import Spread

Row = Sequence[str]


def figure(value: float) -> str:
    """Write a figure with three significant digits or whole, with thousands apart: 0.123, 12.3, 4,567."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def spread_text(spread: Spread) -> str:
    """Write a median with its lowest and highest run; a single run stands alone."""
    if spread.runs == 1:
        return figure(spread.median)
    return f"{figure(spread.median)} ({figure(spread.lowest)}-{figure(spread.highest)})"


def terminal_table(head: Row, rows: Sequence[Row]) -> str:
    """Line the columns up with blanks: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    rule = ["─" * width for width in widths]
    return "\n".join(_aligned(row, widths) for row in (head, rule, *rows))


def markdown_table(head: Row, rows: Sequence[Row]) -> str:
    """Write the same as Markdown; pipes in cells are escaped."""
    marks = ["---", *["---:" for _ in head[1:]]]
    lines: list[Row] = [head, marks, *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _aligned(row: Row, widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return "  ".join(
        [first, *[cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]]
    ).rstrip()
