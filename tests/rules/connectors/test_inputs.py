"""Inputs get the kinds that schemas want; what cannot is told. A full validator agrees about what is right."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are another package

from hub.rules.connectors.inputs import fit, problems_of
from hub.rules.connectors.schemas import Schema, for_editors, read_schema
from hub.rules.routes.document import Reading


def schema(**written: Any) -> Schema:
    """Read the schema of one input called `x`."""
    reading = Reading()
    found = read_schema(reading, {"type": "object", "properties": {"x": written}}, "")
    assert reading.problems == []
    return found


#: Schema, what is given, what the provider gets.
FITTED: list[tuple[dict[str, Any], object, object]] = [
    ({"type": "string"}, 14155550123, "14155550123"),
    ({"type": "string"}, 1.5, "1.5"),
    ({"type": "string"}, 2.0, "2"),
    ({"type": "string"}, True, "true"),
    ({"type": "string"}, "+14155550123", "+14155550123"),
    ({"type": "string", "format": "e164"}, 14155550123, "+14155550123"),
    ({"type": "string", "format": "e164"}, "+1 (415) 555-0123", "+14155550123"),
    ({"type": "string", "format": "email"}, " ann@example.com ", "ann@example.com"),
    ({"type": "string", "format": "datetime"}, 1787306400000, "2026-08-21T10:00:00.000Z"),
    ({"type": "string", "format": "datetime"}, "2026-08-21T12:00:00+02:00", "2026-08-21T10:00:00.000Z"),
    ({"type": "string", "format": "date"}, "2026-08-21", "2026-08-21"),
    ({"type": "integer"}, "3", 3),
    ({"type": "integer"}, 3, 3),
    ({"type": "number"}, "1.10", 1.1),
    ({"type": "boolean"}, "false", False),
    ({"type": ["string", "null"]}, None, None),
    ({"type": ["integer", "string"]}, "3", "3"),
    ({"type": "array", "items": {"type": "string"}}, [1, "b"], ["1", "b"]),
    ({}, {"any": [1, None]}, {"any": [1, None]}),
    ({"type": "object", "additionalProperties": True}, {"a": 1}, {"a": 1}),
]


@pytest.mark.parametrize(("written", "given_value", "wanted"), FITTED)
def test_an_input_gets_the_kind_that_is_wanted(
    written: dict[str, Any], given_value: object, wanted: object
) -> None:
    assert fit(schema(**written), {"x": given_value}) == {"x": wanted}


REFUSED: list[tuple[dict[str, Any], object, str]] = [
    ({"type": "string"}, [1], "it is to be text"),
    ({"type": "integer"}, "3.5", "it is to be a whole number"),
    ({"type": "integer"}, "three", "it is to be a whole number"),
    ({"type": "number"}, "1e5", "it is to be a number"),
    ({"type": "boolean"}, "yes", "it is to be true or false"),
    ({"type": "boolean"}, 1, "it is to be true or false"),
    ({"type": "string", "format": "e164"}, "0171 234", "it is no phone number with its country"),
    ({"type": "string", "format": "email"}, "ann", "it is no e-mail address"),
    ({"type": "string", "format": "datetime"}, "2026-08-21T10:00:00", "it is no instant"),
    ({"type": "string", "format": "datetime"}, 1787306400, "it is no instant"),
    ({"type": "string", "maxLength": 2}, "abc", "2 are the most"),
    ({"type": "string", "enum": ["GET", "POST"]}, "PSOT", "it is one of GET, POST"),
    ({"type": "string", "pattern": "^a+$"}, "b", "it is to fit ^a+$"),
    ({"type": "integer", "minimum": 1}, 0, "1 is the least"),
    ({"type": "array", "maxItems": 1}, [1, 2], "1 are the most"),
]


@pytest.mark.parametrize(("written", "given_value", "why"), REFUSED)
def test_what_does_not_fit_is_told(written: dict[str, Any], given_value: object, why: str) -> None:
    found = fit(schema(**written), {"x": given_value})

    assert isinstance(found, list)
    assert [each.pointer for each in found] == ["/x"]
    assert why in found[0].why


def test_null_counts_as_absent_and_defaults_take_its_place() -> None:
    assert fit(schema(type="string"), {"x": None}) == {}
    assert fit(schema(type="string", default="d"), {"x": None}) == {"x": "d"}


def test_a_slip_in_a_name_is_told_with_what_was_meant() -> None:
    found = fit(schema(type="string"), {"X": 1, "xx": 2})

    assert isinstance(found, list)
    assert [each.what for each in found] == ["there is no 'X' here", "there is no 'xx' here"]


def test_as_written_a_template_may_become_anything() -> None:
    wanted = schema(type="integer")

    assert problems_of(wanted, {"x": "{{ event.n }}"}) == []
    assert len(problems_of(wanted, {"x": "n"})) == 1


_TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, 1.5])
    | st.sampled_from(["", "a", "abc"])
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
_SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": _TYPES,
            "enum": st.lists(st.sampled_from(["a", "abc", 1]), min_size=1, max_size=2),
            "minLength": st.integers(0, 2),
            "maximum": st.integers(-2, 3),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["object", "array"])},
        optional={"items": inner, "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)},
    ),
    max_leaves=5,
)


@given(written=_SCHEMAS, value=_VALUES)
def test_a_full_validator_agrees(written: dict[str, Any], value: object) -> None:
    """What we take as it stands is right by the standard; what the standard takes, so do we, but for nulls left out."""
    whole = {"type": "object", "properties": {"x": written}, "required": ["x"]}
    reading = Reading()
    found = fit(read_schema(reading, whole, ""), {"x": value})
    told = for_editors(whole)
    is_right = Draft202012Validator(told).is_valid({"x": value})

    assert reading.problems == []
    if found == {"x": value} and repr(found) == repr({"x": value}):
        assert is_right
    elif is_right:
        assert value is None or "None" in repr(value)
    else:
        assert isinstance(found, list) or Draft202012Validator(told).is_valid(found)
