"""Times are written in one way, and read in those that clients send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dialects.msgbubbles.errors import Refused
from hub.dialects.msgbubbles.times import iso, read_before

AT = 1_781_202_064_000


def test_a_time_is_written_as_the_vendor_does() -> None:
    assert iso(AT) == "2026-06-11T18:21:04.000Z"


@given(st.integers(0, 32_503_680_000_000))
def test_what_is_written_is_read(time_ms: int) -> None:
    assert read_before(iso(time_ms)) == time_ms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-11T18:21:04Z", AT),
        ("2026-06-11T18:21:04", AT),
        ("2026-06-11T20:21:04+02:00", AT),
        ("2026-06-11T20:21:04 02:00", AT),
        ("2026-06-11T18:21:04.000001Z", AT + 1),
        ("1969-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 32_503_680_000_000),
        (None, None),
    ],
)
def test_other_spellings_are_read(text: str | None, expected: int | None) -> None:
    assert read_before(text) == expected


@pytest.mark.parametrize(
    "text", ["", "T", "yesterday", "2026-06-11", "1781202064000", "2026-13-01T00:00:00Z"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_before(text)

    assert refused.value.code == "invalid_request"
