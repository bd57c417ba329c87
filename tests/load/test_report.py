"""The table says which figure is whose, and compares rates and costs the right way round."""

from tests.load.report import LIMIT, Book


def _book() -> Book:
    book = Book(columns=("embedded", "apart"))
    for value in (90.0, 100.0, 110.0):
        book.add("delivered/s", "embedded", value, kind="rate")
    book.add("delivered/s", LIMIT, 400.0, kind="rate")
    book.add("CPU", "embedded", 50.0, kind="cost")
    book.add("CPU", LIMIT, 25.0, kind="cost")
    book.add("memory", "apart", 7.0)
    return book


def test_each_figure_has_a_row_with_its_limit_and_its_ratio() -> None:
    """A quarter of the rate, and twice the cost: both are below 1."""
    head, rows = _book().table()

    assert head == ["figure", "embedded", "apart", "limit", "embedded : limit", "apart : limit"]
    assert rows == [
        ["delivered/s", "100 (90.0-110)", "", "400", "0.25", ""],
        ["CPU", "50.0", "", "25.0", "0.50", ""],
        ["memory", "", "7.00", "", "", ""],
    ]


def test_json_keeps_every_run() -> None:
    """So that a reader can judge the spread himself."""
    assert _book().as_json()["delivered/s"]["runs"] == {"embedded": [90.0, 100.0, 110.0], "limit": [400.0]}
