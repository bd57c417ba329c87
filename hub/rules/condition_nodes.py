"""A compiled condition as a tree: each node can match fast and, apart from that, explain slowly.

The closures are fused when the tree is built, so matching never walks it. Nodes are made from a checked document
by hub.rules.conditions only.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hub.rules.condition_operators import OPERATORS
from hub.rules.condition_paths import MISSING, Payload, Reader, compile_path

_LONGEST_SHOWN: Final = 80

Matcher = Callable[[Payload], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """The first comparison that failed, with what stood there."""

    #: JSON pointer into the condition document.
    pointer: str
    #: Dotted path into the payload; empty when a whole group decided.
    path: str
    operator: str
    #: JSON, cut at 80 characters.
    expected: str
    #: JSON, cut at 80 characters, or `missing`.
    actual: str

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {self.expected}, but it is {self.actual}".lstrip()


class Node(Protocol):
    """A part of a condition."""

    @property
    def matches(self) -> Matcher: ...
    def explain(self, payload: Payload) -> Explanation | None: ...


@dataclass(frozen=True, slots=True)
class _Comparison:
    pointer: str
    path: str
    operator: str
    operand: object
    read: Reader
    matches: Matcher

    def explain(self, payload: Payload) -> Explanation | None:
        if self.matches(payload):
            return None
        return Explanation(
            pointer=self.pointer,
            path=self.path,
            operator=self.operator,
            expected=shown(self.operand),
            actual=shown(self.read(payload)),
        )


@dataclass(frozen=True, slots=True)
class _All:
    nodes: tuple[Node, ...]
    matches: Matcher

    def explain(self, payload: Payload) -> Explanation | None:
        explanations = (node.explain(payload) for node in self.nodes)
        return next((explanation for explanation in explanations if explanation), None)


@dataclass(frozen=True, slots=True)
class _Any:
    nodes: tuple[Node, ...]
    matches: Matcher

    def explain(self, payload: Payload) -> Explanation | None:
        """The first alternative stands for all: none of them held."""
        return None if self.matches(payload) else self.nodes[0].explain(payload)


@dataclass(frozen=True, slots=True)
class _Not:
    pointer: str
    path: str
    operand: object
    read: Reader | None
    matches: Matcher

    def explain(self, payload: Payload) -> Explanation | None:
        if self.matches(payload):
            return None
        return Explanation(
            pointer=self.pointer,
            path=self.path,
            operator="$not",
            expected=shown(self.operand),
            actual=shown(self.read(payload)) if self.read else "met",
        )


def compare(pointer: str, path: str, operator: str, operand: object) -> Node:
    """Compare the value at a path; the operand fits the operator."""
    read, test = compile_path(path), OPERATORS[operator].build(operand)
    return _Comparison(pointer, path, operator, operand, read, lambda payload: test(read(payload)))


def all_of(nodes: Sequence[Node]) -> Node:
    """Every one must hold; they are tried in the order written."""
    if len(nodes) == 1:
        return nodes[0]
    matchers = tuple(node.matches for node in nodes)
    if len(matchers) == 2:  # two comparisons are the common filter, and a loop costs twice as much
        first, second = matchers
        return _All(tuple(nodes), lambda payload: first(payload) and second(payload))

    def matches(payload: Payload) -> bool:
        for matcher in matchers:  # noqa: SIM110 - a generator inside all() costs twice as much
            if not matcher(payload):
                return False
        return True

    return _All(tuple(nodes), matches)


def any_of(nodes: Sequence[Node]) -> Node:
    """One of them must hold."""
    matchers = tuple(node.matches for node in nodes)

    def matches(payload: Payload) -> bool:
        for matcher in matchers:  # noqa: SIM110 - a generator inside any() costs twice as much
            if matcher(payload):
                return True
        return False

    return _Any(tuple(nodes), matches)


def none_of(node: Node, pointer: str, path: str, operand: object) -> Node:
    """The node must not hold; `path` is empty for a whole group."""
    inner = node.matches
    return _Not(
        pointer, path, operand, compile_path(path) if path else None, lambda payload: not inner(payload)
    )


def shown(value: object) -> str:
    """Write a value as JSON for people, cut at 80 characters."""
    if value is MISSING:
        return "missing"
    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    except RecursionError:
        return "a value nested too deep to show"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
