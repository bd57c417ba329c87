"""What is written in a route, as values: compiled once, evaluated with what a run knows at that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError
from hub.rules.expressions.scope import ROUTE_SCOPE, Scope
from hub.rules.expressions.structures import Structure, compile_structure
from hub.rules.expressions.templates import Condition, Items, compile_condition, compile_items
from hub.rules.routes.model import Route, Written

Compiled = TypeVar("Compiled")
Names = Mapping[str, Any]


class WrittenWrong(Exception):
    """An expression has no value for these data; the message is for the reader of the run."""


class Evaluator:
    """Keeps what it compiled; one for each route."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[type, str], Any] = {}

    def holds(self, written: Written, names: Names, surroundings: Surroundings) -> bool:
        """Decide a bare condition.

        Raises:
            WrittenWrong: It has no value for these data.
        """
        condition = self._get(Condition, written, names, compile_condition)
        return _told(written, lambda: condition.holds(names, surroundings))

    def items(self, written: Written, names: Names, surroundings: Surroundings) -> list[Any]:
        """Give the list of a `foreach`.

        Raises:
            WrittenWrong: It has no value for these data.
        """
        items = self._get(Items, written, names, compile_items)
        return _told(written, lambda: items.items(names, surroundings))

    def value(self, written: Written, names: Names, surroundings: Surroundings) -> Any:
        """Render a value with templates in it.

        Raises:
            WrittenWrong: One of them has no value for these data.
        """
        structure = self._get(
            Structure,
            written,
            names,
            lambda source, scope: compile_structure(source, pointer=written.pointer, scope=scope),
        )
        return _told(written, lambda: structure.render(names, surroundings))

    def _get(
        self,
        kind: type[Compiled],
        written: Written,
        names: Names,
        compile_: Callable[[Any, Scope], Compiled | list[Any]],
    ) -> Compiled:
        if isinstance(written.code, kind):
            return written.code
        key = (kind, written.pointer)
        found = self._compiled.get(key)
        if found is None:
            found = compile_(written.source, ROUTE_SCOPE.plus(*names))
            if isinstance(found, list):
                told = "; ".join(str(getattr(each, "problem", each)) for each in found)
                raise WrittenWrong(f"{written.pointer}: {told}")
            self._compiled[key] = found
        return found


def kept_evaluators() -> Callable[[Route], Evaluator]:
    """Give a giver of evaluators that makes one for each route and keeps it."""
    kept: dict[int, tuple[Route, Evaluator]] = {}

    def give(route: Route) -> Evaluator:
        found = kept.get(id(route))
        if found is None:  # the route is kept with it, so that its id stays its own
            found = kept[id(route)] = (route, Evaluator())
        return found[1]

    return give


def _told(written: Written, evaluate: Callable[[], Compiled]) -> Compiled:
    try:
        return evaluate()
    except ExpressionError as error:
        pointer = getattr(error, "pointer", written.pointer)
        raise WrittenWrong(f"{pointer}: {error}") from None
