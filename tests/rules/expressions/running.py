"""Compile and run in one go, for tests; what cannot be compiled fails the test with all its problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.scope import ROUTE_SCOPE, Scope
from hub.rules.expressions.templates import (
    Condition,
    Items,
    Template,
    compile_condition,
    compile_items,
    compile_template,
)

#: 2026-08-04 22:10 UTC, a Tuesday.
NOW = Surroundings(now_ms=1_785_881_400_000)


def template(source: str, scope: Scope = ROUTE_SCOPE) -> Template:
    compiled = compile_template(source, scope)
    assert isinstance(compiled, Template), [str(each) for each in compiled]
    return compiled


def render(source: str, values: Mapping[str, Any] | None = None, surroundings: Surroundings = NOW) -> Any:
    return template(source).render(values or {}, surroundings)


def holds(source: str, values: Mapping[str, Any] | None = None) -> bool:
    compiled = compile_condition(source)
    assert isinstance(compiled, Condition), [str(each) for each in compiled]
    return compiled.holds(values or {}, NOW)


def items(source: str, values: Mapping[str, Any] | None = None) -> list[Any]:
    compiled = compile_items(source)
    assert isinstance(compiled, Items), [str(each) for each in compiled]
    return compiled.items(values or {}, NOW)


def refusal(source: str) -> str:
    """The first problem of a template that is refused, with its place."""
    compiled = compile_template(source)
    assert isinstance(compiled, list), f"{source} was compiled"
    return f"{compiled[0].offset}: {compiled[0]}"


def condition_refusal(source: str) -> str:
    """The first problem of a condition that is refused, with its place."""
    compiled = compile_condition(source)
    assert isinstance(compiled, list), f"{source} was compiled"
    return f"{compiled[0].offset}: {compiled[0]}"
