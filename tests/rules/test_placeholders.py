"""Gaps in texts are filled, or the reason is told; nothing is evaluated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.placeholders import fill, names_in
from hub.rules.problems import Problem

FILLED = {
    "no gap": ("Hello", {}, "Hello"),
    "a gap": ("Hello {{name}}!", {"name": "Ada"}, "Hello Ada!"),
    "spaces around": ("Hello {{ name }}!", {"name": "Ada"}, "Hello Ada!"),
    "a name of two words": ("{{first name}}", {"first name": "Ada"}, "Ada"),
    "otherwise": ("Hello {{name|there}}", {}, "Hello there"),
    "otherwise nothing": ("Hello{{name|}}", {}, "Hello"),
    "an empty value counts as missing": ("Hello {{name|there}}", {"name": " "}, "Hello there"),
    "a value with a gap in it stays as it is": ("{{a}}", {"a": "{{b}}", "b": "no"}, "{{b}}"),
    "single braces are words": ("{a} {b}", {}, "{a} {b}"),
}


@pytest.mark.parametrize("case", FILLED)
def test_gaps_are_filled(case: str) -> None:
    text, values, filled = FILLED[case]

    assert filled == fill(text, values)


REFUSED = {
    "a missing value": ("{{name}}", {}, "'name' has no value"),
    "an empty value": ("{{name}}", {"name": ""}, "it is empty here"),
    "a slip of the pen": ("{{nmae}}", {"name": "Ada"}, "Did you mean name"),
    "a gap that is not closed": ("Hello {{name", {"name": "Ada"}, "cannot be read"),
    "an expression": ("{{ 7*7 }}", {}, "cannot be read"),
    "a call": ("{{ name.upper() }}", {"name": "Ada"}, "cannot be read"),
    "a gap in a gap": ("{{a|{{b}}}}", {"b": "x"}, "cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_filled_is_told(case: str) -> None:
    text, values, told = REFUSED[case]
    problem = fill(text, values)

    assert isinstance(problem, Problem)
    assert told in str(problem)


@given(st.text(), st.dictionaries(st.text(max_size=8), st.text(max_size=8)))
def test_any_text_is_filled_or_refused(text: str, values: dict[str, str]) -> None:
    filled = fill(text, values)

    if not names_in(text) and isinstance(filled, str):
        assert filled == text
