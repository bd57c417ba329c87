"""Range headers ask for what RFC 9110 says, and never for what is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.byte_ranges import Span, Unsatisfiable, read_range

TABLE: list[tuple[str | None, tuple[int, int] | None]] = [
    (None, None),
    ("bytes=0-0", (0, 1)),
    ("bytes=0-", (0, 10)),
    ("bytes=3-5", (3, 3)),
    ("bytes=3-500", (3, 7)),
    ("bytes=-4", (6, 4)),
    ("bytes=-400", (0, 10)),
    ("Bytes = 1 - 2 ", (1, 2)),
    ("bytes=5-3", None),
    ("bytes=-", None),
    ("bytes=0-1,3-4", None),
    ("lines=0-1", None),
    ("bytes=٣-5", None),
    ("nonsense", None),
    ("bytes=1-99999999999999999999999", None),
]


@pytest.mark.parametrize(("header", "expected"), TABLE)
def test_ranges_of_ten_bytes(header: str | None, expected: tuple[int, int] | None) -> None:
    span = read_range(header, size=10)

    assert (span and (span.first, span.size)) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_given(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(header, size=10)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-5", "bytes=-3"])
def test_nothing_has_no_parts(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(header, size=0)


@given(
    st.one_of(st.text(max_size=30), st.from_regex(r"bytes=[0-9]{0,4}-[0-9]{0,4}", fullmatch=True)),
    st.integers(0, 5000),
)
def test_a_span_always_lies_within(header: str, size: int) -> None:
    try:
        span = read_range(header, size=size)
    except Unsatisfiable:
        return

    assert (
        span is None
        or (span.size > 0 and span.first >= 0 and span.first + span.size <= size)
        or span == Span(first=0, size=0)
    )
