"""Compiles what stands under `with` and its like: maps and lists with templates in them, rendered as a structure.

Text is never spliced into JSON: each template gives its own value. A key whose value is `default(omit)` is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.expressions.building import Read, failed
from hub.rules.expressions.frame import Frame, Surroundings
from hub.rules.expressions.limits import DEEPEST_VALUE, MOST_VALUES
from hub.rules.expressions.problems import ExpressionError, ExpressionProblem, Refused
from hub.rules.expressions.scope import ROUTE_SCOPE, Scope
from hub.rules.expressions.templates import Template, Values, compile_template
from hub.rules.expressions.values import OMIT, measure

_Render = Callable[[Frame], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedProblem:
    """What is wrong with one template of a structure."""

    #: JSON pointer of the template's text.
    pointer: str
    problem: ExpressionProblem


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedRead:
    """What one template of a structure reads."""

    pointer: str
    read: Read


class StructureError(ExpressionError):
    """A template of a structure has no value for these data; `pointer` says which."""

    def __init__(self, pointer: str, problem: ExpressionProblem) -> None:
        super().__init__(problem)
        self.pointer = pointer


@dataclass(frozen=True, kw_only=True, slots=True)
class Structure:
    """A value with templates in it."""

    reads: tuple[PlacedRead, ...]
    #: No template is in it: the same for every event.
    is_constant: bool
    _pointer: str
    _render: _Render

    def render(self, values: Values, surroundings: Surroundings) -> Any:
        """Give the value for these values; `OMIT` if it is one template that says so.

        Raises:
            StructureError: A template has no value for them, or all of it together is too large.
        """
        frame = Frame(values, surroundings)
        rendered = self._render(frame)
        try:
            measure(rendered, frame)
        except Refused as refused:
            raise StructureError(self._pointer, failed(refused, 0).problem) from None
        return rendered


def compile_structure(
    written: object, *, pointer: str = "", scope: Scope = ROUTE_SCOPE
) -> Structure | list[PlacedProblem]:
    """Compile any value of YAML.

    Args:
        written: Text, numbers, true, false, null, lists, maps. Keys of maps are no templates.
        pointer: Where it stands.
        scope: The names that it may use.
    """
    compiling = _Compiling(scope)
    render = compiling.compile(written, pointer, 0)
    if compiling.problems:
        return compiling.problems
    is_constant = not compiling.has_templates
    return Structure(reads=tuple(compiling.reads), is_constant=is_constant, _pointer=pointer, _render=render)


_NOTHING: Final[_Render] = lambda frame: None  # noqa: E731  # stands for what is refused; never run


class _Compiling:
    def __init__(self, scope: Scope) -> None:
        self.problems: list[PlacedProblem] = []
        self.reads: list[PlacedRead] = []
        self.has_templates = False
        self._scope = scope
        self._count = 0

    def compile(self, written: object, pointer: str, depth: int) -> _Render:
        self._count += 1
        if depth > DEEPEST_VALUE or self._count > MOST_VALUES:
            if not self.problems:
                self._refuse(pointer)
            return _NOTHING
        if isinstance(written, str):
            return self._text(written, pointer)
        if isinstance(written, list):
            return _list(
                [self.compile(item, f"{pointer}/{place}", depth + 1) for place, item in enumerate(written)]
            )
        if isinstance(written, dict):
            return _map(
                {
                    str(key): self.compile(item, f"{pointer}/{_escaped(str(key))}", depth + 1)
                    for key, item in written.items()
                }
            )
        return lambda frame: written

    def _text(self, written: str, pointer: str) -> _Render:
        template = compile_template(written, self._scope)
        if not isinstance(template, Template):
            self.problems += [PlacedProblem(pointer=pointer, problem=problem) for problem in template]
            return _NOTHING
        if template.is_constant:
            return lambda frame: written
        self.has_templates = True
        self.reads += [PlacedRead(pointer=pointer, read=read) for read in template.reads]

        def render(frame: Frame) -> Any:
            try:
                return template.render_in(frame)
            except ExpressionError as error:
                raise StructureError(pointer, error.problem) from None

        return render

    def _refuse(self, pointer: str) -> None:
        problem = ExpressionProblem(
            offset=0,
            what="this is too large or nested too deep",
            why=f"{MOST_VALUES} values and {DEEPEST_VALUE} levels are allowed",
            fix="Take it apart",
        )
        self.problems.append(PlacedProblem(pointer=pointer, problem=problem))


def _list(items: list[_Render]) -> _Render:
    return lambda frame: [value for item in items if (value := item(frame)) is not OMIT]


def _map(items: dict[str, _Render]) -> _Render:
    return lambda frame: {key: value for key, item in items.items() if (value := item(frame)) is not OMIT}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
