"""The bench and the shows still run: the smallest scale, real processes, every check in them."""

from pathlib import Path

import pytest

from tests.load import bench, shows
from tests.load.report import Book
from tests.load.scale import QUICK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_bench_fills_its_table(tmp_path: Path) -> None:
    """With the limit beside what was delivered; its figures mean nothing at this scale."""
    book = Book(columns=("embedded",))

    bench.run(QUICK, book, tmp_path, lambda _: None)

    rates = {name for name, line in book.lines.items() if line.kind == "rate" and line.ratio("embedded")}

    assert rates == {
        "delivered/s, fan-out 1",
        "delivered/s, fan-out 5",
        "delivered/s, new HTTPS connection each",
    }


@pytest.mark.parametrize("show", ["history", "backlog"])
def test_shows_fill_their_tables(show: str, tmp_path: Path) -> None:
    """The two that need the most of the hub's insides."""
    rows = shows.perform("embedded", [show], shows.QUICK, tmp_path)

    assert len(rows) >= 2
    assert all(len(row) == len(shows.HEAD) for row in rows)
