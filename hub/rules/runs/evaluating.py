"""What is written in a route, as values: evaluated with what a run knows at that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError
from hub.rules.expressions.structures import Structure
from hub.rules.expressions.templates import Condition, Items
from hub.rules.routes.model import Written

Value = TypeVar("Value")
Names = Mapping[str, Any]


class WrittenWrong(Exception):
    """An expression has no value for these data; the message is for the reader of the run."""


def holds(written: Written, names: Names, surroundings: Surroundings) -> bool:
    """Decide a bare condition.

    Raises:
        WrittenWrong: It has no value for these data.
    """
    code = written.code
    assert isinstance(code, Condition)
    return _told(written, lambda: code.holds(names, surroundings))


def items(written: Written, names: Names, surroundings: Surroundings) -> list[Any]:
    """Give the list of a `foreach`.

    Raises:
        WrittenWrong: It has no value for these data.
    """
    code = written.code
    assert isinstance(code, Items)
    return _told(written, lambda: code.items(names, surroundings))


def value(written: Written, names: Names, surroundings: Surroundings) -> Any:
    """Render a value with templates in it.

    Raises:
        WrittenWrong: One of them has no value for these data.
    """
    code = written.code
    assert isinstance(code, Structure)
    return _told(written, lambda: code.render(names, surroundings))


def _told(written: Written, evaluate: Callable[[], Value]) -> Value:
    try:
        return evaluate()
    except ExpressionError as error:
        pointer = getattr(error, "pointer", written.pointer)
        raise WrittenWrong(f"{pointer}: {error}") from None
