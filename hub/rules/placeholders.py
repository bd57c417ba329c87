"""Texts with gaps: `Hello {{first_name}}`, `Hello {{first_name|there}}`. Pure, and as simple as it looks.

A gap without a value is an error, never an empty place in somebody's message. Nothing is evaluated, so a text that
comes from anywhere can do no more than name a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from hub.rules.problems import Problem, suggestion

_GAP: Final = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_ .-]{0,63}?)\s*(?:\|([^{}]*))?\}\}")
_LEFT_OVER: Final = re.compile(r"\{\{|\}\}")


def names_in(text: str) -> frozenset[str]:
    """Give the names of all gaps."""
    return frozenset(found[1] for found in _GAP.finditer(text))


def fill(text: str, values: Mapping[str, str]) -> str | Problem:
    """Fill the gaps.

    Args:
        text: With gaps.
        values: By name; an empty one counts as missing.

    Returns:
        The text, or the first gap that cannot be filled.
    """
    problem: Problem | None = None

    def value_of(found: re.Match[str]) -> str:
        nonlocal problem
        name, otherwise = found[1], found[2]
        value = values.get(name, "").strip() or (otherwise.strip() if otherwise is not None else "")
        if not value and otherwise is None and problem is None:
            problem = _missing(name, values)
        return value

    rest = _LEFT_OVER.search(_GAP.sub("", text))
    if rest is not None:
        return Problem(
            pointer="text",
            what="The text has a gap that cannot be read",
            why=f"'{rest[0]}' stands alone, or what is between is no name",
            fix="Write {{name}} or {{name|otherwise}}",
        )
    filled = _GAP.sub(value_of, text)
    return filled if problem is None else problem


def _missing(name: str, values: Mapping[str, str]) -> Problem:
    known = sorted(key for key, value in values.items() if value.strip())
    meant = suggestion(name, known)
    if name in values:
        fix = f"Give it, or write {{{{{name}|otherwise}}}}"
        return Problem(pointer="text", what=f"'{name}' has no value", why="it is empty here", fix=fix)
    why = f"there is no '{name}' here" + (f", only {', '.join(known)}" if known else "")
    fix = f"Did you mean {meant}" if meant else f"Give it, or write {{{{{name}|otherwise}}}}"
    return Problem(pointer="text", what=f"'{name}' has no value", why=why, fix=fix)
