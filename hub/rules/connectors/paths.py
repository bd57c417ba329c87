"""Paths with values in them: each value is percent-encoded, so that it can be one segment or a part of one, no more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError, ExpressionProblem
from hub.rules.expressions.scope import Scope
from hub.rules.expressions.templates import Template, Values, compile_template

_PARTS: Final = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
#: Segments that lead elsewhere.
_STEPS: Final = frozenset({".", ".."})


@dataclass(frozen=True, kw_only=True, slots=True)
class PathTemplate:
    """A path."""

    source: str
    #: Literals, and what gives a value.
    parts: tuple[str | Template, ...]

    def render(self, values: Values, surroundings: Surroundings) -> str:
        """Write the path, beginning with a slash.

        Raises:
            ExpressionError: A value is missing, empty, or can be no part of a path.
        """
        return "".join(
            each if isinstance(each, str) else _encoded(each, values, surroundings) for each in self.parts
        )


def compile_path(source: str, scope: Scope) -> PathTemplate | list[ExpressionProblem]:
    """Compile a path."""
    problems: list[ExpressionProblem] = []
    parts: list[str | Template] = []
    if not source.startswith("/") or "?" in source.partition("{{")[0]:
        what = "this is no path" if not source.startswith("/") else "the path has a `?`"
        why = "a path begins with / and ends where the query begins"
        problems.append(
            ExpressionProblem(offset=0, what=what, why=why, fix="Write path: /v1/things, and query:")
        )
    for part in _PARTS.split(source):
        if not part.startswith("{{"):
            parts.append(part)
            continue
        found = compile_template(part, scope)
        if isinstance(found, Template):
            parts.append(found)
        else:
            problems += found
    return problems or PathTemplate(source=source, parts=tuple(part for part in parts if part != ""))


def _encoded(template: Template, values: Values, surroundings: Surroundings) -> str:
    value = template.render(values, surroundings)
    is_fit = isinstance(value, str | int) and not isinstance(value, bool)
    text = str(value) if is_fit else ""
    if not text.strip() or text in _STEPS:
        shown = "nothing" if value is None or text == "" else repr(value)[:40]
        raise ExpressionError(
            ExpressionProblem(
                offset=0,
                what=f"{template.source} gives {shown}",
                why="it is a part of the path of the request, which would lead elsewhere",
                fix="Give a text or a whole number",
            )
        )
    return quote(text, safe="")
