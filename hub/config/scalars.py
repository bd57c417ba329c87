"""Reads one text as the type that its key expects, without YAML 1.1's guesses.

A number is written as in JSON; `0123`, `1_000` and `12:30` are no numbers. Quoted is text, whatever it looks
like. Where text is expected, it is taken as written.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hub.config.nodes import ScalarNode

_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalarReader:
    """How one type is read."""

    #: What is expected, in words.
    expected: str
    #: What to write when it is something else.
    fix: str
    #: Returns the value; None when the text does not say one.
    read: Callable[[ScalarNode], object | None]


def cut(text: str) -> str:
    """Return the text, shortened so that it fits on a line of a message, with control characters shown."""
    shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in shown)


def one_of(allowed: tuple[str, ...]) -> ScalarReader:
    """Return the reader of one of some words."""
    words = ", ".join(allowed)
    return ScalarReader(
        expected=f"one of {words}",
        fix=f"write one of {words}",
        read=lambda node: node.text if node.text in allowed else None,
    )


def _text(node: ScalarNode) -> str | None:
    return None if node.is_null else node.text


def _boolean(node: ScalarNode) -> bool | None:
    return None if node.is_quoted else _BOOLEANS.get(node.text.lower())


def _whole_number(node: ScalarNode) -> int | None:
    return int(node.text) if not node.is_quoted and _WHOLE_NUMBER.fullmatch(node.text) else None


def _number(node: ScalarNode) -> float | None:
    if node.is_quoted or not _NUMBER.fullmatch(node.text):
        return None
    value = float(node.text)
    return value if math.isfinite(value) else None


def _path(node: ScalarNode) -> Path | None:
    return Path(node.text) if node.text and not node.is_null and "\0" not in node.text else None


SCALAR_READERS: dict[object, ScalarReader] = {
    Path: ScalarReader(expected="a path", fix="write the path as text", read=_path),
    bool: ScalarReader(expected="true or false", fix="write true or false, without quotes", read=_boolean),
    float: ScalarReader(
        expected="a number", fix="write for instance 10 or 0.5, without quotes", read=_number
    ),
    int: ScalarReader(
        expected="a whole number", fix="write digits only, without quotes, unit or spaces", read=_whole_number
    ),
    str: ScalarReader(expected="text", fix='write the text, or "" for none', read=_text),
}
