"""The operators, on plain values of fitting kinds only, with bounded results."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from hub.rules.expressions.frame import Frame
from hub.rules.expressions.limits import MOST_BITS, MOST_ITEMS
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import (
    Kind,
    are_equal,
    as_text,
    check_length,
    described,
    is_number,
    kind_of,
)

Binary = Callable[[Frame, Any, Any], Any]


def check_number(value: int | float) -> int | float:
    """Give the result of arithmetic back, unless it is too large or no number."""
    if value.bit_length() <= MOST_BITS if isinstance(value, int) else math.isfinite(value):
        return value
    raise Refused(
        what="the result is too large",
        why="no amount, count or time is that large",
        fix="Check the numbers that go into it",
    )


def _arithmetic(sign: str, compute: Callable[[Any, Any], Any]) -> Binary:
    def apply(frame: Frame, left: Any, right: Any) -> Any:
        if not (is_number(left) and is_number(right)):
            raise _not_numbers(sign, left, right)
        try:
            return check_number(compute(left, right))
        except ZeroDivisionError:
            raise Refused(
                what="this divides by zero",
                why="there is no result",
                fix="Ask first: a / b if b != 0 else 0",
            ) from None
        except OverflowError:
            return check_number(math.inf)

    return apply


def _not_numbers(sign: str, left: Any, right: Any) -> Refused:
    odd = right if is_number(left) else left
    kind = kind_of(odd)
    fix = {
        Kind.TEXT: "Make a number of the text: … | int, or … | float",
        Kind.NULL: "Say what to take instead of null: … | default(0)",
    }.get(kind, "Name the number that you want")
    return Refused(what=f"{sign} is given {described(odd)}", why="it takes two numbers", fix=fix)


_add_numbers: Final = _arithmetic("+", operator.add)


def add(frame: Frame, left: Any, right: Any) -> Any:
    """Add numbers, or put two texts or two lists together."""
    if type(left) is str and type(right) is str:
        return join(frame, left, right)
    if type(left) is list and type(right) is list:
        if len(left) + len(right) > MOST_ITEMS:
            raise Refused(
                what=f"a list of more than {MOST_ITEMS} items is made here",
                why="what expressions make is bounded",
                fix="Take a part of the lists, for instance [:100]",
            )
        frame.spend_on_items(len(left) + len(right))
        return left + right
    if type(left) is str or type(right) is str:
        odd = right if type(left) is str else left
        raise Refused(
            what=f"+ is given text and {described(odd)}",
            why="it adds numbers, or puts two texts or two lists together",
            fix="Write ~ to put values together as text, or make a number of the text: … | int",
        )
    return _add_numbers(frame, left, right)


def join(frame: Frame, left: str, right: str) -> str:
    """Put two texts together."""
    check_length(len(left) + len(right))
    frame.spend_on_text(left)
    frame.spend_on_text(right)
    return left + right


def concatenate(frame: Frame, values: list[Any]) -> str:
    """Put values together as text."""
    parts = [as_text(value) for value in values]
    check_length(sum(map(len, parts)))
    text = "".join(parts)
    frame.spend_on_text(text)
    return text


ARITHMETIC: Final[dict[str, Binary]] = {
    "Add": add,
    "Sub": _arithmetic("-", operator.sub),
    "Mul": _arithmetic("*", operator.mul),
    "Div": _arithmetic("/", operator.truediv),
    "FloorDiv": _arithmetic("//", operator.floordiv),
    "Mod": _arithmetic("%", operator.mod),
}


def negate(value: Any) -> Any:
    """Change the sign of a number."""
    if not is_number(value):
        raise Refused(
            what=f"- is given {described(value)}", why="it takes a number", fix="Write … | int first"
        )
    return -value


# ---- comparisons


def _ordered(sign: str, compare: Callable[[Any, Any], bool]) -> Binary:
    def apply(frame: Frame, left: Any, right: Any) -> bool:
        if (type(left) is int or type(left) is float) and (type(right) is int or type(right) is float):
            return compare(left, right)
        if type(left) is str and type(right) is str:
            return compare(left, right)
        raise _incomparable(sign, left, right)

    return apply


def _incomparable(sign: str, left: Any, right: Any) -> Refused:
    kinds = {kind_of(left), kind_of(right)}
    if kinds == {Kind.TEXT, Kind.NUMBER}:
        fix = "Make a number of the text: … | int, or … | float"
    elif Kind.NULL in kinds:
        fix = "Say what to take instead of null: … | default(0)"
    else:
        fix = "Compare numbers with numbers, and texts with texts"
    return Refused(
        what=f"{sign} compares {described(left)} with {described(right)}",
        why="only two numbers, or two texts, have an order",
        fix=fix,
    )


def _equal(frame: Frame, left: Any, right: Any) -> bool:
    return are_equal(left, right, frame)


def _unequal(frame: Frame, left: Any, right: Any) -> bool:
    return not are_equal(left, right, frame)


def contains(frame: Frame, item: Any, container: Any) -> bool:
    """Tell whether a text has a part, a list an item, or a map a key."""
    kind = kind_of(container)
    if kind is Kind.LIST:
        frame.spend_on_items(len(container))
        return any(are_equal(item, each, frame) for each in container)
    if type(item) is str and kind is Kind.MAP:
        return item in container
    if type(item) is str and kind is Kind.TEXT:
        frame.spend_on_text(container)
        return item in container
    if kind in {Kind.MAP, Kind.TEXT}:
        raise Refused(
            what=f"in looks for {described(item)} in {kind.value}",
            why="a text has texts in it, and the keys of a map are texts",
            fix="Make text of it: (… | string) in …",
        )
    raise Refused(
        what=f"in looks into {described(container)}",
        why="it looks into a list, a text or a map",
        fix="Write == to compare with one value"
        if kind is not Kind.NULL
        else "Say what to take instead of null: … in (… | default([]))",
    )


def _lacks(frame: Frame, item: Any, container: Any) -> bool:
    return not contains(frame, item, container)


#: By the names that Jinja2 gives them.
COMPARISONS: Final[dict[str, Binary]] = {
    "eq": _equal,
    "ne": _unequal,
    "gt": _ordered(">", operator.gt),
    "gteq": _ordered(">=", operator.ge),
    "lt": _ordered("<", operator.lt),
    "lteq": _ordered("<=", operator.le),
    "in": contains,
    "notin": _lacks,
}
