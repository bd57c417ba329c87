"""Collects figures of several runs and prints them once: for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.load.percentiles import Spread
from tests.load.tables import figure, markdown_table, spread_text, terminal_table

#: How a figure compares with its limit: a rate should be high, a cost low.
Kind = Literal["rate", "cost", "plain"]
LIMIT = "limit"


@dataclass(slots=True)
class Line:
    """One figure over all columns and runs."""

    kind: Kind
    runs: dict[str, list[float]] = field(default_factory=dict)

    def spread(self, column: str) -> Spread | None:
        """Summarise one column; None where it was not measured."""
        values = self.runs.get(column)
        return Spread.of(values) if values else None

    def ratio(self, column: str) -> str:
        """Compare a column's median with the limit's, so that 1 is the limit and less is worse."""
        ours, limit = self.spread(column), self.spread(LIMIT)
        if ours is None or limit is None or self.kind == "plain" or not ours.median or not limit.median:
            return ""
        share = ours.median / limit.median if self.kind == "rate" else limit.median / ours.median
        return f"{share:.2f}"


@dataclass(slots=True)
class Book:
    """All figures, in the order in which they were first written."""

    columns: tuple[str, ...]
    lines: dict[str, Line] = field(default_factory=dict)

    def add(self, name: str, column: str, value: float, *, kind: Kind = "plain") -> None:
        """Write down one run's value."""
        self.lines.setdefault(name, Line(kind)).runs.setdefault(column, []).append(value)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Give head and rows: each column, the limit, and each column's ratio to it."""
        head = ["figure", *self.columns, "limit", *[f"{column} : limit" for column in self.columns]]
        rows = []
        for name, line in self.lines.items():
            spreads = [line.spread(column) for column in (*self.columns, LIMIT)]
            cells = [spread_text(spread) if spread else "" for spread in spreads]
            rows.append([name, *cells, *[line.ratio(column) for column in self.columns]])
        return head, rows

    def for_terminal(self) -> str:
        """Line up the table."""
        return terminal_table(*self.table())

    def as_markdown(self) -> str:
        """Write the table for docs/performance.md."""
        return markdown_table(*self.table())

    def as_json(self) -> dict[str, Any]:
        """Give every run's value."""
        return {name: {"kind": line.kind, "runs": line.runs} for name, line in self.lines.items()}


def machine(folder: Path) -> dict[str, str]:
    """Say what the figures were measured on."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "processor": f"{os.cpu_count()} of {model}",
        "memory": f"{figure(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30)} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "disk": file_system(folder),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def file_system(folder: Path) -> str:
    """Name the file system under a folder; figures on a RAM disk would not be durable ones."""
    done = subprocess.run(
        ["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=False, timeout=10
    )
    return done.stdout.strip() or "unknown"


def described(facts: dict[str, str]) -> Sequence[str]:
    """Write facts as lines."""
    return [f"{name}: {value}" for name, value in facts.items()]
