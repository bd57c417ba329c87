"""Turns nodes into typed dataclasses, guided by their annotations, and notes everything that does not fit.

Several layers (defaults, a file, the environment) are read as one: a later layer's key wins, and each problem
points at the layer it came from. Knows types and constraints, no key by name.
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from hub.config.constraints import Constraint
from hub.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from hub.config.problems import Place, Problem, problem_at
from hub.config.scalars import SCALAR_READERS, ScalarReader, cut, one_of

#: Field metadata: the value never shows, neither in a repr nor in a problem.
SECRET = {"secret": True}

Section = TypeVar("Section")


class _Bad:
    """Stands for a value that could not be read; the problem has been noted."""


_BAD = _Bad()


def secret() -> Any:
    """Return a dataclass field whose value is never shown."""
    return dataclasses.field(repr=False, metadata=SECRET)


def decode(section: type[Section], layers: Sequence[Node]) -> tuple[Section | None, list[Problem]]:
    """Read layers of nodes as one dataclass.

    Args:
        section: A dataclass whose fields are scalars, tuples, literals, optionals or other such dataclasses.
        layers: The defaults first; a later layer wins key by key.

    Returns:
        The section and no problems, or None and every problem.
    """
    decoder = _Decoder(root=section)
    value = decoder.section(section, layers, "")
    return (None, decoder.problems) if decoder.problems else (value, [])


def find_place(layers: Sequence[Node], key: str) -> Place:
    """Return where the value of a dotted key was written, in the last layer that has it."""
    for layer in reversed(layers):
        node: Node | None = layer
        for name in key.split("."):
            entry = node.get(name) if isinstance(node, MappingNode) else None
            node = entry.value if entry else None
        if node is not None:
            return node.place
    raise KeyError(key)


def keys_of(section: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each dotted key of a section, at any depth, with its annotated type."""
    for name, annotation in typing.get_type_hints(section, include_extras=True).items():
        if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
            yield from keys_of(annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", annotation


class _Decoder:
    def __init__(self, *, root: type) -> None:
        self.problems: list[Problem] = []
        self._known = [key for key, _ in keys_of(root)]

    def section(self, section: type[Section], layers: Sequence[Node], prefix: str) -> Section | None:
        """Read one dataclass from its layers; None when any part of it is bad."""
        mappings = [mapping for layer in layers if (mapping := self._mapping(layer, prefix)) is not None]
        hints = typing.get_type_hints(section, include_extras=True)
        for mapping in mappings:
            for entry in mapping.entries:
                if entry.key not in hints:
                    self._note_unknown(entry, prefix, hints)
        values: dict[str, object] = {}
        for field in dataclasses.fields(section):  # type: ignore[arg-type]  # Section is always a dataclass here
            nodes = [found.value for mapping in mappings if (found := mapping.get(field.name))]
            values[field.name] = self._field(field, hints[field.name], nodes, prefix, layers[0])
        return None if any(value is _BAD for value in values.values()) else section(**values)

    def _mapping(self, node: Node, prefix: str) -> MappingNode | None:
        if isinstance(node, MappingNode):
            return node
        # `web:` with every key below commented out is an empty section.
        if not (isinstance(node, ScalarNode) and node.is_null):
            key = prefix.removesuffix(".")
            self.problems.append(
                problem_at(
                    node.place,
                    key=key,
                    what=f"{_describe(node)} stands here",
                    why="here keys are expected",
                    fix="write `key: value` lines, indented by two spaces below their section",
                )
            )
        return None

    def _field(
        self, field: "dataclasses.Field[Any]", annotation: object, nodes: list[Node], prefix: str, base: Node
    ) -> object:
        key = prefix + field.name
        if not nodes:
            self.problems.append(
                problem_at(
                    base.place,
                    key=key,
                    what="the key is missing",
                    why="this file holds the defaults, so each key must be in it",
                    fix=f"add `{field.name}:` again; its documentation tells the value",
                )
            )
            return _BAD
        if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
            value = self.section(annotation, nodes, f"{key}.")
            return _BAD if value is None else value
        return _ValueReader(
            key=key, is_secret=bool(field.metadata.get("secret")), problems=self.problems
        ).read(annotation, nodes[-1])

    def _note_unknown(self, entry: Entry, prefix: str, hints: dict[str, Any]) -> None:
        key = prefix + entry.key
        # Only the key is shown: a misspelt key may hold a secret.
        place = dataclasses.replace(entry.key_place, line_text="")
        self.problems.append(
            problem_at(
                place,
                key=cut(key),
                what="there is no such key",
                why=f"known here are {', '.join(sorted(hints))}",
                fix=self._suggestion(entry.key, prefix, hints),
            )
        )

    def _suggestion(self, name: str, prefix: str, hints: dict[str, Any]) -> str:
        near = difflib.get_close_matches(name, hints, n=1, cutoff=0.6)
        if near:
            return f"did you mean {prefix}{near[0]}?"
        elsewhere = [key for key in self._known if key.rpartition(".")[2] == name]
        if elsewhere:
            return f"did you mean {' or '.join(elsewhere)}? It belongs below that section"
        return "remove it"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _ValueReader:
    """Reads the value of one key."""

    key: str
    is_secret: bool
    problems: list[Problem]

    def read(self, annotation: object, node: Node) -> object:
        """Return the value as the annotated type, or `_BAD`."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self._constrained(arguments[0], arguments[1:], node)
        if origin in (types.UnionType, typing.Union):
            return self._optional(arguments, node)
        if origin is tuple:
            return self._items(arguments[0], node)
        if origin is Literal:
            return self._scalar(one_of(arguments), node)
        return self._scalar(SCALAR_READERS[annotation], node)

    def _constrained(self, inner: object, constraints: Sequence[Constraint], node: Node) -> object:
        value = self.read(inner, node)
        if value is _BAD:
            return _BAD
        for constraint in constraints:
            complaint = constraint.complaint(value)
            if complaint is not None:
                return self._refuse(node, why=complaint.why, fix=complaint.fix)
        return value

    def _optional(self, arguments: tuple[Any, ...], node: Node) -> object:
        if isinstance(node, ScalarNode) and node.is_null:
            return None
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return self.read(inner, node)

    def _items(self, inner: object, node: Node) -> object:
        if not isinstance(node, ListNode):
            return self._refuse(node, why="a list is expected", fix="write [first, second], or [] for none")
        values = [self.read(inner, item) for item in node.items]
        return _BAD if any(value is _BAD for value in values) else tuple(values)

    def _scalar(self, reader: ScalarReader, node: Node) -> object:
        if isinstance(node, ScalarNode):
            value = reader.read(node)
            if value is not None:
                return value
        return self._refuse(node, why=f"{reader.expected} is expected", fix=reader.fix)

    def _refuse(self, node: Node, *, why: str, fix: str) -> _Bad:
        what = "this value cannot be used" if self.is_secret else f"{_describe(node)} cannot be used"
        self.problems.append(
            problem_at(node.place, key=self.key, what=what, why=why, fix=fix, is_secret=self.is_secret)
        )
        return _BAD


def _describe(node: Node) -> str:
    match node:
        case ListNode():
            return "a list"
        case MappingNode():
            return "a group of keys"
        case ScalarNode() if node.is_null:
            return "nothing"
        case ScalarNode():
            return f'"{cut(node.text)}"' + (" in quotes" if node.is_quoted and node.text else "")
