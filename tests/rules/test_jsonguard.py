"""Harmful JSON: each kind with its place, what only looks harmful, and agreement with a parser's view."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.rules.jsonguard import check_json


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        rb'{"a": "\u00e9 \ud83d\ude00 \\u0000 \\ud800 \\\\u0000 \" \\"}',
        rb'["\uD83D\uDE00\uD83D\uDE00"]',
        '["é😀"]'.encode(),
        b'["[[[[[[[[[[[[[[[["]',
        rb'["\"[[[[[[[[", "\\", "[[[[[[[["]',
        b"[[[[]]], [[[]]], [[[]]]]",
        b"[9223372036854775807, -9223372036854775808]",
        b"[0.12345678901234567890123, 1e99, 1E+99, 1e-999, 1.5e+0007]",
        b'["99999999999999999999", "1e999", "12e0001"]',
        b'["5e100", 1.00000000000000000000001]',
        b"] [[[ not json",
    ],
)
def test_harmless_bodies_pass(body: bytes) -> None:
    """Escaped backslashes, brackets and digits inside texts, and ordinary numbers are not harmful."""
    assert check_json(body, max_depth=4) is None


@pytest.mark.parametrize(
    ("body", "offset", "words"),
    [
        (b'["a\xff"]', 3, "not UTF-8"),
        (b'["\xed\xa0\x80"]', 2, "not UTF-8"),
        (b'["\xc3', 2, "not UTF-8"),
        (rb'["\u0000"]', 2, "NUL character"),
        (rb'["\\\u0000"]', 4, "NUL character"),
        (rb'["\ud800"]', 2, "surrogate"),
        (rb'["\uDFFF"]', 2, "surrogate"),
        (rb'["\ud800\ud800\udc00"]', 2, "surrogate"),
        (rb'["\ud800\udc00\udc00"]', 14, "surrogate"),
        (rb'["\ud800 \udc00"]', 2, "surrogate"),
        (rb'["\ud800\\udc00"]', 2, "surrogate"),
        (b"[[[[[]]]]]", 4, "deeper than 4"),
        (b'{"a":{"b":{"c":{"[":[]}}}}', 20, "deeper than 4"),
        (rb'["\"]]]]", [[[[]]]]', 14, "deeper than 4"),
        (b"[" * 100_000, 4, "deeper than 4"),
        (b"[9223372036854775808]", 1, "number too large"),
        (b"[-9223372036854775809]", 1, "number too large"),
        (b'{"a": 1, "b\xc3\xa9": 100000000000000000000}', 16, "number too large"),
        (b"[1e100]", 1, "number too large"),
        (b"[1.5E+000100]", 3, "number too large"),
        (b"9" * 5_000, 0, "number too large"),
        (b"[1, 1.e400]", 5, "number too large"),
    ],
)
def test_harmful_bodies_are_refused_with_their_place(body: bytes, offset: int, words: str) -> None:
    """The problem names its kind and the byte where it stands."""
    problem = check_json(body, max_depth=4)

    assert problem is not None
    assert words in problem.what
    assert problem.offset == offset


def test_a_problem_reads_as_sentences() -> None:
    """Line and column are those an editor shows: characters, not bytes."""
    problem = check_json('{\n  "é": "ü\\u0000"\n}'.encode())

    assert str(problem) == (
        r"The body has a NUL character (\u0000), which cannot be stored (line 2, column 10). Leave it out."
    )


texts = st.text(st.characters() | st.sampled_from('\\"[]{}0\x00\ud83d\ude00\ud800é'), max_size=8)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def is_storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, float):
        return "e+" not in repr(value) or int(repr(value).partition("e+")[2]) < 100
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    items = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return all(map(is_storable, items))


@given(json_values, st.integers(1, 4), st.sampled_from([None, 2]))
@example([[[[0]]]], 3, None)
def test_agrees_with_a_look_at_the_parsed_value(value: object, max_depth: int, indent: int | None) -> None:
    """A body is refused exactly if its value is too deep or cannot be stored."""
    body = json.dumps(value, indent=indent).encode()
    parsed = json.loads(body)  # surrogate halves that met in one text have become a character

    problem = check_json(body, max_depth=max_depth)

    assert (problem is None) == (depth_of(parsed) <= max_depth and is_storable(parsed))


@given(st.binary(max_size=60) | st.text('[]{}"\\u0dD8cC9eE+-., \n', max_size=60).map(str.encode))
def test_no_bytes_raise_and_places_are_inside(body: bytes) -> None:
    """Whatever arrives is judged, not crashed on; and what passes can be parsed without harm."""
    problem = check_json(body, max_depth=3)

    if problem is not None:
        assert 0 <= problem.offset < len(body)
        assert problem.line >= 1
        assert problem.column >= 1
        return
    try:
        value = json.loads(body)
    except ValueError:
        return
    assert depth_of(value) <= 3
    json.dumps(value, ensure_ascii=False).encode()
