"""Filters that take lists, and those that take lists and texts alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.rules.condition_paths import MISSING
from hub.rules.expressions.access import follow
from hub.rules.expressions.frame import Frame
from hub.rules.expressions.limits import LONGEST_PATH
from hub.rules.expressions.offered import (
    ANY,
    ANY_OR_OMIT,
    BOOLEAN,
    LIST,
    MAP,
    NULL,
    NUMBER,
    TEXT,
    Example,
    Filter,
    Parameter,
    table,
)
from hub.rules.expressions.operators import check_number
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import OMIT, are_equal, described, is_number, legible, measure

Items = list[Any]


def length(frame: Frame, value: Any) -> int:
    return len(value)


def first(frame: Frame, value: Any) -> Any:
    return value[0] if value else None


def last(frame: Frame, value: Any) -> Any:
    return value[-1] if value else None


def unique(frame: Frame, value: Items) -> Items:
    measure(value, frame)
    kept: dict[object, object] = {}
    for item in value:
        kept.setdefault(_key(item), item)
    return list(kept.values())


def _key(value: Any) -> object:
    """Give what equal values, and only they, have in common."""
    if isinstance(value, list):
        return (list, *map(_key, value))
    if isinstance(value, dict):
        return (dict, frozenset((key, _key(each)) for key, each in value.items()))
    if isinstance(value, bool):
        return (bool, value)
    # Python's hash of a number can be foretold, and thousands that share one can be sent; that of a text cannot.
    if isinstance(value, float):
        return (int, hex(int(value))) if value.is_integer() else (float, value.hex())
    return (int, hex(value)) if isinstance(value, int) else value


def sort(frame: Frame, value: Items, path: str | None, reverse: bool) -> Items:
    frame.spend_on_items(4 * len(value))
    keys = _comparable(frame, value, path)
    order = sorted(range(len(value)), key=keys.__getitem__, reverse=reverse)
    return [value[place] for place in order]


def total(frame: Frame, value: Items, path: str | None) -> int | float:
    frame.spend_on_items(len(value))
    items = value if path is None else _all_at(frame, value, path)
    for item in items:
        if not is_number(item):
            raise Refused(
                what=f"sum meets {described(item)}",
                why="only numbers can be added up",
                fix="Name the field of the items that is a number: sum('amount')",
            )
    try:
        return check_number(sum(items))
    except OverflowError:
        return check_number(float("inf"))


def least(frame: Frame, value: Items) -> Any:
    return _extreme(frame, value, min)


def most(frame: Frame, value: Items) -> Any:
    return _extreme(frame, value, max)


def _extreme(frame: Frame, value: Items, choose: Callable[..., Any]) -> Any:
    frame.spend_on_items(len(value))
    return choose(_comparable(frame, value, None)) if value else None


def _comparable(frame: Frame, value: Items, path: str | None) -> Items:
    """Give what items are compared by, all texts or all numbers."""
    keys = value if path is None else _all_at(frame, value, path)
    if not (all(type(key) is str for key in keys) or all(is_number(key) for key in keys)):
        odd = next((key for key in keys if type(key) is not type(keys[0]) or not _is_plain(key)), None)
        raise Refused(
            what=f"a list is put in order that holds {described(odd)}",
            why="items are compared as texts or as numbers, all of them alike",
            fix="Name a field that all items have: sort('name')",
        )
    for key in keys:
        if type(key) is str:
            frame.spend_on_text(key)
    return keys


def _is_plain(value: object) -> bool:
    return type(value) is str or is_number(value)


def _all_at(frame: Frame, value: Items, path: str) -> Items:
    _spend_on_path(frame, value, path)
    return [_at(item, path) for item in value]


def _spend_on_path(frame: Frame, value: Items, path: str) -> None:
    if len(path) > LONGEST_PATH:
        raise Refused(
            what=f"a path has {len(path)} characters",
            why=f"{LONGEST_PATH} are allowed",
            fix="Write it like 'address.city'",
        )
    frame.spend_on_items(len(value) * (1 + path.count(".")))


def _at(item: object, path: str) -> Any:
    found = follow(item, path)
    if found is MISSING:
        raise Refused(
            what=f"an item has no {legible(path)}",
            why=f"it is {described(item)}" if not isinstance(item, dict) else _has(item),
            fix=f"Leave such items out before: … | where('{path}', …), or use map_attr('{path}', 'instead')"
            if path.isprintable()
            else "Name a field that all items have",
        )
    return found


def _has(item: dict[str, object]) -> str:
    return f"it has {', '.join(map(legible, list(item)[:8]))}" if item else "it is an empty map"


def map_attr(frame: Frame, value: Items, path: str, default: object) -> Items:
    if default is MISSING:
        return _all_at(frame, value, path)
    _spend_on_path(frame, value, path)
    found = (follow(item, path) for item in value)
    if default is OMIT:
        return [each for each in found if each is not MISSING]
    return [default if each is MISSING else each for each in found]


def where(frame: Frame, value: Items, path: str, wanted: object) -> Items:
    _spend_on_path(frame, value, path)
    asked = True if wanted is MISSING else wanted
    return [
        item
        for item in value
        if (found := follow(item, path)) is not MISSING and are_equal(found, asked, frame)
    ]


_PATH = Parameter(name="path", takes=TEXT | NULL, default=None)
_ORDERS = Example(expression="[{'n': 2}, {'n': 1}] | sort('n')", gives=[{"n": 1}, {"n": 2}])

FILTERS = table(
    Filter(
        name="first",
        summary="Gives the first item of a list or character of a text; null if there is none.",
        takes=LIST | TEXT,
        gives=ANY,
        apply=first,
        examples=(
            Example(expression="['a', 'b'] | first", gives="a"),
            Example(expression="[] | first", gives=None),
        ),
    ),
    Filter(
        name="last",
        summary="Gives the last item of a list or character of a text; null if there is none.",
        takes=LIST | TEXT,
        gives=ANY,
        apply=last,
        examples=(Example(expression="['a', 'b'] | last", gives="b"),),
    ),
    Filter(
        name="length",
        summary="Counts the characters of a text, the items of a list or the keys of a map.",
        takes=TEXT | LIST | MAP,
        gives=NUMBER,
        apply=length,
        examples=(
            Example(expression="'abc' | length", gives=3),
            Example(expression="[] | length", gives=0),
        ),
    ),
    Filter(
        name="map_attr",
        summary="Gives one field of each item, by a path such as `name` or `address.city`. An item without it is an "
        "error, unless "
        "something to take instead is given; `omit` leaves it out.",
        takes=LIST,
        gives=LIST,
        apply=map_attr,
        parameters=(
            Parameter(name="path", takes=TEXT),
            Parameter(name="default", takes=ANY_OR_OMIT, default=MISSING),
        ),
        examples=(
            Example(expression="[{'n': 'a'}, {'n': 'b'}] | map_attr('n')", gives=["a", "b"]),
            Example(expression="[{'n': 'a'}, {}] | map_attr('n', '?')", gives=["a", "?"]),
            Example(expression="[{'n': 'a'}, {}] | map_attr('n', omit)", gives=["a"]),
        ),
    ),
    Filter(
        name="max",
        summary="Gives the largest of numbers, or the last of texts by code point; null for an empty list.",
        takes=LIST,
        gives=NUMBER | TEXT | NULL,
        apply=most,
        examples=(Example(expression="[3, 10, 2] | max", gives=10),),
    ),
    Filter(
        name="min",
        summary="Gives the smallest of numbers, or the first of texts by code point; null for an empty list.",
        takes=LIST,
        gives=NUMBER | TEXT | NULL,
        apply=least,
        examples=(Example(expression="[3, 10, 2] | min", gives=2),),
    ),
    Filter(
        name="sort",
        summary="Puts items in order: numbers by size, texts by code point; maps by the field that a path names. "
        "Equal ones keep their order.",
        takes=LIST,
        gives=LIST,
        apply=sort,
        parameters=(_PATH, Parameter(name="reverse", takes=BOOLEAN, default=False)),
        examples=(
            Example(expression="[3, 1, 2] | sort", gives=[1, 2, 3]),
            _ORDERS,
            Example(expression="['b', 'a'] | sort(reverse=true)", gives=["b", "a"]),
        ),
    ),
    Filter(
        name="sum",
        summary="Adds up numbers, or the field of each item that a path names; 0 for an empty list.",
        takes=LIST,
        gives=NUMBER,
        apply=total,
        parameters=(_PATH,),
        examples=(
            Example(expression="[1, 2.5] | sum", gives=3.5),
            Example(expression="[{'n': 2}, {'n': 3}] | sum('n')", gives=5),
        ),
    ),
    Filter(
        name="unique",
        summary="Leaves out items that are equal to an earlier one.",
        takes=LIST,
        gives=LIST,
        apply=unique,
        examples=(Example(expression="['b', 'a', 'b'] | unique", gives=["b", "a"]),),
    ),
    Filter(
        name="where",
        summary="Keeps the items whose field, by a path, equals a value; without a value, those in which it is true.",
        takes=LIST,
        gives=LIST,
        apply=where,
        parameters=(
            Parameter(name="path", takes=TEXT),
            Parameter(name="value", takes=ANY, default=MISSING),
        ),
        examples=(
            Example(
                expression="[{'k': 'a', 'n': 1}, {'k': 'b', 'n': 2}] | where('k', 'b')",
                gives=[{"k": "b", "n": 2}],
            ),
            Example(expression="[{'ok': true}, {'ok': false}, {}] | where('ok')", gives=[{"ok": True}]),
        ),
    ),
)
