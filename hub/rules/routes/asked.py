"""Read `when`: of a route, compared with fixed values; of a `wait_for`, also with what the run knows by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.rules.expressions.scope import Scope
from hub.rules.routes import compiling
from hub.rules.routes.document import Reading, at
from hub.rules.routes.model import Written
from hub.rules.routes.when import ALWAYS, When, compile_when

#: Stands for what is rendered later, while everything else is checked: a text, a number's place, a network.
_STAND_IN: Final = "10.0.0.0"


def read_when(reading: Reading, document: Mapping[Any, Any], pointer: str, *, timezone: str | None) -> When:
    """Read `when`; without one everything fits."""
    if "when" not in document:
        return ALWAYS
    if document["when"] is None:
        why, fix = "it is empty, and so would fit everything", "Indent its lines below it, or leave it out"
        reading.refuse(at(pointer, "when"), "`when` says nothing", why, fix)
        return ALWAYS
    found = compile_when(document["when"], pointer=at(pointer, "when"), timezone=timezone)
    if isinstance(found, When):
        return found
    reading.add(found)
    return ALWAYS


def read_asked(
    reading: Reading, document: Mapping[Any, Any], pointer: str, *, scope: Scope, timezone: str | None
) -> tuple[When, Written | None]:
    """Read the `when` of a `wait_for`.

    Returns:
        Its form; and the map to be rendered once the step is reached, if a template is in it.
    """
    filled = _filled(document.get("when"))
    if filled == document.get("when"):
        return read_when(reading, document, pointer, timezone=timezone), None
    form = read_when(reading, {"when": filled}, pointer, timezone=timezone)
    return form, compiling.value(reading, document["when"], at(pointer, "when"), scope)


def rendered_fault(written: object, rendered: object) -> str | None:
    """Say why what was rendered must not be asked for: a map in the place of a value would be matchers."""
    if isinstance(written, Mapping) and isinstance(rendered, Mapping):
        faults = (rendered_fault(each, rendered[key]) for key, each in written.items() if key in rendered)
        return next((fault for fault in faults if fault), None)
    if isinstance(written, str) and isinstance(rendered, Mapping):
        return f"{written} gives a map; it is to be a text, a number or a list of them"
    return None


def _filled(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _filled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    return _STAND_IN if isinstance(value, str) and "{{" in value else value
