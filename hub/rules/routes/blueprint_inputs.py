"""What a blueprint asks of whoever uses it: inputs of a few plain kinds, and whether a value is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.local_time import find_zone
from hub.rules.problems import Problem
from hub.rules.routes.compiling import is_name
from hub.rules.routes.document import Reading, at, shown
from hub.rules.routes.durations import read_duration

MOST_INPUTS: Final = 50
_MOST_ITEMS: Final = 100
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class InputKind:
    """A kind of value."""

    #: For people: `it is …`.
    says: str
    fix: str
    #: Without what is wrong with templates, which only one kind may have.
    is_one: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_plain_text(value: Any) -> bool:
    return _is_text(value) and not _has_braces(value)


def _has_braces(value: str) -> bool:
    return "{{" in value or "{%" in value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_duration(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(read_duration(value), Problem)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= _MOST_ITEMS and all(map(_is_plain_text, value))


KINDS: Final[Mapping[str, InputKind]] = {
    "text": InputKind(
        says="it is a text as it is, without {{ }}", fix='Put it into quotes: "…"', is_one=_is_plain_text
    ),
    "template": InputKind(
        says="it is a text that may have {{ event.… }} in it", fix='Put it into quotes: "…"', is_one=_is_text
    ),
    "number": InputKind(says="it is a number", fix="Write one such as 3, unquoted", is_one=_is_number),
    "flag": InputKind(
        says="it is true or false",
        fix="Write true or false, unquoted",
        is_one=lambda value: isinstance(value, bool),
    ),
    "duration": InputKind(
        says="it is a span of time",
        fix="Write a number and a unit, such as 20s, 10m or 7d",
        is_one=_is_duration,
    ),
    "time": InputKind(
        says="it is a time of day",
        fix='Write it like "09:00"',
        is_one=lambda value: isinstance(value, str) and _CLOCK.fullmatch(value) is not None,
    ),
    "timezone": InputKind(
        says="it is a time zone as IANA names it",
        fix="Write one such as America/New_York",
        is_one=lambda value: isinstance(value, str) and find_zone(value) is not None,
    ),
    "connection": InputKind(
        says="it is the name of a connection",
        fix="Write a name of connections.yaml",
        is_one=lambda value: isinstance(value, str) and _NAME.fullmatch(value) is not None,
    ),
    "list": InputKind(
        says=f"it is a list of texts, at most {_MOST_ITEMS}", fix="Write [one, two]", is_one=_is_list
    ),
}
INPUT_KEYS: Final = ("type", "description", "default", "example", "options")


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """One value that a blueprint asks for."""

    name: str
    #: Of KINDS.
    kind: str
    description: str
    #: None: whoever uses the blueprint must give it.
    default: Any
    #: What the blueprint itself is checked and tested with.
    example: Any
    #: Of a text: one of these. Empty: any.
    options: tuple[str, ...]

    @property
    def is_required(self) -> bool:
        """Tell whether it must be given."""
        return self.default is None


def read_inputs(reading: Reading, value: object, pointer: str) -> Mapping[str, Input]:
    """Read what a blueprint declares; none is allowed."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MOST_INPUTS:
        why = f"it is a map of names, at most {MOST_INPUTS}"
        reading.refuse(pointer, f"`inputs` is {shown(value)}", why, "Write greeting: { type: text, … }")
        return {}
    found = [_input(reading, str(name), each, at(pointer, str(name))) for name, each in value.items()]
    return {each.name: each for each in found if each is not None}


def fit(reading: Reading, declared: Input, value: Any, pointer: str) -> bool:
    """Note what is wrong with a value; tell whether nothing is."""
    kind = KINDS[declared.kind]
    if not kind.is_one(value):
        fix = kind.fix
        if declared.kind == "text" and isinstance(value, str) and _has_braces(value):
            fix = "Write it without braces; the blueprint's author can make the input a template"
        reading.refuse(pointer, f"{declared.name} is {shown(value)}", kind.says, fix)
        return False
    if declared.options and value not in declared.options:
        why = f"it is one of {', '.join(declared.options)}"
        reading.refuse(pointer, f"{declared.name} is {shown(value)}", why, f"Write {declared.options[0]}")
        return False
    return True


def _input(reading: Reading, name: str, value: object, pointer: str) -> Input | None:
    declared = reading.map(value, pointer, noun="an input", keys=INPUT_KEYS)
    if not is_name(name):
        why, fix = "expressions use it: small letters, digits and _", "Write it like first_name"
        reading.refuse(pointer, f"{shown(name)} is no name", why, fix)
        return None
    if not declared:
        return None
    kind = reading.required(declared, "type", pointer, noun="an input", fix="Write type: text")
    kind = reading.one_of(kind, at(pointer, "type"), tuple(KINDS), noun="`type`", default=None)
    fix = "Say what it is for, for whoever fills it in"
    said = reading.required(declared, "description", pointer, noun="an input", fix=fix)
    description = reading.text(said, at(pointer, "description"), noun="`description`")
    options = reading.texts(declared.get("options"), at(pointer, "options"), noun="an option")
    if options and kind not in {None, "text"}:
        fix = "Write type: text, or take `options` away"
        reading.refuse(at(pointer, "options"), f"a {kind} has no options", "texts have", fix)
    if kind is None:
        return None
    default = declared.get("default")
    example = declared.get("example", default)
    if example is None:
        fix = "Write default: … if it can be left out, or example: …"
        why = "the blueprint is checked and tested with it"
        reading.refuse(pointer, f"{name} has neither default nor example", why, fix)
        return None
    found = Input(
        name=name,
        kind=kind,
        description=description or "",
        default=default,
        example=example,
        options=options,
    )
    for key in ("default", "example"):
        if declared.get(key) is not None and not fit(reading, found, declared[key], at(pointer, key)):
            return None
    return found
