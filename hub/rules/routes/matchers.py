"""The matchers of `when`: what each takes, and the test it makes of it.

Strict about types, as the conditions of webhooks are: nothing is converted, so `"1"` is not `1`. Where the event has a
list (`contact.tags`), a matcher that asks for one value looks at its items. A missing field fails every matcher but
`exists: false`, because events differ; the explanation then says `missing`. Null counts as nothing for `exists`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from hub.rules.condition_operators import equals
from hub.rules.consent import folded
from hub.rules.expressions.filters.patterns import compiled_pattern, search
from hub.rules.expressions.problems import Refused

Test = Callable[[object], bool]
Normalize = Callable[[str], str]

MOST_ITEMS: Final = 1000
LONGEST_TEXT: Final = 1000

#: How texts are made comparable before they are compared.
NORMALIZATIONS: Final[Mapping[str, Normalize]] = {
    "none": lambda text: text,
    "casefold": lambda text: text.casefold(),
    "keyword": folded,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Matcher:
    """One comparison between what an event has and what a route asks for."""

    name: str
    summary: str
    #: Says why an operand does not fit, or None if it does.
    fault: Callable[[object], str | None]
    #: Makes the test for a fitting operand; the value is never missing.
    build: Callable[[object, Normalize], Test]


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _normal(value: object, normalize: Normalize) -> object:
    return normalize(value) if isinstance(value, str) else value


# ---- tests


def is_value(operand: object, normalize: Normalize) -> Test:
    """The plain form: equal, or a list that has it."""
    wanted = _normal(operand, normalize)

    def test(value: object) -> bool:
        if isinstance(value, list) and not isinstance(wanted, list):
            return any(equals(_normal(each, normalize), wanted) for each in value)
        return equals(_normal(value, normalize), wanted)

    return test


def _any_of(operand: object, normalize: Normalize) -> Test:
    wanted = _items(operand)
    texts = frozenset(normalize(each) for each in wanted if isinstance(each, str))
    others = tuple(each for each in wanted if not isinstance(each, str))

    def holds(each: object) -> bool:
        if isinstance(each, str):
            return normalize(each) in texts
        return any(equals(each, other) for other in others)

    return lambda value: any(holds(each) for each in _items(value))


def _none_of(operand: object, normalize: Normalize) -> Test:
    any_of = _any_of(operand, normalize)
    return lambda value: not any_of(value)


def _all_of(operand: object, normalize: Normalize) -> Test:
    tests = [is_value(each, normalize) for each in _items(operand)]
    return lambda value: all(test(value) for test in tests)


def _contains(operand: object, normalize: Normalize) -> Test:
    wanted = _normal(operand, normalize)

    def test(value: object) -> bool:
        if isinstance(value, str):
            return isinstance(wanted, str) and wanted in normalize(value)
        return isinstance(value, list) and any(equals(_normal(each, normalize), wanted) for each in value)

    return test


def _affix(holds: Callable[[str, str], bool]) -> Callable[[object, Normalize], Test]:
    def build(operand: object, normalize: Normalize) -> Test:
        wanted = normalize(str(operand))
        return lambda value: isinstance(value, str) and holds(normalize(value), wanted)

    return build


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object, Normalize], Test]:
    def build(operand: object, normalize: Normalize) -> Test:
        del normalize
        if isinstance(operand, str):
            return lambda value: isinstance(value, str) and compare(value, operand)
        return lambda value: is_number(value) and compare(value, operand)

    return build


def _between(operand: object, normalize: Normalize) -> Test:
    low, high = _items(operand)
    least, most = _ordered(operator.ge)(low, normalize), _ordered(operator.le)(high, normalize)
    return lambda value: least(value) and most(value)


def _cidr(operand: object, normalize: Normalize) -> Test:
    del normalize
    networks = [network for each in _items(operand) if (network := _network(each)) is not None]

    def test(value: object) -> bool:
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            return False
        try:
            address = ip_address(value)
        except ValueError:
            return False
        return any(address in network for network in networks if network.version == address.version)

    return test


def is_number(value: object) -> bool:
    """Tell a number from everything else, true and false included."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# ---- operands


def scalar_fault(operand: object) -> str | None:
    """Say why an operand is not one value."""
    if operand is None or isinstance(operand, (bool, int, float)):
        return None
    if isinstance(operand, str):
        return None if len(operand) <= LONGEST_TEXT else f"a text has at most {LONGEST_TEXT} characters"
    return "it takes a text, a number, true, false or null"


