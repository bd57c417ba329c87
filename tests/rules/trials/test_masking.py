"""What a recorded test shows in the place of what people wrote."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.trials.masking import Mask

ROUTE = {
    "when": {"contact.tags": {"none_of": ["customer"]}, "text": ["STOP", "Stop it"]},
    "if": "event.plan == 'gold'",
}


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("text", "Is Ada GOLD or silver?", "Xx Xxx GOLD xx xxxxxx?"),
        ("text", "Hi, I am Ada (39)!", "Xx, X xx Xxx (00)!"),
        ("text", "Grüße aus Łódź, 日本", "Xxxxx xxx Xxxx, xx"),
        ("text", " stop. ", " stop. "),
        ("plan", "gold", "gold"),
        ("tags", ["customer", "vip"], ["customer", "xxx"]),
        ("channel", "imessage", "imessage"),
        ("channel", "Ada's channel", "Xxx'x xxxxxxx"),
        ("from", "+4915112345678", "+14155550101"),
        ("email", "ada@lovelace.example", "person1@example.com"),
        ("url", "https://ada.example/x?token=abc", "https://example.com/1"),
        ("total", 4200, 4200),
        ("account", 4915112345678, 1_000_000),
        ("sent_at", 1_785_855_600_000, 1_785_855_600_000),
        ("is_new", True, True),
        ("nothing", None, None),
        (
            "map",
            {"ada@lovelace.example": "Ada", "name": "Ada"},
            {"person1@example.com": "Xxx", "name": "Xxx"},
        ),
    ],
)
def test_what_is_shown_instead(key: str, value: Any, shown: Any) -> None:
    assert Mask(ROUTE).value(value, key) == shown


def test_the_same_becomes_the_same() -> None:
    mask = Mask(ROUTE)

    assert mask.value(["+4915112345678", "+4915112345679", "+4915112345678"]) == [
        "+14155550101",
        "+14155550102",
        "+14155550101",
    ]


@given(st.text(min_size=3).filter(lambda text: any(each.isalpha() and each not in "xX" for each in text)))
def test_no_text_is_shown_that_the_route_does_not_name(text: str) -> None:
    assert Mask({}).value({"text": text})["text"] != text
