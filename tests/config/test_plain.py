"""Plain values of YAML: what people write survives (facts: routes A6.1, with the exact inputs), the rest is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config.loader import read_document
from hub.config.plain import plain, spot_of


def value(text: str) -> Any:
    node, problems = read_document(text, source="routes.yaml", is_prose=True)
    assert node is not None, problems
    assert problems == []
    return plain(node)


def problem(text: str) -> str:
    _, problems = read_document(text, source="routes.yaml", is_prose=True)
    first = problems[0]
    return f"{first.line}:{first.column} {first.what}: {first.why}; {first.fix}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+14155550123", "+14155550123"),
        ("14155550123", 14155550123),
        ("[STOP, NO, OFF, YES]", ["STOP", "NO", "OFF", "YES"]),
        ("off", "off"),
        ("22:00", "22:00"),
        ("18:00", "18:00"),
        ("8:30", "8:30"),
        ("1:30:00", "1:30:00"),
        ("08:30", "08:30"),
        ("0123", "0123"),
        ("022", "022"),
        ("02139", "02139"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0b11", "0b11"),
        ("1.6e+5", "1.6e+5"),
        ("1685E6", "1685E6"),
        ("1.10", 1.1),
        ("20266000000000000001", "20266000000000000001"),
        ("999999999999999", 999999999999999),
        ("1000000000000000", "1000000000000000"),
        ("-5", -5),
        ("+5", "+5"),
        (".5", ".5"),
        ("1.", "1."),
        ("0", 0),
        ("-0", "-0"),
        ("2026-08-01", "2026-08-01"),
        ("2026-08-01T10:00:00Z", "2026-08-01T10:00:00Z"),
        ("true", True),
        ("True", "True"),
        ("TRUE", "TRUE"),
        ("null", None),
        ("~", None),
        ("Null", "Null"),
        ("", None),
        ("=", "="),
        ("'12'", "12"),
        ('"true"', "true"),
        ('"#ops"', "#ops"),
        ("b # c", "b"),
        ("http://x/#frag", "http://x/#frag"),
        ("|\n  a #b\n", "a #b\n"),
    ],
)
def test_values(written: str, expected: object) -> None:
    found = value(f"a: {written}")["a"]

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("key", ["on", "no", "y", "yes", "1", "2026-08-01", "<<"])
def test_keys_are_text(key: str) -> None:
    assert value(f"{key}: x") == {key: "x"}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "a: {{ event.text }}",
            "1:4 this value starts with {{ and has no quotes: YAML reads { as the start of a map; "
            'put quotes around it: key: "{{ … }}"',
        ),
        ("a: [x, {{ b }}]", "1:8 this value starts with {{ and has no quotes"),
        (
            "text: Hi {{ n }}: welcome",
            "1:17 a text with {{ and ': ' has no quotes: ': ' inside text starts a value; put the whole text into "
            'double quotes: key: "Hi {{ … }}: …"',
        ),
        ("a: 1\na: 2", '2:1 "a" is written twice: it already stands on line 1'),
        (
            "text: Your order #1234 shipped",
            '1:18 "#1234 shipped" is not read: a # after a blank starts a comment, so the text would end before it; '
            'put the text into double quotes, or write "# " with a blank if it is a comment',
        ),
        ("channel: #ops", '1:10 "#ops" is not read: a # after a blank starts a comment'),
        ("- a: x #y", '1:8 "#y" is not read'),
        ("x: !secret y", "1:4 !secret is a tag"),
        ("x: !!int '12'", "1:4 tag:yaml.org,2002:int is a tag"),
        ("x: !!python/object:os.system y", "1:4 tag:yaml.org,2002:python/object:os.system is a tag"),
        ("a: *x", "1:4 *x is an anchor or alias"),
        (
            "a:\n\t- b",
            "2:1 this is not valid YAML: YAML does not allow tabs for indentation; indent with spaces",
        ),
        ("a: 1\n---\nb: 2", "2:1 a second document starts here"),
    ],
)
def test_what_would_be_misread_is_told(written: str, told: str) -> None:
    assert problem(written).startswith(told)


def test_comments_of_a_configuration_stay_comments() -> None:
    node, problems = read_document("port: 80 #default", source="hub.yaml")

    assert node is not None
    assert (plain(node), problems) == ({"port": 80}, [])


DOCUMENT = """\
routes:
  - id: lead
    when:
      contact.tags: { none_of: [a] }
      "a/b": 1
    steps:
      - use: slack.post
"""


@pytest.mark.parametrize(
    ("pointer", "line", "column", "key"),
    [
        ("", 1, 1, ""),
        ("/routes", 2, 3, "routes"),
        ("/routes/0/id", 2, 9, "routes[0].id"),
        ("/routes/0/when/contact.tags/none_of/0", 4, 33, "routes[0].when.contact.tags.none_of[0]"),
        ("/routes/0/when/a~1b", 5, 14, "routes[0].when.a/b"),
        ("/routes/0/steps/0/use", 7, 14, "routes[0].steps[0].use"),
        ("/routes/0/steps/0/with/x", 7, 9, "routes[0].steps[0]"),
        ("/routes/7", 2, 3, "routes"),
    ],
)
def test_a_pointer_leads_to_its_place(pointer: str, line: int, column: int, key: str) -> None:
    node, _ = read_document(DOCUMENT, source="routes.yaml")
    assert node is not None
    spot = spot_of(node, pointer)

    assert (spot.place.line, spot.place.column, spot.key) == (line, column, key)


WITHIN = """\
a: plain >X
b: "in \\"quotes\\" >X"
c: 'it''s >X'
d: >-
  folded
  >X

  # text >Y
e: |
    kept
      >X
f: plain
   on >X
g: [x, "two
   lines >X"]
h: "tab\\t >X"
i: "\\x41 >X"
"""


@pytest.mark.parametrize(
    ("pointer", "sign", "line", "column"),
    [
        ("/a", "X", 1, 11),
        ("/b", "X", 2, 20),
        ("/c", "X", 3, 12),
        ("/d", "X", 6, 4),
        ("/d", "Y", 8, 11),
        ("/e", "X", 11, 8),
        ("/f", "X", 13, 8),
        ("/g/1", "X", 15, 11),
        # Characters that are written as escapes: where the text begins.
        ("/h", "X", 16, 4),
        ("/i", "X", 17, 4),
    ],
)
def test_a_character_of_a_text_leads_to_its_place(pointer: str, sign: str, line: int, column: int) -> None:
    node, _ = read_document(WITHIN, source="routes.yaml", is_prose=True)
    assert node is not None
    text = plain(node)
    for part in pointer.split("/")[1:]:
        text = text[int(part)] if isinstance(text, list) else text[part]  # type: ignore[index]
    assert isinstance(text, str)
    place = spot_of(node, pointer, offset=text.index(f">{sign}") + 1).place

    assert (place.line, place.column) == (line, column)


def test_a_key_can_be_pointed_at() -> None:
    node, _ = read_document(DOCUMENT, source="routes.yaml")
    assert node is not None

    assert spot_of(node, "/routes/0/steps", at_key=True).place.column == 5


@given(st.text(max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    node, problems = read_document(text, source="routes.yaml", is_prose=True)

    if node is None:
        assert problems
    else:
        plain(node)
