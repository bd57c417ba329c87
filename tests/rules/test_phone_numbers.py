"""What the numbering plans say of a number, and that nothing is assumed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.phone_numbers import check_region, completed, look_up
from hub.rules.problems import Problem


def test_a_number_is_told_whole() -> None:
    facts = look_up("+1 (212) 555-1234")

    assert (facts.valid, facts.possible) == (True, True)
    assert facts.e164 == "+12125551234"
    assert facts.national == "(212) 555-1234"
    assert facts.international == "+1 212-555-1234"
    assert (facts.country_calling_code, facts.country) == ("1", "US")
    assert (facts.area_code, facts.exchange) == ("212", "555")
    assert facts.type == "FIXED_LINE_OR_MOBILE"


NUMBERS = [
    ("+49 170 1234567", None, "+491701234567", "DE", "MOBILE", True),
    ("0170 1234567", "DE", "+491701234567", "DE", "MOBILE", True),
    ("0049 170 1234567", None, "+491701234567", "DE", "MOBILE", True),
    ("491701234567", None, "+491701234567", "DE", "MOBILE", True),
    ("+800 1234 5678", None, "+80012345678", None, "TOLL_FREE", True),
    ("+15550100001", None, "+15550100001", None, None, False),
]


@pytest.mark.parametrize("case", NUMBERS, ids=lambda case: f"{case[0]} {case[1]}")
def test_numbers(case: tuple[str, str | None, str, str | None, str | None, bool]) -> None:
    written, region, *expected = case
    facts = look_up(written, region=region)

    assert [facts.e164, facts.country, facts.type, facts.valid] == expected
    assert facts.input == written


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("0170 1234567", "no country code"),
        ("Ann", "not a phone number"),
        ("", "not a phone number"),
        ("+", "not a phone number"),
        ("+49", "phone number"),
        ("+4917012345678901234", "too many"),
    ],
)
def test_what_cannot_be_read_says_why(written: str, words: str) -> None:
    facts = look_up(written)

    assert (facts.valid, facts.e164) == (False, None)
    assert words in (facts.reason or "")


@given(st.text(max_size=200), st.sampled_from([None, "DE", "US"]))
def test_any_text_can_be_looked_up(text: str, region: str | None) -> None:
    facts = look_up(text, region=region)

    assert facts.input == text
    assert facts.e164 is not None or facts.reason


def test_only_a_valid_number_is_completed() -> None:
    assert completed("0170 1234567", "DE") == "+491701234567"
    assert completed("12", "DE") is None
    assert completed("Ann", "DE") is None


def test_regions() -> None:
    assert check_region(" de ") == "DE"
    for text in ("", "Germany", "XX", "D"):
        problem = check_region(text)
        assert isinstance(problem, Problem)
        assert repr(text) in problem.what
