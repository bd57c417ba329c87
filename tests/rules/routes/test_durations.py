"""Spans of time as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.problems import Problem
from hub.rules.routes.durations import LONGEST_MS, read_duration


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("250ms", 250),
        ("20s", 20_000),
        ("10m", 600_000),
        ("1h30m", 5_400_000),
        ("1h 30m", 5_400_000),
        ("7d", 604_800_000),
        ("2W", 1_209_600_000),
        ("0s", 0),
    ],
)
def test_spans(written: str, ms: int) -> None:
    assert read_duration(written) == ms


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (10, "10 is no span of time: a number alone does not say of what."),
        ("10", "'10' is no span of time: it is not made of numbers and units."),
        ("ten minutes", "'ten minutes' is no span of time: it is not made of numbers and units."),
        ("1.5h", "'1.5h' is no span of time: it is not made of numbers and units."),
        ("-5m", "'-5m' is no span of time: it is not made of numbers and units."),
        ("", "'' is no span of time: it is not made of numbers and units."),
        (True, "True is no span of time: it is neither text nor a number."),
        (None, "None is no span of time: it is neither text nor a number."),
        ("999999w", "'999999w' is no span of time: it is longer than ten years."),
        ("٣s", "'٣s' is no span of time: it is not made of numbers and units."),
    ],
)
def test_what_is_none(written: object, text: str) -> None:
    problem = read_duration(written, "/steps/0/delay")

    assert isinstance(problem, Problem)
    assert str(problem).startswith(f"/steps/0/delay: {text}")


@given(st.text(max_size=200) | st.integers() | st.none() | st.booleans())
def test_nothing_raises(written: object) -> None:
    found = read_duration(written)

    assert isinstance(found, Problem) or 0 <= found <= LONGEST_MS
