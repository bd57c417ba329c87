"""The values that expressions know: text, numbers, true and false, null, lists and maps. Nothing else gets in or out.

All that walks a value counts what it visits and how deep it is, so that no value, however made, is walked for long.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import Final

from hub.rules.condition_operators import equals
from hub.rules.expressions.limits import (
    CHARACTERS_A_UNIT,
    DEEPEST_VALUE,
    LONGEST_TEXT,
    MOST_BITS_AS_TEXT,
    MOST_VALUES,
    MOST_WORK,
    VISIT,
)
from hub.rules.expressions.problems import Refused

_LONGEST_SHOWN: Final = 40
#: Whole numbers up to here are written without an exponent.
_LARGEST_PLAIN_FLOAT: Final = 1e15


class Kind(Enum):
    """What a value is, in the words of messages."""

    TEXT = "text"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    NULL = "null"
    LIST = "a list"
    MAP = "a map"
    OMIT = "omit"


class Omitted:
    """The kind of `OMIT`, which takes the key whose value it is out of a map."""

    def __repr__(self) -> str:
        return "omit"


OMIT: Final = Omitted()

_KINDS: Final[Mapping[type, Kind]] = {
    str: Kind.TEXT,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    bool: Kind.BOOLEAN,
    type(None): Kind.NULL,
    list: Kind.LIST,
    dict: Kind.MAP,
    Omitted: Kind.OMIT,
}


class Work:
    """What one evaluation may still do, in units of `limits.MOST_WORK`."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_WORK

    def spend(self, units: int) -> None:
        """Count work before it is done; refuse it when it is too much."""
        self.left -= units
        if self.left < 0:
            raise Refused(
                what="this is too much work",
                why="an expression may do a bounded amount of it for one event, and these data ask for more",
                fix="Cut the text or the list first, for instance with truncate or a slice such as [:100]",
            )

    def spend_on_text(self, text: str) -> None:
        """Count that all characters of a text are looked at or written."""
        self.spend(1 + len(text) // CHARACTERS_A_UNIT)

    def spend_on_items(self, count: int) -> None:
        """Count that so many values are visited."""
        self.spend(1 + count * VISIT)


def kind_of(value: object) -> Kind:
    """Give the kind of a value, or refuse it because expressions do not know its like."""
    kind = _KINDS.get(type(value))
    if kind is None:
        raise Refused(
            what="a value here is none that an expression may use",
            why=f"it is a {type(value).__name__}; expressions know text, numbers, true, false, null, lists and maps",
            fix="This is a fault of the hub or of a connector: please report it",
        )
    return kind


def shown(value: object) -> str:
    """Write a value for a message, cut; what is inside lists and maps is not shown."""
    if isinstance(value, str):
        cut = value if len(value) <= _LONGEST_SHOWN else f"{value[: _LONGEST_SHOWN - 1]}…"
        return json.dumps(cut, ensure_ascii=not cut.isprintable())
    kind = kind_of(value)
    if kind in {Kind.LIST, Kind.MAP}:
        return str(kind.value)
    if isinstance(value, int) and value.bit_length() > _LONGEST_SHOWN * 3:
        return "a very large number"
    return "omit" if kind is Kind.OMIT else str(json.dumps(value))


def legible(text: str) -> str:
    """Write a name of data, which may be anything, for a message: cut, on one line, nothing invisible."""
    cut = text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
    return cut if cut.isprintable() else json.dumps(cut)[1:-1]


def described(value: object) -> str:
    """Say what a value is, as in `text ("abc")`."""
    kind = kind_of(value)
    if kind in {Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN}:
        return f"{kind.value} ({shown(value)})" if kind is not Kind.BOOLEAN else shown(value)
    return str(kind.value)


def is_number(value: object) -> bool:
    """Tell whether a value is a number; true and false are none."""
    return type(value) is int or type(value) is float


def as_text(value: object) -> str:
    """Write a value into text.

    Text stays, true and false are words, whole numbers have no `.0`.

    Raises:
        Refused: For null, lists and maps, which have no one right way to be written.
    """
    if isinstance(value, str):
        return value
    match kind_of(value):
        case Kind.NUMBER:
            return _number_as_text(value)
        case Kind.BOOLEAN:
            return "true" if value else "false"
        case Kind.NULL:
            raise Refused(
                what="null is put into text",
                why='it would be written as the word "null", which nobody wants to read',
                fix="Say what to write instead: … | default('')",
            )
        case Kind.LIST:
            fix = "Write … | join(', ') for its items, or … | tojson for JSON"
        case Kind.MAP:
            fix = "Write which of its fields you want, or … | tojson for JSON"
        case _:
            fix = "Write default(omit) only where the whole value is one {{ … }}"
    raise Refused(
        what=f"{kind_of(value).value} is put into text", why="there is no one way to write it", fix=fix
    )


def _number_as_text(value: object) -> str:
    if isinstance(value, float):
        is_plain = math.isfinite(value) and value.is_integer() and abs(value) < _LARGEST_PLAIN_FLOAT
        return str(int(value)) if is_plain else repr(value)
    if isinstance(value, int) and value.bit_length() <= MOST_BITS_AS_TEXT:
        return str(value)
    raise Refused(
        what="a number is put into text that has too many digits",
        why="no number that means something is that long",
        fix="Check where it comes from",
    )


def bounded(text: str) -> str:
    """Give a text that an expression has made back, unless it is too long."""
    check_length(len(text))
    return text


def check_length(length: int) -> None:
    """Refuse a text that would be too long, before it is made."""
    if length > LONGEST_TEXT:
        raise Refused(
            what=f"a text of more than {LONGEST_TEXT} characters is made here",
            why="what expressions make is bounded",
            fix="Cut what it is made of, for instance with truncate(1000)",
        )


def measure(value: object, work: Work) -> None:
    """Visit all that is in a value, and refuse one that is too large, too deep or of a foreign type."""
    kind = kind_of(value)
    if kind is Kind.TEXT:
        work.spend_on_text(str(value))
        return
    if kind is Kind.NUMBER:
        _check_writable(value)
        return
    level: list[object] = [value]
    depth = visited = 0
    while level:
        visited += len(level)
        work.spend_on_items(len(level))
        if depth > DEEPEST_VALUE or visited > MOST_VALUES:
            raise Refused(
                what="a value here is too large or nested too deep",
                why=f"{MOST_VALUES} values within a value and {DEEPEST_VALUE} levels are allowed",
                fix="Take the part of it that you need",
            )
        level = _next_level(level, work)
        depth += 1


def _check_writable(value: object) -> None:
    """Refuse a number that JSON cannot have, or that no other system reads."""
    if isinstance(value, float) and math.isfinite(value):
        return
    if isinstance(value, int) and value.bit_length() <= MOST_BITS_AS_TEXT:
        return
    raise Refused(
        what="a number here has too many digits, or is infinite",
        why="no number that means something is like that, and none can be stored or sent",
        fix="Check where it comes from, or leave it out with omit",
    )


def _next_level(level: list[object], work: Work) -> list[object]:
    inner: list[object] = []
    for value in level:
        if isinstance(value, str):
            work.spend(len(value) // CHARACTERS_A_UNIT)
        elif isinstance(value, list):
            inner += value
        elif isinstance(value, dict):
            work.spend_on_items(len(value))
            if not all(type(key) is str for key in value):
                raise Refused(
                    what="a map here has a key that is not text",
                    why="keys of maps are text",
                    fix="Check where the map comes from",
                )
            inner += value.values()
        elif kind_of(value) is Kind.NUMBER:
            _check_writable(value)
        if len(inner) > MOST_VALUES:
            work.spend_on_items(len(inner))
            break
    return inner


def are_equal(left: object, right: object, work: Work) -> bool:
    """Compare two values: `1` equals `1.0`, but `"1"` does not equal `1` and `true` does not equal `1`."""
    if type(left) in (list, dict) and type(right) is type(left):
        measure(left, work)
        measure(right, work)
        return equals(left, right)
    if type(left) is bool or type(right) is bool:
        return left is right
    return left == right
