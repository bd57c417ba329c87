"""What is redacted is masked in the event, and in whatever was made of it."""

from __future__ import annotations

from typing import Any

import pytest

from hub.rules.runs.redacting import Redaction

EVENT = {
    "text": "My card is 4111",
    "from": "+14155550123",
    "contact": {"name": "Ann Lee", "tags": ["vip", "blue"], "age": 7},
    "copy": "My card is 4111!",
    "lines": [{"name": "Soup", "count": 2}],
}


@pytest.mark.parametrize(
    ("paths", "changed"),
    [
        ([], {}),
        (["text"], {"text": "•••", "copy": "•••!"}),
        (["event.text"], {"text": "•••", "copy": "•••!"}),
        (["contact"], {"contact": "•••"}),
        (["contact.name"], {"contact": {"name": "•••", "tags": ["vip", "blue"], "age": 7}}),
        (["contact.age"], {"contact": {"name": "Ann Lee", "tags": ["vip", "blue"], "age": "•••"}}),
        (["lines.0.name"], {"lines": [{"name": "•••", "count": 2}]}),
        (["lines.9.name", "nothing", "text.deeper", "contact.tags.x"], {}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else None,
)
def test_paths_are_masked_and_what_they_say_elsewhere(paths: list[str], changed: dict[str, Any]) -> None:
    assert Redaction(paths, [EVENT]).event(EVENT) == EVENT | changed


def test_what_was_made_of_the_event_is_masked_too() -> None:
    redaction = Redaction(["contact", "text"], [EVENT])
    made = {
        "to": ["Dear Ann Lee,"],
        "tag": "vip",
        "n": 7,
        "none": None,
        "body": "My card is 4111, says Ann Lee",
    }

    assert redaction.value(made) == {
        "to": ["Dear •••,"],
        "tag": "•••",
        "n": 7,
        "none": None,
        "body": "•••, says •••",
    }


def test_short_texts_mask_nothing_else() -> None:
    assert Redaction(["a"], [{"a": "on"}]).value("one on one") == "one on one"


def test_all_events_of_a_run_count() -> None:
    assert Redaction(["text"], [{"text": "first"}, {"text": "second"}]).value("first, second") == "•••, •••"
