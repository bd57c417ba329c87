"""Filters that take maps, and `default`, which takes anything and nothing."""

from __future__ import annotations

from typing import Any

from hub.rules.condition_paths import MISSING
from hub.rules.expressions.frame import Frame
from hub.rules.expressions.offered import (
    ANY_OR_OMIT,
    BOOLEAN,
    MAP,
    TEXT,
    Example,
    Filter,
    Parameter,
    table,
)


def default(frame: Frame, value: Any, instead: Any, also_empty: bool) -> Any:
    if value is MISSING or value is None:
        return instead
    return instead if also_empty and not value else value


def merge(frame: Frame, value: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    frame.spend_on_items(len(value) + len(other))
    return {**value, **other}


def pick(frame: Frame, value: dict[str, Any], *keys: str) -> dict[str, Any]:
    frame.spend_on_items(len(keys))
    return {key: value[key] for key in keys if key in value}


def omit(frame: Frame, value: dict[str, Any], *keys: str) -> dict[str, Any]:
    frame.spend_on_items(len(value))
    return {key: each for key, each in value.items() if key not in keys}


_KEYS = (Parameter(name="key", takes=TEXT),)

FILTERS = table(
    Filter(
        name="default",
        summary="Gives something else if the value is missing or null; with `true` also if it is an empty text, list "
        "or map, 0 or false. "
        "Only the last name of a path may be missing: for `a.b.c` whose `b` may be missing, use `get`. "
        "`default(omit)` takes the whole key out of the map that the value is for.",
        takes=ANY_OR_OMIT,
        gives=ANY_OR_OMIT,
        apply=default,
        parameters=(
            Parameter(name="instead", takes=ANY_OR_OMIT),
            Parameter(name="also_empty", takes=BOOLEAN, default=False),
        ),
        examples=(
            Example(expression="none | default('there')", gives="there"),
            Example(expression="'' | default('there')", gives=""),
            Example(expression="'' | default('there', true)", gives="there"),
            Example(expression="{}.name | default('there')", gives="there"),
        ),
    ),
    Filter(
        name="merge",
        summary="Puts the keys of another map over those of this one.",
        takes=MAP,
        gives=MAP,
        apply=merge,
        parameters=(Parameter(name="other", takes=MAP),),
        examples=(Example(expression="{'a': 1, 'b': 2} | merge({'b': 3})", gives={"a": 1, "b": 3}),),
    ),
    Filter(
        name="omit",
        summary="Gives the map without some keys.",
        takes=MAP,
        gives=MAP,
        apply=omit,
        parameters=_KEYS,
        is_variadic=True,
        examples=(Example(expression="{'a': 1, 'b': 2} | omit('b', 'c')", gives={"a": 1}),),
    ),
    Filter(
        name="pick",
        summary="Gives the map with some keys only; those that it has not are left out.",
        takes=MAP,
        gives=MAP,
        apply=pick,
        parameters=_KEYS,
        is_variadic=True,
        examples=(Example(expression="{'a': 1, 'b': 2} | pick('a', 'c')", gives={"a": 1}),),
    ),
)
