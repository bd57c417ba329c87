"""`Prefer: wait=N` is understood as RFC 7240 writes it; everything else in the header is passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.preferences import MOST_WAIT_SECONDS, read_wait
from hub.rules.problems import Problem

UNDERSTOOD = {
    "wait=10": 10,
    "wait=0": 0,
    "wait=30": 30,
    "wait=31": 30,
    "wait=99999999999999999999": 30,
    'wait="7"': 7,
    "Wait=5": 5,
    " wait = 5 ": 5,
    "respond-async, wait=10": 10,
    "wait=10, respond-async": 10,
    "wait=3, wait=9": 3,
    "wait=4; urgent": 4,
    "respond-async": None,
    "return=minimal; note=wait": None,
    "waiting=5": None,
    "": None,
    ",,": None,
    '"': None,
}


@pytest.mark.parametrize(("header", "seconds"), UNDERSTOOD.items())
def test_the_seconds_to_wait(header: str, seconds: int | None) -> None:
    assert read_wait(header) == seconds


@pytest.mark.parametrize("header", ["wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "wait=٣", 'wait=""'])
def test_what_is_no_number_of_seconds(header: str) -> None:
    problem = read_wait(header)

    assert isinstance(problem, Problem)
    assert problem.pointer == "Prefer"


@given(st.text())
def test_nothing_written_breaks_it(header: str) -> None:
    read = read_wait(header)

    assert read is None or isinstance(read, Problem) or 0 <= read <= MOST_WAIT_SECONDS
