"""Compiles literals, operators, comparisons and choices. What decides must be true or false, never merely something."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from hub.rules.expressions.building import Building, failed
from hub.rules.expressions.frame import Evaluate, Frame
from hub.rules.expressions.operators import ARITHMETIC, COMPARISONS, Binary, concatenate, negate
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import OMIT, Kind, described, kind_of

# ---- literals


def compile_constant(building: Building, node: nodes.Const, is_lenient: bool) -> Evaluate:
    """Compile a literal."""
    value = node.value
    if isinstance(value, str) and "{{" in value and "}}" in value:
        return _refuse_braces(building, node)
    return lambda frame: value


def _refuse_braces(building: Building, node: nodes.Const) -> Evaluate:
    return building.refuse(
        node,
        what="braces stand in a text within an expression",
        why="they would be text themselves; names are used there as they are",
        fix="Remove the quotes and braces: event.name, or 'text ' ~ event.name",
    )


def compile_list(building: Building, node: nodes.List | nodes.Tuple, is_lenient: bool) -> Evaluate:
    """Compile `[a, b]`; round brackets make a list as well."""
    items = [building.compile(item) for item in node.items]
    return lambda frame: [value for item in items if (value := item(frame)) is not OMIT]


def compile_map(building: Building, node: nodes.Dict, is_lenient: bool) -> Evaluate:
    """Compile `{'a': b}`."""
    pairs: list[tuple[str, Evaluate]] = []
    for pair in node.items:
        if not (isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str)):
            return building.refuse(
                pair,
                what="a key of a map is no text in quotes",
                why="keys are texts",
                fix="Write {'name': value}",
            )
        pairs.append((pair.key.value, building.compile(pair.value)))
    return lambda frame: {key: value for key, evaluate in pairs if (value := evaluate(frame)) is not OMIT}


# ---- operators


def compile_arithmetic(building: Building, node: nodes.BinExpr, is_lenient: bool) -> Evaluate:
    """Compile `+ - * / // %`."""
    compute = ARITHMETIC[type(node).__name__]
    return _binary(compute, building.compile(node.left), building.compile(node.right), _offset(node))


def _offset(node: nodes.BinExpr) -> int:
    return node.left.lineno


def _binary(compute: Binary, left: Evaluate, right: Evaluate, offset: int) -> Evaluate:
    def run(frame: Frame) -> Any:
        one, other = left(frame), right(frame)
        try:
            return compute(frame, one, other)
        except Refused as refused:
            raise failed(refused, offset) from None

    return run


def compile_sign(building: Building, node: nodes.Neg | nodes.Pos, is_lenient: bool) -> Evaluate:
    """Compile `-x` and `+x`."""
    value, offset, is_plus = building.compile(node.node), node.lineno, isinstance(node, nodes.Pos)

    def run(frame: Frame) -> Any:
        subject = value(frame)
        try:
            negated = negate(subject)
        except Refused as refused:
            raise failed(refused, offset) from None
        return subject if is_plus else negated

    return run


def refuse_power(building: Building, node: nodes.Pow, is_lenient: bool) -> Evaluate:
    """Refuse `**`."""
    return building.refuse(
        node.left, what="** is not offered", why="its results have no bound", fix="Write x * x for a square"
    )


def compile_concat(building: Building, node: nodes.Concat, is_lenient: bool) -> Evaluate:
    """Compile `a ~ b`."""
    parts, offset = [building.compile(part) for part in node.nodes], node.lineno

    def run(frame: Frame) -> str:
        values = [part(frame) for part in parts]
        try:
            return concatenate(frame, values)
        except Refused as refused:
            raise failed(refused, offset) from None

    return run


def compile_comparison(building: Building, node: nodes.Compare, is_lenient: bool) -> Evaluate:
    """Compile `a == b` and chains such as `1 < a < 5`."""
    first = building.compile(node.expr)
    steps = [(COMPARISONS[each.op], building.compile(each.expr)) for each in node.ops]
    offset = node.expr.lineno
    match node.ops:
        case [nodes.Operand(op="eq", expr=nodes.Const(value=str(text)))]:  # the form of most conditions
            return lambda frame: bool(first(frame) == text)
        case [nodes.Operand(op="ne", expr=nodes.Const(value=str(text)))]:
            return lambda frame: bool(first(frame) != text)
        case [_]:
            return _binary(steps[0][0], first, steps[0][1], offset)

    def run(frame: Frame) -> bool:
        left = first(frame)
        for compare, operand in steps:
            right = operand(frame)
            try:
                if not compare(frame, left, right):
                    return False
            except Refused as refused:
                raise failed(refused, offset) from None
            left = right
        return True

    return run


# ---- decisions


def compile_decision(building: Building, node: nodes.Node) -> Evaluate:
    """Compile what must be true or false: conditions, what is tested by `if`, and the operands of `not`."""
    match node:
        case nodes.And(left=left, right=right):
            one, other = compile_decision(building, left), compile_decision(building, right)
            return lambda frame: one(frame) and other(frame)
        case nodes.Or(left=left, right=right):
            one, other = compile_decision(building, left), compile_decision(building, right)
            return lambda frame: one(frame) or other(frame)
        case nodes.Not() | nodes.Compare() | nodes.Test():
            return building.compile(node)
    value, offset = building.compile(node), node.lineno

    def run(frame: Frame) -> bool:
        decided = value(frame)
        if decided is True or decided is False:
            return decided
        try:
            raise not_decided(decided)
        except Refused as refused:
            raise failed(refused, offset) from None

    return run


def not_decided(value: object) -> Refused:
    """Say of a value that it is neither true nor false."""
    fix = {
        Kind.TEXT: "Write … | bool"
        if isinstance(value, str)
        and value.strip().lower() in {"true", "false", "yes", "no", "1", "0", "on", "off"}
        else "Compare it: … == 'text', or … != ''",
        Kind.NUMBER: "Compare it: … > 0",
        Kind.NULL: "Write … is not none, or … | default(false)",
        Kind.LIST: "Write … | length > 0",
        Kind.MAP: "Name the field that decides, or write … | length > 0",
    }.get(kind_of(value), "Compare it with something")
    return Refused(
        what=f"a decision is made by {described(value)}",
        why=f"only true and false decide; {'a text' if isinstance(value, str) else 'it'} would always or often "
        f"count as true"
        if kind_of(value) is not Kind.NULL
        else "only true and false decide",
        fix=fix,
    )


def compile_not(building: Building, node: nodes.Not, is_lenient: bool) -> Evaluate:
    """Compile `not a`."""
    decided = compile_decision(building, node.node)
    return lambda frame: not decided(frame)


def compile_and_or(building: Building, node: nodes.And | nodes.Or, is_lenient: bool) -> Evaluate:
    """Compile `a and b`, `a or b` where a value is wanted: `name or 'there'` gives one of the two."""
    left, right = building.compile(node.left), building.compile(node.right)
    if isinstance(node, nodes.And):
        return lambda frame: left(frame) and right(frame)
    return lambda frame: left(frame) or right(frame)


def compile_choice(building: Building, node: nodes.CondExpr, is_lenient: bool) -> Evaluate:
    """Compile `a if condition else b`."""
    decided, chosen = (
        compile_decision(building, node.test),
        building.compile(node.expr1, is_lenient=is_lenient),
    )
    if node.expr2 is None:
        return building.refuse(
            node.test,
            what="this if has no else",
            why="there would be no value when it does not hold",
            fix="Write a if condition else b; b may be '' or none",
        )
    other = building.compile(node.expr2, is_lenient=is_lenient)
    return lambda frame: chosen(frame) if decided(frame) else other(frame)
