"""Says before an expression runs which kinds of values it can give, as far as its form tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jinja2 import nodes

from hub.rules.expressions.filters.registry import FILTERS
from hub.rules.expressions.methods import METHODS
from hub.rules.expressions.offered import ANY_OR_OMIT, BOOLEAN, LIST, MAP, NUMBER, TEXT
from hub.rules.expressions.values import Kind, kind_of

_TEXT_METHODS: Final = frozenset(METHODS) - {
    "count",
    "endswith",
    "find",
    "isdigit",
    "split",
    "splitlines",
    "startswith",
}


#: What the result of a form always is.
_BY_FORM: Final[Mapping[type, frozenset[Kind]]] = {
    nodes.Add: NUMBER | TEXT | LIST,
    nodes.Compare: BOOLEAN,
    nodes.Concat: TEXT,
    nodes.Dict: MAP,
    nodes.Div: NUMBER,
    nodes.FloorDiv: NUMBER,
    nodes.List: LIST,
    nodes.Mod: NUMBER,
    nodes.Mul: NUMBER,
    nodes.Neg: NUMBER,
    nodes.Not: BOOLEAN,
    nodes.Pos: NUMBER,
    nodes.Sub: NUMBER,
    nodes.Test: BOOLEAN,
    nodes.Tuple: LIST,
}


def kinds_given(node: nodes.Node) -> frozenset[Kind]:
    """Give all kinds that a value of this expression can have."""
    match node:
        case nodes.Const(value=value):
            return frozenset({kind_of(value)})
        case nodes.And(left=one, right=other) | nodes.Or(left=one, right=other):
            return kinds_given(one) | kinds_given(other)
        case nodes.CondExpr(expr1=one, expr2=nodes.Expr() as other):
            return kinds_given(one) | kinds_given(other)
        case nodes.Filter(name=name) if name in FILTERS:
            return FILTERS[name].gives
        case nodes.Call(node=called):
            return _kinds_called(called)
    return _BY_FORM.get(type(node), ANY_OR_OMIT)


def _kinds_called(called: nodes.Node) -> frozenset[Kind]:
    if isinstance(called, nodes.Name) and called.name == "now":
        return NUMBER
    is_text = isinstance(called, nodes.Getattr) and called.attr in _TEXT_METHODS
    return TEXT if is_text else ANY_OR_OMIT
