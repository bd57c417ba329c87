"""Compiles names, fields, items and slices. A chain such as `event.contact.name` is one closure of plain subscripts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from jinja2 import nodes

from hub.rules.condition_paths import MISSING
from hub.rules.expressions.access import Key, deeper, is_absent, no_name, spelled, take
from hub.rules.expressions.building import EACH, Building, Read, failed
from hub.rules.expressions.frame import Evaluate, Frame
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import OMIT, Kind, described, kind_of, legible
from hub.rules.problems import suggestion

#: Where people look for secrets and settings; there are none.
_HIDDEN: Final = frozenset(
    {"config", "connections", "credentials", "env", "environ", "environment", "secret", "secrets", "settings"}
)
_WORDS_ELSEWHERE: Final = {"null": "none", "nil": "none", "undefined": "none", "None": "none", "loop": ""}
#: Fields of events that beginners ask for by themselves.
_OF_EVENTS: Final = frozenset({"channel", "contact", "conversation", "direction", "from", "text", "to"})


def compile_name(building: Building, node: nodes.Name, is_lenient: bool) -> Evaluate:
    """Compile a name alone."""
    if node.name == "omit":
        return lambda frame: OMIT
    if not _is_known(building, node):
        return building.compile(nodes.Const(None, lineno=node.lineno))
    building.note_read((node.name,), node.lineno, is_optional=is_lenient)
    return _chain(node.name, (), node.lineno, is_lenient)


def compile_field(building: Building, node: nodes.Getattr | nodes.Getitem, is_lenient: bool) -> Evaluate:
    """Compile `a.b`, `a['b']`, `a[0]`, `a[x]` and `a[1:3]`."""
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        return _compile_slice(building, node.node, node.arg)
    path = _path(node)
    if path is None:
        return _compile_step(building, node, is_lenient)
    name, keys = path
    _refuse_hidden(building, node)
    if not _is_known(building, name):
        return building.compile(nodes.Const(None, lineno=node.lineno))
    building.note_read((name.name, *keys), name.lineno, is_optional=is_lenient)
    return _chain(name.name, keys, name.lineno, is_lenient)


def path_of(building: Building, node: nodes.Node) -> tuple[str | int, ...]:
    """Give the path that an expression is, or nothing if it is another."""
    path = _path(node)
    if path is None:
        return ()
    root = path[0].name
    return (*building.loops.get(root, (root,)), *path[1])


def _path(node: nodes.Node) -> tuple[nodes.Name, tuple[Key, ...]] | None:
    keys: list[Key] = []
    while not isinstance(node, nodes.Name):
        key = _constant_key(node)
        if key is None:
            return None
        keys.append(key)
        assert isinstance(node, (nodes.Getattr, nodes.Getitem))
        node = node.node
    return node, tuple(reversed(keys))


def _constant_key(node: nodes.Node) -> Key | None:
    match node:
        case nodes.Getattr(attr=str(name)):
            return name
        case nodes.Getitem(arg=nodes.Const(value=bool())):
            return None
        case nodes.Getitem(arg=nodes.Const(value=(str() | int()) as key)):
            return key
        case nodes.Getitem(arg=nodes.Neg(node=nodes.Const(value=int(number)))) if number is not True:
            return -number
        case _:
            return None


def _is_known(building: Building, node: nodes.Name) -> bool:
    name = node.name
    if name in building.scope.names or name in building.loops:
        return True
    known = sorted({*building.scope.names, *building.loops})
    if name == "omit":
        building.refuse(
            node,
            what="omit has no fields",
            why="it takes a key out of a map",
            fix="Write default(omit)",
        )
        return False
    if name in {"now", "get"}:
        building.refuse(
            node,
            what=f"{name} is a function",
            why="it is called with brackets",
            fix=f"Write {name}(…)" if name == "get" else "Write now()",
        )
        return False
    elsewhere = dict(building.scope.elsewhere).get(name)
    if elsewhere is not None:
        building.refuse(
            node,
            what=f"there is no {name} here",
            why=f"it is there {elsewhere}",
            fix=f"Use what there is: {', '.join(known)}",
        )
        return False
    if name in _HIDDEN:
        building.refuse(
            node,
            what=f"{name} is not known",
            why="no secret, no setting and no environment variable can be read here",
            fix="Name credentials in connections.yaml (docs/connectors.md), and put values of your own into vars",
        )
        return False
    building.refuse(
        node,
        what=f"{name} is not known",
        why=f"names here are {', '.join(known)}; text stands in quotes",
        fix=_instead(name, known),
    )
    return False


def _instead(name: str, known: Collection[str]) -> str:
    if name in _OF_EVENTS and "event" in known:
        return f"Write event.{name}, or '{name}' if it is text"
    meant = _WORDS_ELSEWHERE.get(name) or suggestion(name, [*known, "true", "false", "none"])
    return f"Did you mean {meant}" if meant else f"Write '{name}' if it is text"


def _refuse_hidden(building: Building, node: nodes.Node) -> None:
    """Refuse names that begin as Python's own do. They would only be keys of maps; nobody needs to wonder."""
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        key = _constant_key(node)
        if isinstance(key, str) and (
            key.startswith("__") or (isinstance(node, nodes.Getattr) and key[0] == "_")
        ):
            is_dunder = key.startswith("__")
            building.refuse(
                node,
                what=f"{key} cannot be asked for",
                why="names that begin with two underscores are closed"
                if is_dunder
                else "after a dot a name does not begin with an underscore",
                fix="Rename the field where it comes from"
                if is_dunder
                else f"Write ['{key}'] for a field of that name",
            )
        node = node.node


