"""The entrance: compile a condition, a list or a template once, run it for any number of events.

Which of the three a string is, is decided by the key it stands under, never by its look. What is wrong with it is told
all at once when it is compiled; what is wrong with an event's data, as `ExpressionError` when it runs. Nothing else
is raised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import nodes

from hub.rules.expressions import calls, combining, names
from hub.rules.expressions.building import Building, Compile, Read, failed, too_large
from hub.rules.expressions.combining import compile_decision
from hub.rules.expressions.frame import Evaluate, Frame, Surroundings
from hub.rules.expressions.inference import kinds_given
from hub.rules.expressions.limits import MOST_ITEMS, MOST_KEPT
from hub.rules.expressions.offered import words
from hub.rules.expressions.problems import ExpressionProblem, Refused
from hub.rules.expressions.scope import ROUTE_SCOPE, Scope
from hub.rules.expressions.statements import Output, Write, compile_body
from hub.rules.expressions.syntax import Parsed, parse_expression, parse_template
from hub.rules.expressions.values import Kind, described, measure

Values = Mapping[str, Any]
Problems = list[ExpressionProblem]

_BRACES: Final = re.compile(r"\{\{-?|-?\}\}")
_LONGEST_SHOWN: Final = 120


def _compile_call(building: Building, node: nodes.Call, is_lenient: bool) -> Evaluate:
    is_method = isinstance(node.node, nodes.Getattr)
    compiler = calls.compile_method if is_method else calls.compile_function
    return compiler(building, node, is_lenient)


#: Every form of expression that there is; what is not here is refused.
_COMPILERS: Final[Mapping[type, Compile]] = {
    nodes.Add: combining.compile_arithmetic,
    nodes.And: combining.compile_and_or,
    nodes.Call: _compile_call,
    nodes.Compare: combining.compile_comparison,
    nodes.Concat: combining.compile_concat,
    nodes.CondExpr: combining.compile_choice,
    nodes.Const: combining.compile_constant,
    nodes.Dict: combining.compile_map,
    nodes.Div: combining.compile_arithmetic,
    nodes.Filter: calls.compile_filter,
    nodes.FloorDiv: combining.compile_arithmetic,
    nodes.Getattr: names.compile_field,
    nodes.Getitem: names.compile_field,
    nodes.List: combining.compile_list,
    nodes.Mod: combining.compile_arithmetic,
    nodes.Mul: combining.compile_arithmetic,
    nodes.Name: names.compile_name,
    nodes.Neg: combining.compile_sign,
    nodes.Not: combining.compile_not,
    nodes.Or: combining.compile_and_or,
    nodes.Pos: combining.compile_sign,
    nodes.Pow: combining.refuse_power,
    nodes.Sub: combining.compile_arithmetic,
    nodes.Test: calls.compile_test,
    nodes.Tuple: combining.compile_list,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What stands under `if`: gives true or false."""

    source: str
    reads: tuple[Read, ...]
    _evaluate: Evaluate

    def holds(self, values: Values, surroundings: Surroundings) -> bool:
        """Decide for these values.

        Raises:
            ExpressionError: They do not allow a decision.
        """
        return bool(self._evaluate(Frame(values, surroundings)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """What stands under `foreach`: gives a list."""

    source: str
    reads: tuple[Read, ...]
    _evaluate: Evaluate

    def items(self, values: Values, surroundings: Surroundings) -> list[Any]:
        """Give the items for these values.

        Raises:
            ExpressionError: There is no list of them, or it has too many.
        """
        frame = Frame(values, surroundings)
        found = self._evaluate(frame)
        try:
            return _checked_items(found, frame)
        except Refused as refused:
            raise failed(refused, 0) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """What stands under any other key that takes templates."""

    source: str
    reads: tuple[Read, ...]
    #: One pair of braces and nothing else: gives the value itself. Everything else gives text.
    is_lone: bool
    #: Without braces: the same for every event.
    is_constant: bool
    _evaluate: Evaluate | None
    _write: Write | None

    def render(self, values: Values, surroundings: Surroundings) -> Any:
        """Give the value, or write the text, for these values.

        Returns:
            Plain values; those that come from `values` are the same objects, to be read only. `OMIT` if it says so.

        Raises:
            ExpressionError: It has no value for them.
        """
        return self.render_in(Frame(values, surroundings))

    def render_in(self, frame: Frame) -> Any:
        """Do as `render`, with the work that a larger structure has left."""
        if self._write is not None:
            return self._written(frame)
        if self._evaluate is None:
            return self.source
        value = self._evaluate(frame)
        if type(value) is str or value is None or type(value) is bool:
            return value
        try:
            measure(value, frame)
        except Refused as refused:
            raise failed(refused, 0) from None
        return value

    def _written(self, frame: Frame) -> str:
        output = Output()
        try:
            assert self._write is not None
            self._write(frame, output)
        except Refused as refused:
            raise failed(refused, 0) from None
        return "".join(output.parts)


def compile_condition(source: str, scope: Scope = ROUTE_SCOPE) -> Condition | Problems:
    """Compile a bare expression that decides. Braces may stand around the whole of it, nowhere else."""
    found = _condition(source, scope)
    return found if isinstance(found, Condition) else list(found)


def compile_items(source: str, scope: Scope = ROUTE_SCOPE) -> Items | Problems:
    """Compile a bare expression that gives a list."""
    found = _items(source, scope)
    return found if isinstance(found, Items) else list(found)


def compile_template(source: str, scope: Scope = ROUTE_SCOPE) -> Template | Problems:
    """Compile a value template."""
    if "{{" not in source and "{%" not in source:
        return _template(source, Building(scope, {}))
    found = _value_template(source, scope)
    return found if isinstance(found, Template) else list(found)


# Routes say the same in many places, and what is compiled has no state: it is kept for whoever writes it again.


@lru_cache(maxsize=MOST_KEPT)
def _condition(source: str, scope: Scope) -> Condition | Problems:
    expression = _bare(source)
    if isinstance(expression, list):
        return expression
    building = Building(scope, _COMPILERS)
    evaluate = compile_decision(building, expression)
    _refuse_kinds(building, expression, frozenset({Kind.BOOLEAN}), "a condition")
    if building.problems:
        return _ordered(building)
    return Condition(source=source, reads=tuple(building.reads), _evaluate=evaluate)


@lru_cache(maxsize=MOST_KEPT)
def _items(source: str, scope: Scope) -> Items | Problems:
    expression = _bare(source)
    if isinstance(expression, list):
        return expression
    building = Building(scope, _COMPILERS)
    evaluate = building.compile(expression)
    _refuse_kinds(building, expression, frozenset({Kind.LIST}), "a list of items")
    if building.problems:
        return _ordered(building)
    return Items(source=source, reads=tuple(building.reads), _evaluate=evaluate)


@lru_cache(maxsize=MOST_KEPT)
def _value_template(source: str, scope: Scope) -> Template | Problems:
    parsed = parse_template(source)
    if isinstance(parsed, ExpressionProblem):
        return [parsed]
    if (large := too_large(parsed.body)) is not None:
        return [large]
    building = Building(scope, _COMPILERS)
    lone = parsed.lone
    evaluate = None if lone is None else building.compile(lone)
    write = compile_body(building, parsed.body) if lone is None else None
    if building.problems:
        return _ordered(building)
    return _template(source, building, evaluate=evaluate, write=write)


def _template(
    source: str, building: Building, *, evaluate: Evaluate | None = None, write: Write | None = None
) -> Template:
    return Template(
        source=source,
        reads=tuple(building.reads),
        is_lone=evaluate is not None,
        is_constant=evaluate is None and write is None,
        _evaluate=evaluate,
        _write=write,
    )


def _ordered(building: Building) -> Problems:
    return sorted(dict.fromkeys(building.problems), key=lambda problem: problem.offset)


def _bare(source: str) -> nodes.Expr | Problems:
    """Read a bare expression, or one with braces around all of it."""
    parsed: Parsed | ExpressionProblem
    if source.strip().startswith("{{") and not isinstance(
        whole := parse_template(source.strip()), ExpressionProblem
    ):
        parsed = whole if whole.lone is not None else parse_expression(source)
    else:
        parsed = parse_expression(source)
    if isinstance(parsed, ExpressionProblem):
        return [_with_braces(source) if "{{" in source or "{%" in source else parsed]
    if (large := too_large(parsed.body)) is not None:
        return [large]
    assert parsed.lone is not None
    return parsed.lone


def _with_braces(source: str) -> ExpressionProblem:
    place = min(place for place in (source.find("{{"), source.find("{%")) if place >= 0)
    without = " ".join(_BRACES.sub(" ", source.replace("${{", "{{")).split())
    if "{%" in without or source.count("{{") != source.count("}}"):
        fix = "Write the expression alone, such as event.attempt > 2"
    else:
        fix = f"Remove the braces: {without[:_LONGEST_SHOWN]}"
    return ExpressionProblem(
        offset=place,
        what="braces stand around a part of this expression",
        why="what is not in them would be text, and a text is neither true nor false nor a list",
        fix=fix,
    )


def _refuse_kinds(building: Building, node: nodes.Expr, wanted: frozenset[Kind], noun: str) -> None:
    given = kinds_given(node)
    if building.problems or given & wanted:
        return
    shown = words(given)
    is_condition = Kind.BOOLEAN in wanted
    building.refuse(
        node,
        what=f"this gives {shown}",
        why=f"{noun} is {words(wanted)}" if is_condition else "it is to give a list",
        fix=_decided(given) if is_condition else "Name a list, such as event.attachments",
    )


def _decided(given: frozenset[Kind]) -> str:
    if given == {Kind.TEXT}:
        return "Remove the quotes around the whole, or compare: event.text == 'Hello'"
    if given == {Kind.NUMBER}:
        return "Compare it: … > 0"
    return "Compare it with something: … == 'text', … > 0, … is not none"


def _checked_items(found: object, frame: Frame) -> list[Any]:
    if not isinstance(found, list):
        raise Refused(
            what=f"foreach goes through {described(found)}",
            why="it goes through a list",
            fix="Say what to take instead: … | default([])" if found is None else "Name a list",
        )
    if len(found) > MOST_ITEMS:
        raise Refused(
            what=f"foreach goes through {len(found)} items",
            why=f"{MOST_ITEMS} are allowed",
            fix="Take fewer: …[:100]",
        )
    measure(found, frame)
    return found
