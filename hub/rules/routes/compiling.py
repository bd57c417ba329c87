"""Compile what is written in a route, with the names that mean something where it stands (facts: routes A1, A2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.rules.expressions import Scope, compile_condition, compile_items, compile_structure
from hub.rules.routes.document import Reading, at, shown
from hub.rules.routes.model import Written

#: The values of a blueprint's inputs.
INPUT: Final = "input"
_ELSEWHERE: Final = (
    ("input", "in a blueprint"),
    ("error", "under on_error"),
    ("item", "in the steps of a foreach"),
    ("index", "in the steps of a foreach"),
    ("run", "once the route runs: under vars and in steps"),
    ("steps", "once the route runs: under vars and in steps"),
    ("vars", "once the route runs: under vars and in steps"),
)
#: Before there is a run: in `if` and in keys.
ASKED: Final = Scope(names=frozenset({"event", "events", "route", "env_name"}), elsewhere=_ELSEWHERE)
#: In `vars` and in steps.
RUNNING: Final = ASKED.plus("run", "steps", "vars")
FAILING: Final = RUNNING.plus("error")


def condition(reading: Reading, document: Mapping[Any, Any], pointer: str, scope: Scope) -> Written | None:
    """Read `if`: a bare expression."""
    if "if" not in document:
        return None
    value, here = document["if"], at(pointer, "if")
    if value is None:
        fix = "Write if: \"event.text == 'Hello'\", or leave it out"
        reading.refuse(here, "`if` says nothing", "it is empty", fix)
        return None
    text = str(value).lower() if isinstance(value, bool) else reading.text(value, here, noun="`if`")
    if text is None:
        return None
    code = compile_condition(text, scope)
    if isinstance(code, list):
        reading.add(each.at(here) for each in code)
        return Written(source=text, pointer=here)
    return Written(source=text, pointer=here, code=code)


def items(reading: Reading, value: object, pointer: str, scope: Scope) -> Written | None:
    """Read what a `foreach` goes through."""
    text = reading.text(value, pointer, noun="`foreach`")
    if text is None:
        return None
    code = compile_items(text, scope)
    if isinstance(code, list):
        reading.add(each.at(pointer) for each in code)
        return Written(source=text, pointer=pointer)
    return Written(source=text, pointer=pointer, code=code)


def value(reading: Reading, written: object, pointer: str, scope: Scope) -> Written:
    """Read a value that may have templates in it."""
    code = compile_structure(written, pointer=pointer, scope=scope)
    if isinstance(code, list):
        reading.add(each.problem.at(each.pointer) for each in code)
        return Written(source=written, pointer=pointer)
    return Written(source=written, pointer=pointer, code=code)


def values(
    reading: Reading, written: object, pointer: str, scope: Scope, *, noun: str
) -> Mapping[str, Written]:
    """Read names with values that may have templates in them."""
    if not isinstance(written, Mapping) or not written:
        what, why = f"{noun} is {shown(written)}", "it is a map of names and values"
        reading.refuse(pointer, what, why, "Write total: 3")
        return {}
    for name in written:
        if not is_name(str(name)):
            why, fix = "expressions use it: small letters, digits and _", "Write it like first_name"
            reading.refuse(at(pointer, name), f"{shown(name)} is no name", why, fix)
    return {str(name): value(reading, each, at(pointer, name), scope) for name, each in written.items()}


def is_name(text: str) -> bool:
    """Tell whether expressions can use a name after a dot."""
    return text.isascii() and text.isidentifier() and text == text.lower() and not text.startswith("_")
