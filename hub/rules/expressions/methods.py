"""The methods of texts that an expression may call, as people know them from Jinja2; each by a function of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.expressions.filters import text
from hub.rules.expressions.frame import Frame
from hub.rules.expressions.offered import NULL, NUMBER, TEXT, Parameter

_CHARACTERS = (Parameter(name="characters", takes=TEXT | NULL, default=None),)
_PART = (Parameter(name="part", takes=TEXT),)


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One method of texts."""

    name: str
    apply: Callable[..., Any]
    parameters: tuple[Parameter, ...] = ()


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(frame: Frame, value: str, *arguments: Any) -> Any:
        frame.spend_on_text(value)
        return function(value, *arguments)

    return apply


def _lines(frame: Frame, value: str) -> list[str]:
    return text.split(frame, value.replace("\r\n", "\n"), "\n", None)


#: Alphabetical.
METHODS: Final = {
    each.name: each
    for each in (
        Method(name="capitalize", apply=_plain(str.capitalize)),
        Method(name="count", apply=_plain(str.count), parameters=_PART),
        Method(name="endswith", apply=_plain(str.endswith), parameters=_PART),
        Method(name="find", apply=_plain(str.find), parameters=_PART),
        Method(name="isdigit", apply=_plain(str.isdigit)),
        Method(name="lower", apply=text.lower),
        Method(
            name="lstrip",
            apply=_plain(lambda value, each: value.lstrip(text.few(each))),
            parameters=_CHARACTERS,
        ),
        Method(
            name="replace",
            apply=text.replace,
            parameters=(
                Parameter(name="old", takes=TEXT),
                Parameter(name="new", takes=TEXT),
                Parameter(name="count", takes=NUMBER | NULL, default=None),
            ),
        ),
        Method(
            name="rstrip",
            apply=_plain(lambda value, each: value.rstrip(text.few(each))),
            parameters=_CHARACTERS,
        ),
        Method(
            name="split",
            apply=text.split,
            parameters=(
                Parameter(name="separator", takes=TEXT | NULL, default=None),
                Parameter(name="most", takes=NUMBER | NULL, default=None),
            ),
        ),
        Method(name="splitlines", apply=_lines),
        Method(name="startswith", apply=_plain(str.startswith), parameters=_PART),
        Method(name="strip", apply=text.trim, parameters=_CHARACTERS),
        Method(name="title", apply=text.title),
        Method(name="upper", apply=text.upper),
    )
}

#: Methods of other languages, and what to write.
INSTEAD: Final = {
    "append": "Write list + [item]",
    "contains": "Write 'part' in text",
    "format": "Put values together with ~, or write them into the template",
    "get": "Write get(event, 'a.b.c', 'what to take instead')",
    "includes": "Write 'part' in text",
    "items": "Name the fields that you want",
    "join": "Write list | join(', ')",
    "keys": "Name the fields that you want",
    "match": "Write text | regex_find('pattern')",
    "slice": "Write text[:100]",
    "substring": "Write text[:100]",
    "toLowerCase": "Write text | lower",
    "toString": "Write value | string",
    "toUpperCase": "Write text | upper",
    "trim": "Write text | trim",
    "values": "Name the fields that you want",
}
