"""The operators of a condition: what each takes, and the test it makes of it.

Strict about types: nothing is converted, so `"1"` is not `1`, `1` is not `true`, and a comparison between kinds
is simply false. A missing value passes `$neq`, `$nin` and `$exists: false` only; null is a value like any other.
There is no pattern operator on purpose: a foreign regular expression can stall the whole hub.
"""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.condition_paths import MISSING

_LONGEST_TEXT: Final = 1000
_MOST_ITEMS: Final = 1000
_MOST_NESTING: Final = 8

Test = Callable[[object], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Operator:
    """One comparison between the payload's value and the condition's."""

    name: str
    summary: str
    #: Says why an operand does not fit, or None if it does.
    fault: Callable[[object], str | None]
    #: Makes the test for a fitting operand.
    build: Callable[[object], Test]


def equals(left: object, right: object) -> bool:
    """Compare two JSON values: `1` equals `1.0`, but nothing else crosses kinds, at any depth."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(right, Mapping):
        return (
            isinstance(left, Mapping)
            and left.keys() == right.keys()
            and all(equals(left[key], value) for key, value in right.items())
        )
    if isinstance(right, list):
        return (
            isinstance(left, list)
            and len(left) == len(right)
            and all(equals(one, other) for one, other in zip(left, right, strict=True))
        )
    return left == right


# ---- tests


def _equal(operand: object) -> Test:
    if operand is None or isinstance(operand, bool):
        return lambda value: value is operand
    if isinstance(operand, str):
        return lambda value: value == operand
    return lambda value: equals(value, operand)


def _not_equal(operand: object) -> Test:
    equal = _equal(operand)
    return lambda value: not equal(value)


def _among(operand: object) -> Test:
    items = _as_list(operand)
    texts = frozenset(item for item in items if isinstance(item, str))
    numbers = frozenset(item for item in items if _is_number(item))
    singles = tuple(item for item in items if item is None or isinstance(item, bool))

    def test(value: object) -> bool:
        if isinstance(value, str):
            return value in texts
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value in numbers
        return any(value is single for single in singles)

    return test


def _not_among(operand: object) -> Test:
    among = _among(operand)
    return lambda value: not among(value)


def _exists(operand: object) -> Test:
    if operand is True:
        return lambda value: value is not MISSING
    return lambda value: value is MISSING


def _contains(operand: object) -> Test:
    def test(value: object) -> bool:
        if isinstance(value, str):
            return isinstance(operand, str) and operand in value
        return isinstance(value, list) and any(equals(item, operand) for item in value)

    return test


def _starts_with(operand: object) -> Test:
    text = str(operand)
    return lambda value: isinstance(value, str) and value.startswith(text)


def _ends_with(operand: object) -> Test:
    text = str(operand)
    return lambda value: isinstance(value, str) and value.endswith(text)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object], Test]:
    def build(operand: object) -> Test:
        if isinstance(operand, str):
            return lambda value: isinstance(value, str) and compare(value, operand)
        return lambda value: _is_number(value) and compare(value, operand)

    return build


# ---- operands


def _value_fault(operand: object) -> str | None:
    return _fault_of_value(operand, _MOST_NESTING)


def _fault_of_value(operand: object, nesting_left: int) -> str | None:
    if nesting_left == 0:
        return f"a compared value is nested at most {_MOST_NESTING} deep"
    if isinstance(operand, str):
        return None if len(operand) <= _LONGEST_TEXT else f"a text has at most {_LONGEST_TEXT} characters"
    if isinstance(operand, float):
        return None if math.isfinite(operand) else "a number is finite"
    if isinstance(operand, (list, Mapping)):
        return _fault_of_items(operand, nesting_left - 1)
    is_plain = operand is None or isinstance(operand, (bool, int))
    return None if is_plain else f"{type(operand).__name__} is not a JSON value"


def _fault_of_items(operand: list[object] | Mapping[object, object], nesting_left: int) -> str | None:
    if len(operand) > _MOST_ITEMS:
        return f"a list has at most {_MOST_ITEMS} items"
    items = operand.values() if isinstance(operand, Mapping) else operand
    faults = (_fault_of_value(item, nesting_left) for item in items)
    return next((fault for fault in faults if fault), None)


def _scalar_fault(operand: object) -> str | None:
    if isinstance(operand, (list, Mapping)):
        return "it takes a text, a number, true, false or null"
    return "the empty text is part of every text" if operand == "" else _value_fault(operand)


def _comparable_fault(operand: object) -> str | None:
    if isinstance(operand, str) or _is_number(operand):
        return _value_fault(operand)
    return "it takes a number or a text"


def _list_fault(operand: object) -> str | None:
    if not isinstance(operand, list) or not operand:
        return "it takes a list of at least one value"
    if any(isinstance(item, (list, Mapping)) for item in operand):
        return "its list holds texts, numbers, true, false or null only"
    return _value_fault(operand)


def _text_fault(operand: object) -> str | None:
    if not isinstance(operand, str) or not operand:
        return "it takes a text that is not empty"
    return _value_fault(operand)


def _flag_fault(operand: object) -> str | None:
    return None if isinstance(operand, bool) else "it takes true or false"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_list(operand: object) -> list[object]:
    return operand if isinstance(operand, list) else [operand]


#: Alphabetical.
OPERATORS: Final[dict[str, Operator]] = {
    entry.name: entry
    for entry in (
        Operator(
            name="$contains",
            summary="A text has this part, or a list has this item.",
            fault=_scalar_fault,
            build=_contains,
        ),
        Operator(
            name="$ends_with", summary="A text ends with this text.", fault=_text_fault, build=_ends_with
        ),
        Operator(
            name="$eq",
            summary="Equal; the same as writing the plain value.",
            fault=_value_fault,
            build=_equal,
        ),
        Operator(
            name="$exists",
            summary="true: there is a value, perhaps null. false: there is none.",
            fault=_flag_fault,
            build=_exists,
        ),
        Operator(
            name="$gt",
            summary="Greater; texts by code point.",
            fault=_comparable_fault,
            build=_ordered(operator.gt),
        ),
        Operator(
            name="$gte", summary="Greater or equal.", fault=_comparable_fault, build=_ordered(operator.ge)
        ),
        Operator(name="$in", summary="Equal to one of these.", fault=_list_fault, build=_among),
        Operator(
            name="$lt",
            summary="Less; texts by code point.",
            fault=_comparable_fault,
            build=_ordered(operator.lt),
        ),
        Operator(name="$lte", summary="Less or equal.", fault=_comparable_fault, build=_ordered(operator.le)),
        Operator(name="$neq", summary="Not equal, or missing.", fault=_value_fault, build=_not_equal),
        Operator(
            name="$nin", summary="Equal to none of these, or missing.", fault=_list_fault, build=_not_among
        ),
        Operator(
            name="$starts_with",
            summary="A text starts with this text.",
            fault=_text_fault,
            build=_starts_with,
        ),
    )
}