def list_fault(operand: object) -> str | None:
    """Say why an operand is not a list of values."""
    if not isinstance(operand, list) or not operand:
        return "it takes a list of at least one value"
    if len(operand) > MOST_ITEMS:
        return f"a list has at most {MOST_ITEMS} values"
    return next((fault for each in operand if (fault := scalar_fault(each))), None)


def _either_fault(operand: object) -> str | None:
    return list_fault(operand) if isinstance(operand, list) else scalar_fault(operand)


def _text_fault(operand: object) -> str | None:
    if not isinstance(operand, str) or not operand:
        return "it takes a text that is not empty"
    return scalar_fault(operand)


def _part_fault(operand: object) -> str | None:
    return "the empty text is part of every text" if operand == "" else scalar_fault(operand)


def _comparable_fault(operand: object) -> str | None:
    return None if isinstance(operand, str) or is_number(operand) else "it takes a number or a text"


def _between_fault(operand: object) -> str | None:
    if not isinstance(operand, list) or len(operand) != 2:
        return "it takes a list of two: the least and the most"
    faults = [fault for each in operand if (fault := _comparable_fault(each))]
    if faults:
        return faults[0]
    low, high = operand
    if isinstance(low, str) is not isinstance(high, str):
        return "both ends are of one kind, two numbers or two texts"
    return None if low <= high else "its first value is the lesser one"


def _network(written: object) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(str(written), strict=False)
    except ValueError:
        return None


def _cidr_fault(operand: object) -> str | None:
    if not isinstance(operand, (str, list)) or not operand or len(operand) > MOST_ITEMS:
        return "it takes a network such as 10.0.0.0/8, or a list of them"
    bad = next((each for each in _items(operand) if _network(each) is None), None)
    return None if bad is None else f"{str(bad)[:40]!r} is no network; one looks like 10.0.0.0/8"


def _flag_fault(operand: object) -> str | None:
    return None if isinstance(operand, bool) else "it takes true or false"


def _exists(operand: object, normalize: Normalize) -> Test:
    """Of what the event has; null is what events say where there is nothing."""
    del normalize
    return lambda value: (value is not None) is operand


def _pattern_fault(operand: object) -> str | None:
    fault = _text_fault(operand)
    if fault is not None:
        return fault
    try:
        compiled_pattern(str(operand))
    except Refused as refused:
        return f"{refused.what}: {refused.why}"
    return None


def _matches(operand: object, normalize: Normalize) -> Test:
    pattern = compiled_pattern(str(operand))
    return lambda value: isinstance(value, str) and search(pattern, normalize(value)) is not None


def _entry(
    name: str,
    summary: str,
    fault: Callable[[object], str | None],
    build: Callable[[object, Normalize], Test],
) -> Matcher:
    return Matcher(name=name, summary=summary, fault=fault, build=build)


#: Alphabetical.
MATCHERS: Final[Mapping[str, Matcher]] = {
    each.name: each
    for each in (
        _entry("all_of", "A list has all of these.", list_fault, _all_of),
        _entry("any_of", "Equal to one of these, or a list that has one of them.", list_fault, _any_of),
        _entry("between", "From the first to the second, both included.", _between_fault, _between),
        _entry("cidr", "An IP address within this network, or one of these.", _cidr_fault, _cidr),
        _entry("contains", "A text has this part, or a list has this value.", _part_fault, _contains),
        _entry("ends_with", "A text ends with this.", _text_fault, _affix(str.endswith)),
        _entry("exists", "true: there is a value; false: there is none, or null.", _flag_fault, _exists),
        _entry("gt", "Greater; texts by code point.", _comparable_fault, _ordered(operator.gt)),
        _entry("gte", "Greater or equal.", _comparable_fault, _ordered(operator.ge)),
        _entry("lt", "Less; texts by code point.", _comparable_fault, _ordered(operator.lt)),
        _entry("lte", "Less or equal.", _comparable_fault, _ordered(operator.le)),
        _entry("matches", "A text has a part that fits this pattern (RE2).", _pattern_fault, _matches),
        _entry("none_of", "Equal to none of these, and no list that has one.", list_fault, _none_of),
        _entry("not", "Neither this value nor, of a list, any of these.", _either_fault, _none_of),
        _entry("starts_with", "A text begins with this.", _text_fault, _affix(str.startswith)),
    )
}
