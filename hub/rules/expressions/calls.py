"""Compiles filters, tests and functions: what is called, with arguments that are known to fit as early as can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import nodes

from hub.rules.condition_paths import MISSING
from hub.rules.expressions import methods
from hub.rules.expressions.access import follow
from hub.rules.expressions.building import Building, failed
from hub.rules.expressions.checks import CHECKS
from hub.rules.expressions.filters.registry import FILTERS, INSTEAD
from hub.rules.expressions.frame import Evaluate, Frame
from hub.rules.expressions.names import path_of
from hub.rules.expressions.offered import ANY, ANY_OR_OMIT, TEXT, Filter, Parameter
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import described, is_number, kind_of
from hub.rules.problems import suggestion

Arguments = Callable[[Frame], tuple[Any, ...]]
_Called = nodes.Filter | nodes.Test | nodes.Call
_GET = (
    Parameter(name="value", takes=ANY),
    Parameter(name="path", takes=TEXT),
    Parameter(name="instead", takes=ANY_OR_OMIT, default=None),
)


# ---- arguments


def bind(
    building: Building,
    node: _Called,
    name: str,
    parameters: tuple[Parameter, ...],
    *,
    is_variadic: bool = False,
) -> Arguments:
    """Give the values of all parameters, in order; what is wrong with them is noted."""
    written = _written(building, node, name, parameters, is_variadic)
    if written is None:
        return lambda frame: ()
    constants: list[Any] = []
    evaluates: list[tuple[int, Evaluate, Parameter]] = []
    for place, (parameter, argument) in enumerate(written):
        constants.append(None)
        if argument is None:
            constants[place] = parameter.default
        elif (value := _constant(argument)) is not MISSING:
            constants[place] = value
            _accept(building, argument, parameter, value, name)
        else:
            _refuse_unwritten(building, argument, parameter, name)
            evaluates.append((place, building.compile(argument), parameter))
    return _arguments(tuple(constants), evaluates, name, node.lineno)


def _arguments(
    constants: tuple[Any, ...], evaluates: list[tuple[int, Evaluate, Parameter]], name: str, offset: int
) -> Arguments:
    if not evaluates:
        return lambda frame: constants

    def give(frame: Frame) -> tuple[Any, ...]:
        values = list(constants)
        for place, evaluate, parameter in evaluates:
            value = evaluate(frame)
            try:
                parameter.accept(value, name)
            except Refused as refused:
                raise failed(refused, offset) from None
            values[place] = value
        return tuple(values)

    return give


def _written(
    building: Building, node: _Called, name: str, parameters: tuple[Parameter, ...], is_variadic: bool
) -> list[tuple[Parameter, nodes.Expr | None]] | None:
    """Pair parameters with what is written for them, as Python does."""
    signature = ", ".join(each.name for each in parameters) or "nothing"
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        building.refuse(
            node, what="* in brackets", why="arguments are written out", fix=f"{name} takes {signature}"
        )
        return None
    given = list(node.args)
    if is_variadic:
        parameters = parameters * max(len(given), 1)
    by_name = {each.key: each for each in node.kwargs}
    pairs: list[tuple[Parameter, nodes.Expr | None]] = [
        (each, given[place] if place < len(given) else by_name.pop(each.name, nodes.Keyword("", None)).value)
        for place, each in enumerate(parameters)
    ]
    if by_name or len(given) > len(parameters):
        odd = f"no {next(iter(by_name))}" if by_name else f"no {len(given)} arguments"
        building.refuse(
            node, what=f"{name} takes {odd}", why="more is given than it knows", fix=f"It takes {signature}"
        )
        return None
    lacking = next((each.name for each, argument in pairs if argument is None and each.is_required), None)
    if lacking:
        building.refuse(
            node, what=f"{name} lacks {lacking}", why="it cannot do without", fix=f"It takes {signature}"
        )
        return None
    return pairs


def _constant(node: nodes.Node) -> Any:
    match node:
        case nodes.Const(value=value):
            return value
        case nodes.Neg(node=nodes.Const(value=number)) if is_number(number):
            return -number
        case _:
            return MISSING


def _accept(building: Building, node: nodes.Node, parameter: Parameter, value: object, name: str) -> None:
    try:
        parameter.accept(value, name)
    except Refused as refused:
        building.refuse_as(node, refused)


def _refuse_unwritten(building: Building, node: nodes.Node, parameter: Parameter, name: str) -> None:
    if parameter.is_constant:
        building.refuse(
            node,
            what=f"{parameter.name} of {name} is worked out",
            why="it is looked at when the route is loaded",
            fix="Write it out in quotes",
        )


# ---- filters


def compile_filter(building: Building, node: nodes.Filter, is_lenient: bool) -> Evaluate:
    """Compile `value | filter(…)`."""
    entry = FILTERS.get(node.name)
    if node.node is None or entry is None:
        return _no_filter(building, node)
    if node.name == "default":
        return _compile_default(building, node, is_lenient)
    value = building.compile(node.node)
    arguments = bind(building, node, entry.name, entry.parameters, is_variadic=entry.is_variadic)
    constant = _constant(node.node)
    if constant is not MISSING and kind_of(constant) not in entry.takes:
        try:
            entry.accept(constant)
        except Refused as refused:
            return building.refuse_as(node, refused)
    return _filtering(entry, value, arguments, node.lineno)


def _filtering(entry: Filter, value: Evaluate, arguments: Arguments, offset: int) -> Evaluate:
    apply, takes = entry.apply, entry.takes

    def run(frame: Frame) -> Any:
        subject = value(frame)
        given = arguments(frame)
        try:
            if kind_of(subject) not in takes:
                entry.accept(subject)
            return apply(frame, subject, *given)
        except Refused as refused:
            raise failed(refused, offset) from None

    return run


def _no_filter(building: Building, node: nodes.Filter) -> Evaluate:
    meant = suggestion(node.name, FILTERS)
    fix = INSTEAD.get(node.name) or (
        f"Did you mean {meant}" if meant else f"Choose among {', '.join(FILTERS)}"
    )
    return building.refuse(
        node, what=f"there is no filter {node.name}", why="it is not among those offered", fix=fix
    )


def _compile_default(building: Building, node: nodes.Filter, is_lenient: bool) -> Evaluate:
    """Compile `default` apart: its value may be missing, and what to take instead is worked out only if needed."""
    parameters = FILTERS["default"].parameters
    written = _written(building, node, "default", parameters, is_variadic=False)
    if written is None or node.node is None:
        return lambda frame: None
    value = building.compile(node.node, is_lenient=True)
    (_, instead_node), (_, empty_node) = written
    assert instead_node is not None
    instead = building.compile(instead_node, is_lenient=is_lenient)
    also_empty = False if empty_node is None else _constant(empty_node)
    if not isinstance(also_empty, bool):
        assert empty_node is not None
        return building.refuse(
            empty_node,
            what="also_empty of default is not true or false",
            why="it says whether empty values are replaced as well",
            fix="Write default('…', true)",
        )

    def run(frame: Frame) -> Any:
        subject = value(frame)
        if subject is MISSING or subject is None or (also_empty and not subject):
            return instead(frame)
        return subject

    return run


# ---- tests


def compile_test(building: Building, node: nodes.Test, is_lenient: bool) -> Evaluate:
    """Compile `value is test`."""
    check = CHECKS.get(node.name)
    if check is None or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        meant = suggestion(node.name, CHECKS)
        what = f"there is no test {node.name}" if check is None else f"the test {node.name} takes nothing"
        return building.refuse(
            node,
            what=what,
            why=f"after is stands one of {', '.join(CHECKS)}",
            fix=f"Did you mean {meant}" if meant and check is None else "Write == to compare with a value",
        )
    value = building.compile(node.node, is_lenient=check.takes_missing)
    holds = check.holds
    return lambda frame: holds(value(frame))


# ---- functions


def compile_function(building: Building, node: nodes.Call, is_lenient: bool) -> Evaluate:
    """Compile `now()` and `get(…)`."""
    match node.node:
        case nodes.Name(name="now"):
            bind(building, node, "now", ())
            return lambda frame: frame.surroundings.now_ms
        case nodes.Name(name="get"):
            return _compile_get(building, node)
        case nodes.Name(name=name):
            meant = suggestion(name, ["now", "get", *FILTERS])
            fix = (
                f"Write value | {meant}"
                if meant in FILTERS
                else f"Did you mean {meant}()"
                if meant
                else "Use a filter"
            )
            return building.refuse(
                node.node,
                what=f"{name}() cannot be called",
                why="there are the functions now() and get()",
                fix=fix,
            )
        case _:
            return building.refuse(
                node,
                what="this cannot be called",
                why="there are the functions now() and get()",
                fix="Use a filter",
            )


def _compile_get(building: Building, node: nodes.Call) -> Evaluate:
    written = _written(building, node, "get", _GET, is_variadic=False)
    if written is None:
        return lambda frame: None
    (_, value_node), (_, path_node), (_, instead_node) = written
    assert value_node is not None
    assert path_node is not None
    path = _constant(path_node)
    if not isinstance(path, str):
        return building.refuse(
            path_node,
            what="the path of get is not written out",
            why="the paths that a route reads are checked when it is loaded",
            fix="Write it in quotes, such as 'contact.name', or write event[name] for a name that is worked out",
        )
    if any(not part or part.startswith("__") for part in path.split(".")):
        return building.refuse(
            path_node,
            what=f"'{path[:60]}' is no path",
            why="names stand between dots",
            fix="Write it like 'a.b.0.c'",
        )
    seen = len(building.reads)
    value = building.compile(value_node, is_lenient=True)
    if root := path_of(building, value_node):
        del building.reads[seen:]
        building.note_read((*root, *path.split(".")), value_node.lineno, is_optional=True)
    instead = (lambda frame: None) if instead_node is None else building.compile(instead_node)

    def run(frame: Frame) -> Any:
        subject = value(frame)
        found = MISSING if subject is MISSING else follow(subject, path)
        return instead(frame) if found is MISSING or found is None else found

    return run


# ---- methods of texts


def compile_method(building: Building, node: nodes.Call, is_lenient: bool) -> Evaluate:
    """Compile `text.upper()` and its like."""
    assert isinstance(node.node, nodes.Getattr)
    name = node.node.attr
    method = methods.METHODS.get(name)
    if method is None:
        meant = suggestion(name, methods.METHODS)
        fix = methods.INSTEAD.get(name) or (
            f"Did you mean {meant}()" if meant else "Use a filter: value | filter"
        )
        return building.refuse(
            node.node,
            what=f"{name[:40]}() cannot be called",
            why=f"what can be called are now(), get() and, of texts, {', '.join(methods.METHODS)}",
            fix=fix,
        )
    value = building.compile(node.node.node)
    arguments = bind(building, node, name, method.parameters)
    offset = node.node.lineno

    def call(frame: Frame) -> Any:
        subject = value(frame)
        given = arguments(frame)
        try:
            if type(subject) is not str:
                raise Refused(
                    what=f"{name}() is asked of {described(subject)}",
                    why="only texts have it",
                    fix="Name the text that you want",
                )
            return method.apply(frame, subject, *given)
        except Refused as refused:
            raise failed(refused, offset) from None

    return call
