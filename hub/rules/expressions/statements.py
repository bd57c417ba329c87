"""Compiles the text of templates: what stands between braces, `{% if %}`, and `{% for %}`, one level of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import nodes

from hub.rules.expressions.building import EACH, Building, failed
from hub.rules.expressions.combining import compile_decision
from hub.rules.expressions.frame import Evaluate, Frame
from hub.rules.expressions.limits import LONGEST_TEXT, MOST_TURNS, VISIT
from hub.rules.expressions.names import path_of
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import as_text, described


class Output:
    """Text on its way out, counted while it is written."""

    __slots__ = ("_left", "parts")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._left = LONGEST_TEXT

    def write(self, text: str) -> None:
        """Add text, unless it becomes too much."""
        self._left -= len(text)
        if self._left < 0:
            raise Refused(
                what=f"the text becomes longer than {LONGEST_TEXT} characters",
                why="what templates write is bounded",
                fix="Cut what goes into it, for instance with truncate(1000)",
            )
        self.parts.append(text)


Write = Callable[[Frame, Output], None]


def compile_body(building: Building, body: Sequence[nodes.Node]) -> Write:
    """Compile parts of a template that follow each other."""
    writers = [writer for node in body for writer in _writers(building, node)]

    def write(frame: Frame, output: Output) -> None:
        for writer in writers:
            writer(frame, output)

    return write


def _writers(building: Building, node: nodes.Node) -> list[Write]:
    match node:
        case nodes.Output(nodes=pieces):
            return [_piece(building, piece) for piece in pieces]
        case nodes.If():
            return [_compile_if(building, node)]
        case nodes.For():
            return [_compile_for(building, node)]
    name = type(node).__name__.lower()
    building.refuse(
        node,
        what=f"{{% {_STATEMENTS.get(name, name)} %}} is not offered",
        why="a template knows {% if %} and {% for %}",
        fix="Work it out in vars"
        if name in {"assign", "assignblock", "with"}
        else "Write it into the template itself",
    )
    return []


_STATEMENTS = {
    "assign": "set",
    "assignblock": "set",
    "callblock": "call",
    "filterblock": "filter",
    "fromimport": "from",
    "scopedevalcontextmodifier": "autoescape",
}


def _piece(building: Building, node: nodes.Node) -> Write:
    if isinstance(node, nodes.TemplateData):
        text = node.data
        return lambda frame, output: output.write(text)
    return _compile_value(building.compile(node), node.lineno)


def _compile_value(value: Evaluate, offset: int) -> Write:
    def write(frame: Frame, output: Output) -> None:
        written = value(frame)
        try:
            output.write(written if type(written) is str else as_text(written))
        except Refused as refused:
            raise failed(refused, offset) from None

    return write


def _compile_if(building: Building, node: nodes.If) -> Write:
    branches = [
        (compile_decision(building, each.test), compile_body(building, each.body))
        for each in (node, *node.elif_)
    ]
    otherwise = compile_body(building, node.else_)

    def write(frame: Frame, output: Output) -> None:
        for decided, body in branches:
            if decided(frame):
                body(frame, output)
                return
        otherwise(frame, output)

    return write


def _compile_for(building: Building, node: nodes.For) -> Write:
    items = building.compile(node.iter)
    if not _is_plain_loop(building, node):
        return lambda frame, output: None
    assert isinstance(node.target, nodes.Name)
    name, offset = node.target.name, node.iter.lineno
    through = path_of(building, node.iter)
    building.loops = {name: (*through, EACH) if through else (), "loop": ()}
    body = compile_body(building, node.body)
    building.loops = {}
    otherwise = compile_body(building, node.else_)
    turn_cost = VISIT * (1 + sum(1 for _ in node.find_all(nodes.Node)))

    def write(frame: Frame, output: Output) -> None:
        values = items(frame)
        try:
            count = _turns(values)
            frame.spend(count * turn_cost)
        except Refused as refused:
            raise failed(refused, offset) from None
        if not values:
            otherwise(frame, output)
            return
        outer = frame.names
        inner = dict(outer)
        frame.names = inner
        for place, value in enumerate(values):
            inner[name], inner["loop"] = value, _loop(place, count)
            body(frame, output)
        frame.names = outer

    return write


def _is_plain_loop(building: Building, node: nodes.For) -> bool:
    """Refuse what a loop of ours is not."""
    if building.loops:
        what, fix = "a {% for %} stands in a {% for %}", "Use a foreach step, or map_attr and join"
    elif not isinstance(node.target, nodes.Name):
        what, fix = "{% for %} names more than one value", "Write {% for item in list %}, then item.name"
    elif node.test is not None or node.recursive:
        what, fix = (
            "{% for %} has more than a list",
            "Choose items before: {% for item in list | where('field', value) %}",
        )
    elif node.target.name in building.scope.names - {"item"} or node.target.name in {
        "now",
        "get",
        "omit",
        "loop",
    }:
        what, fix = (
            f"{{% for %}} gives {node.target.name} another meaning",
            "Choose another name, such as entry",
        )
    else:
        return True
    building.refuse(node, what=what, why="a loop goes through one list, under one new name", fix=fix)
    return False


def _turns(values: Any) -> int:
    if type(values) is not list:
        raise Refused(
            what=f"{{% for %}} goes through {described(values)}",
            why="it goes through a list",
            fix="Name the list",
        )
    if len(values) > MOST_TURNS:
        raise Refused(
            what=f"{{% for %}} goes through {len(values)} items",
            why=f"{MOST_TURNS} are allowed",
            fix="Take the first ones: list[:100]",
        )
    return len(values)


def _loop(place: int, count: int) -> dict[str, object]:
    return {
        "first": place == 0,
        "index": place + 1,
        "index0": place,
        "last": place == count - 1,
        "length": count,
    }
