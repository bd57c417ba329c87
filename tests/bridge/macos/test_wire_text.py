"""Text of a network fits the normal form, and reports name nobody."""

from __future__ import annotations

import pytest

from bridge.macos.placing import Placing
from bridge.macos.wire_text import clean, identifier, label, redacted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chat of +15550100001 is gone", "chat of +15…01 is gone"),
        ("me@example.org", "me@…rg"),
        ("version 0.15.10 of imsg", "version 0.15.10 of imsg"),
        ("/Users/me/Library/Messages/chat.db", "/Users/me/Library/Messages/chat.db"),
    ],
)
def test_numbers_and_addresses_are_shortened(text: str, expected: str) -> None:
    assert redacted(text) == expected


def test_broken_text_is_mended() -> None:
    assert clean("a\0b\ud800c\ud83c\udf89") == "ab\ufffdc🎉"
    assert clean("x" * 10, most=3) == "xxx"


def test_what_names_something_is_never_cut() -> None:
    assert identifier("x" * 513) is None
    assert identifier(" \n") is None
    assert identifier("a\0b") is None
    assert label("x" * 5000) == "x" * 1024


@pytest.mark.parametrize(
    ("lines", "addresses", "expected"),
    [
        ([], ["+15550100000"], None),
        (["+15550100000"], ["me@example.org"], "+15550100000"),
        (["+15550100000", "me@example.org"], [None, "E:Me@example.org"], "me@example.org"),
        (["+15550100000", "me@example.org"], ["P:+1 555 010 0000", "E:me@example.org"], "+15550100000"),
        (["me@example.org", "+15550100000"], ["+15550109999"], "+15550100000"),
    ],
)
def test_the_line_is_the_one_that_was_meant(
    lines: list[str], addresses: list[str | None], expected: str | None
) -> None:
    assert Placing(lambda: lines).line_of(*addresses) == expected