def _chain(root: str, keys: tuple[Key, ...], offset: int, is_lenient: bool) -> Evaluate:
    def explain(frame: Frame) -> Any:
        return _walk(frame, root, keys, offset, is_lenient)

    # In 3.11 a `try` costs nothing until it fails. Subscripts of our plain values raise one of these.
    match keys:
        case ():

            def read_name(frame: Frame) -> Any:
                try:
                    return frame.names[root]
                except KeyError:
                    return explain(frame)

            return read_name
        case (str(key),):

            def read_field(frame: Frame) -> Any:
                try:
                    return frame.names[root][key]
                except (KeyError, TypeError):
                    return explain(frame)

            return read_field

    def read_path(frame: Frame) -> Any:
        try:
            value = frame.names[root]
            for key in keys:
                value = value[key]
        except (KeyError, TypeError, IndexError):
            return explain(frame)
        return value

    return read_path


def _walk(frame: Frame, root: str, keys: tuple[Key, ...], offset: int, is_lenient: bool) -> Any:
    """Go the way again, slowly, and say where it ends."""
    if root not in frame.names:
        if is_lenient and not keys:
            return MISSING
        raise failed(no_name(root, frame.names), offset)
    value, written = frame.names[root], root
    for place, key in enumerate(keys):
        is_last = place == len(keys) - 1
        try:
            value = take(value, key, written)
        except Refused as refused:
            if is_lenient and is_last and is_absent(value, key):
                return MISSING
            told = refused if is_last else deeper(refused, root, keys)
            raise failed(told, offset) from None
        written = spelled(written, key)
    return value


def _compile_step(building: Building, node: nodes.Getattr | nodes.Getitem, is_lenient: bool) -> Evaluate:
    """Compile a field of what is no plain path: `(a | first).name`, `a[b]`."""
    _refuse_hidden(building, node)
    base = building.compile(node.node)
    constant = _constant_key(node)
    offset, written = node.lineno, "this value"
    path = _path(node.node)
    if path is not None:
        written = ".".join((path[0].name, *map(str, path[1])))
        root = path_of(building, node.node)
        building.reads.append(Read(path=(*root, EACH), offset=node.lineno, is_optional=is_lenient))
    wanted_node = nodes.Const(constant, lineno=node.lineno) if isinstance(node, nodes.Getattr) else node.arg
    key = building.compile(wanted_node)

    def read(frame: Frame) -> Any:
        value, wanted = base(frame), key(frame)
        try:
            return take(value, _key(wanted), written)
        except Refused as refused:
            if is_lenient and is_absent(value, wanted):
                return MISSING
            raise failed(refused, offset) from None

    return read


def _key(wanted: object) -> object:
    """Refuse a key that is none."""
    kind = kind_of(wanted)
    if kind is Kind.TEXT or (kind is Kind.NUMBER and type(wanted) is int):
        if isinstance(wanted, str) and wanted.startswith("__"):
            raise Refused(
                what=f"{legible(wanted)} cannot be asked for",
                why="names that begin with two underscores are closed",
                fix="Rename the field where it comes from",
            )
        return wanted
    raise Refused(
        what=f"{described(wanted)} stands in the brackets",
        why="a map is asked for a text, and a list for a whole number",
        fix="Write ['name'], or [0] for the first item",
    )


def _compile_slice(building: Building, base_node: nodes.Expr, part: nodes.Slice) -> Evaluate:
    if part.step is not None:
        return building.refuse(
            part,
            what="a slice has a step",
            why="only a start and an end are offered",
            fix="Write [start:end]",
        )
    base = building.compile(base_node)
    start = None if part.start is None else building.compile(part.start)
    stop = None if part.stop is None else building.compile(part.stop)
    offset = base_node.lineno

    def read(frame: Frame) -> Any:
        value = base(frame)
        bounds = [None if each is None else each(frame) for each in (start, stop)]
        try:
            if kind_of(value) not in {Kind.LIST, Kind.TEXT}:
                raise Refused(
                    what=f"a part of {described(value)} is asked for",
                    why="texts and lists have parts",
                    fix="Name the field that you want",
                )
            for bound in bounds:
                if bound is not None and type(bound) is not int:
                    raise Refused(
                        what=f"a part begins or ends at {described(bound)}",
                        why="places are whole numbers",
                        fix="Write [0:100]",
                    )
            part = value[bounds[0] : bounds[1]]
            if type(part) is str:
                frame.spend_on_text(part)
            else:
                frame.spend_on_items(len(part))
        except Refused as refused:
            raise failed(refused, offset) from None
        return part

    return read
