"""Reads fields and items of plain values, and says exactly what is not there.

A dot asks a map for a key and nothing else: there is no way from here to an attribute or a method of an object, so
`event.items` is the field `items`, if there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from hub.rules.condition_paths import MISSING
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import Kind, described, kind_of, legible, shown
from hub.rules.problems import suggestion

Key = str | int
_MOST_SHOWN: Final = 8
_MOST_COMPARED: Final = 200
#: What people ask of lists and texts who come from other languages.
_FIELDS_ELSEWHERE: Final = {"length": "| length", "size": "| length", "count": "| length", "first": "| first"}


def follow(value: object, path: str) -> Any:
    """Give what a dotted path leads to from a value, or MISSING."""
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part, MISSING)
        elif isinstance(value, list) and part.isdecimal() and len(part) < 6 and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def take(value: Any, key: object, written: str) -> Any:
    """Give the field or item of a value.

    Raises:
        Refused: It has none such; `written` is how the expression spells the value.
    """
    kind = kind_of(value)
    if kind is Kind.MAP and type(key) is str and key in value:
        return value[key]
    if kind in {Kind.LIST, Kind.TEXT} and type(key) is int and -len(value) <= key < len(value):
        return value[key]
    raise _refusal(value, key, written)


def is_absent(value: object, key: object) -> bool:
    """Tell whether a key is merely not there, which `default` mends, rather than senseless for this value."""
    if value is None:
        return True
    return (isinstance(value, dict) and type(key) is str) or (isinstance(value, list) and type(key) is int)


def spelled(written: str, key: object) -> str:
    """Write an access as an expression has it."""
    if not isinstance(key, str):
        return f"{written}[{shown(key)}]"
    name = legible(key)
    return f"{written}.{name}" if name.isidentifier() else f"{written}['{name}']"


def no_name(name: str, known: Iterable[str]) -> Refused:
    """Say that a name has no value just now."""
    return Refused(
        what=f"there is no {name} here",
        why=f"what there is: {', '.join(sorted(known))}",
        fix=f"Ask whether there is one: {name} is defined",
    )


def _refusal(value: Any, key: object, written: str) -> Refused:
    kind = kind_of(value)
    asked = spelled(written, key)
    if kind is Kind.MAP and isinstance(key, str):
        return _no_key(value, key, written, asked)
    if kind in {Kind.LIST, Kind.TEXT} and type(key) is int:
        unit = "items" if kind is Kind.LIST else "characters"
        return Refused(
            what=f"{asked} is not there",
            why=f"{written} has {len(value)} {unit}",
            fix=f"Ask for its length first, or write {asked} | default('')"
            if kind is Kind.LIST
            else "Ask for its length first",
        )
    if kind is Kind.NULL:
        return Refused(
            what=f"{asked} is not there",
            why=f"{written} is null",
            fix=f"Write {asked} | default('') if it may be missing",
        )
    elsewhere = (
        _FIELDS_ELSEWHERE.get(key) if isinstance(key, str) and kind in {Kind.LIST, Kind.TEXT} else None
    )
    fix = f"Write {written} {elsewhere}" if elsewhere else _taken(kind, key, written)
    return Refused(what=f"{asked} cannot be asked for", why=f"{written} is {described(value)}", fix=fix)


def _taken(kind: Kind, key: object, written: str) -> str:
    if kind is Kind.LIST:
        first, field = spelled(f"{written}[0]", key), legible(str(key))
        return f"Write {first} for its first item, or {written} | map_attr('{field}') for all"
    if kind is Kind.MAP:
        return f"Name a field of {written}"
    return f"Use {written} itself"


def _no_key(value: dict[str, Any], key: str, written: str, asked: str) -> Refused:
    names = list(value)[:_MOST_COMPARED]
    meant = suggestion(key, names)
    why = f"{written} has {_some(names)}" if names else f"{written} is an empty map"
    if written.startswith("steps.") and key == "output" and isinstance(value.get("status"), str):
        return Refused(
            what=f"{asked} is not there",
            why=f"the step is {value['status']} and has no output",
            fix=f"Ask for {written}.status first, or write get({written}, 'output.…', 'instead')",
        )
    fix = (
        f"Did you mean {spelled(written, meant)}"
        if meant
        else f"Write {asked} | default('') if it may be missing"
    )
    return Refused(what=f"{asked} is not there", why=why, fix=fix)


def deeper(refused: Refused, root: str, keys: tuple[Key, ...]) -> Refused:
    """Say of a path that goes on beyond what is missing how it can be asked for."""
    path = ".".join(str(key) for key in keys)
    if not refused.fix.startswith("Write "):
        return refused
    return Refused(
        what=refused.what,
        why=refused.why,
        fix=f"Write get({root}, '{path}', 'what to take instead') if it may be missing",
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(map(legible, names[:_MOST_SHOWN]))
    rest = len(names) - _MOST_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
