"""Compare what is expected with what came: maps as a part of it, `exactly:` as the whole, matchers as in `when`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hub.rules.condition_operators import equals
from hub.rules.condition_paths import MISSING
from hub.rules.routes.matchers import MATCHERS, NORMALIZATIONS

EXACTLY: Final = "exactly"
_NORMALIZE: Final = "normalize"
_LONGEST_SHOWN: Final = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One place at which it came otherwise."""

    #: `steps.note.with.body`.
    path: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.path}\n  expected  {self.expected}\n  got       {self.actual}"


def is_matcher(value: object) -> bool:
    """Tell a matcher from a map that is expected as a value."""
    if not isinstance(value, Mapping) or not value:
        return False
    names = set(value) - {_NORMALIZE}
    return bool(names) and names <= set(MATCHERS)


def differences(expected: Any, actual: Any, path: str) -> Iterator[Difference]:
    """Give everything in which something is not as expected.

    Args:
        expected: As written in a test.
        actual: What came; MISSING if nothing did.
        path: What it is called.
    """
    if isinstance(expected, Mapping) and set(expected) == {EXACTLY}:
        if actual is MISSING or not equals(actual, expected[EXACTLY]):
            yield difference(path, f"exactly {shown(expected[EXACTLY])}", shown(actual))
    elif is_matcher(expected):
        yield from _unmatched(expected, actual, path)
    elif isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for key, value in expected.items():
            yield from differences(value, actual.get(key, MISSING), f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(actual, (list, tuple)) and len(expected) == len(actual):
        for place, (want, got) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(want, got, f"{path}[{place}]")
    elif actual is MISSING or not equals(actual, expected):
        yield difference(path, shown(expected), shown(actual))


def difference(path: str, expected: str, actual: str) -> Difference:
    """Say that something is not as expected."""
    return Difference(path=path, expected=expected, actual=actual)


def shown(value: Any) -> str:
    """Write a value for a person: JSON, cut."""
    if value is MISSING:
        return "nothing"
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _unmatched(expected: Mapping[str, Any], actual: Any, path: str) -> Iterator[Difference]:
    normalize = NORMALIZATIONS.get(expected.get(_NORMALIZE, "none"), NORMALIZATIONS["none"])
    for name, operand in expected.items():
        if name == _NORMALIZE:
            continue
        if actual is MISSING:
            holds = name == "exists" and operand is False
        else:
            holds = MATCHERS[name].build(operand, normalize)(actual)
        if not holds:
            yield difference(path, f"{name}: {shown(operand)}", shown(actual))
