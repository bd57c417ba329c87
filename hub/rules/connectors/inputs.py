"""Give the inputs of an action the kinds that its schema wants, or say what is wrong with all of them.

The schema converts, because YAML cannot know and templates do not: `14155550123` is text where text is wanted, `"3"` a
number where a number is. Nothing is guessed: a text that is no number stays an error. A property that is null and may
not be counts as absent.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.rules.connectors.formats import SPELLINGS, Misspelt
from hub.rules.connectors.schemas import ANYTHING, Schema
from hub.rules.expressions.filters.patterns import search
from hub.rules.problems import Problem, suggestion
from hub.rules.routes.document import at, shown

MOST_PROBLEMS: Final = 20
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,17})?", re.ASCII)
_WORDS: Final = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "null",
}
_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "integer",
    str: "text",
    list: "array",
}
_BRACES: Final = ("{{", "{%")


def fit(schema: Schema, inputs: Mapping[str, Any]) -> dict[str, Any] | list[Problem]:
    """Give rendered inputs as the provider's request has them, or everything that is wrong with them."""
    fitting = _Fitting(is_written=False)
    found = fitting.value(schema, dict(inputs), "")
    return fitting.problems or found


def problems_of(schema: Schema, written: object, *, pointer: str = "") -> list[Problem]:
    """Tell what is wrong with inputs as a route writes them; a text with a template in it may become anything."""
    fitting = _Fitting(is_written=True)
    fitting.value(schema, written, pointer)
    return fitting.problems


def kind_of(value: object) -> str:
    """Name the kind of a plain value."""
    if isinstance(value, float) and not value.is_integer():
        return "number"
    return _KINDS.get(type(value), "object")


class _Fitting:
    def __init__(self, *, is_written: bool) -> None:
        self.problems: list[Problem] = []
        self._is_written = is_written

    def value(self, schema: Schema, value: object, pointer: str) -> Any:
        if self._is_written and isinstance(value, str) and any(each in value for each in _BRACES):
            return value
        found = _converted(schema, value)
        if schema.kinds and not _is_of(found, schema.kinds):
            wanted = " or ".join(_WORDS[each] for each in schema.kinds)
            self._refuse(pointer, f"this is {shown(value)}", f"it is to be {wanted}", f"Write {wanted}")
            return value
        match found:
            case dict():
                found = self._object(schema, found, pointer)
            case list():
                inner = schema.items or ANYTHING
                found = [self.value(inner, each, at(pointer, place)) for place, each in enumerate(found)]
                self._length(schema.length, found, pointer, "items")
            case str():
                found = self._text(schema, found, pointer)
            case bool() | None:
                pass
            case int() | float():
                self._number(schema, found, pointer)
        if schema.choices and not any(_equal(found, each) for each in schema.choices):
            listed = ", ".join(str(each) for each in schema.choices[:20])
            near = suggestion(str(found), [str(each) for each in schema.choices])
            fix = f"Did you mean {near}" if near else f"Write one of {listed}"
            self._refuse(pointer, f"this is {shown(found)}", f"it is one of {listed}", fix)
        return found

    def _object(self, schema: Schema, value: dict[str, Any], pointer: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, each in value.items():
            inner = schema.properties.get(name)
            if inner is None and not schema.is_open:
                near = suggestion(name, schema.properties)
                fix = f"Did you mean {near}" if near else f"There are {', '.join(schema.properties)}"
                self._refuse(at(pointer, name), f"there is no {name[:60]!r} here", "nothing reads it", fix)
            elif each is not None or inner is None or (not inner.kinds or "null" in inner.kinds):
                found[name] = self.value(inner or ANYTHING, each, at(pointer, name))
        for name, inner in schema.properties.items():
            if name not in found and inner.has_default:
                found[name] = inner.default
        for name in schema.required:
            if name not in found and at(pointer, name) not in {each.pointer for each in self.problems}:
                self._refuse(pointer, f"`{name}` is missing", "it is required", f"Write {name}: …")
        if schema.any_of and not any(all(name in found for name in group) for group in schema.any_of):
            groups = " or ".join(" and ".join(group) for group in schema.any_of)
            self._refuse(pointer, f"{groups} is missing", "one of them is needed", f"Give {groups}")
        return found

    def _text(self, schema: Schema, value: str, pointer: str) -> str:
        self._length(schema.characters, value, pointer, "characters")
        if schema.format is not None:
            try:
                value = SPELLINGS[schema.format](value)
            except Misspelt as misspelt:
                self._refuse(pointer, f"this is {shown(value)}", str(misspelt), "Write it so")
        if schema.pattern is not None and search(schema.pattern, value) is None:
            why = f"it is to fit {schema.pattern_text}"
            self._refuse(pointer, f"this is {shown(value)}", why, "Write one that does")
        return value

    def _length(self, bounds: tuple[int, int], value: str | list[Any], pointer: str, unit: str) -> None:
        least, most = bounds
        if not least <= len(value) <= most:
            bound = f"{most} are the most" if len(value) > most else f"{least} are the least"
            self._refuse(pointer, f"this has {len(value)} {unit}", bound, "Change it")

    def _number(self, schema: Schema, value: float, pointer: str) -> None:
        if schema.minimum is not None and value < schema.minimum:
            self._refuse(pointer, f"this is {shown(value)}", f"{schema.minimum} is the least", "Raise it")
        if schema.maximum is not None and value > schema.maximum:
            self._refuse(pointer, f"this is {shown(value)}", f"{schema.maximum} is the most", "Lower it")

    def _refuse(self, pointer: str, what: str, why: str, fix: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(pointer=pointer, what=what, why=why, fix=fix))


# ---- converting


def _converted(schema: Schema, value: object) -> Any:
    """Give the value the one kind that is wanted, if it can only mean that."""
    if not schema.kinds or _is_of(value, schema.kinds):
        return value
    for kind in schema.kinds:
        if kind in _CONVERSIONS and (found := _CONVERSIONS[kind](value)) is not None:
            return found
    return value


def _is_of(value: object, kinds: tuple[str, ...]) -> bool:
    kind = kind_of(value)
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else json.dumps(value)
    return None


def _integer(value: object) -> int | None:
    is_one = isinstance(value, str) and _INTEGER.fullmatch(value.strip())
    return int(str(value)) if is_one else None


def _number(value: object) -> float | None:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
        return None
    whole = _integer(value)
    return float(value) if whole is None else whole


def _boolean(value: object) -> bool | None:
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


_CONVERSIONS: Final[Mapping[str, Callable[[object], Any]]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
}


def _equal(value: object, other: object) -> bool:
    return value == other and isinstance(value, bool) is isinstance(other, bool)
