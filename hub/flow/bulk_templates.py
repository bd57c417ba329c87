"""A template for many: its blanks are filled for each recipient, as the gaps of a text are. Pure.

What fills a blank may have gaps (`{{first_name}}`). A template without values takes a table's columns `1`, `2`, ….
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count, takewhile
from typing import Any

import msgspec

from hub.model.template import Template
from hub.rules.placeholders import fill
from hub.rules.problems import Problem


def filled_template(template: Template, values: Mapping[str, str], *, is_literal: bool) -> Template | Problem:
    """Fill a template for one recipient.

    Args:
        template: With gaps in its values and buttons.
        values: By name.
        is_literal: Leave gaps as they stand.

    Returns:
        The template, or the first gap that cannot be filled, or what is too long for a blank.
    """
    if not template.values and "1" in values:
        numbered = takewhile(values.__contains__, map(str, count(1)))
        template = msgspec.structs.replace(template, values=tuple(values[each] for each in numbered))
        is_literal = True  # what stands in a table is nobody's gap
    filled = msgspec.to_builtins(template)
    problem = None if is_literal else _fill_in(filled, values)
    if problem is not None:
        return problem
    try:
        return msgspec.convert(filled, Template)
    except msgspec.ValidationError as error:
        return Problem(
            pointer="template",
            what="A blank cannot be filled",
            why=str(error).replace("`", "'"),
            fix="A value has 1 to 1,024 characters, that of a button at most 256",
        )


def _fill_in(members: dict[str, Any], values: Mapping[str, str]) -> Problem | None:
    """Fill the values in their place; give the first problem."""
    for name in ("values", "header_values"):
        told = members.get(name)
        places = told.items() if isinstance(told, dict) else enumerate(told or ())
        filled = {place: fill(text, values) for place, text in places}
        problem = next((each for each in filled.values() if isinstance(each, Problem)), None)
        if problem is not None:
            return problem
        if filled:
            members[name] = filled if isinstance(told, dict) else list(filled.values())
    for button in members.get("buttons", ()):
        value = fill(button["value"], values)
        if isinstance(value, Problem):
            return value
        button["value"] = value
    return None
