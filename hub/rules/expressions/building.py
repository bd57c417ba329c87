"""What is gathered while an expression is compiled: what is wrong with it, and which values it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import nodes

from hub.rules.expressions.frame import Evaluate
from hub.rules.expressions.limits import DEEPEST_TREE, MOST_NODES
from hub.rules.expressions.problems import ExpressionError, ExpressionProblem, Refused
from hub.rules.expressions.scope import Scope

#: In the path of a `Read`: each item of a list, or a field whose name is known only when the expression runs.
EACH: Final = "[]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """One value that an expression reads, as far as can be told before it runs."""

    #: The name, then fields and indices, such as `("steps", "contact", "output", "id")`.
    path: tuple[str | int, ...]
    offset: int
    #: The expression gives something else if the value is missing.
    is_optional: bool


class Building:
    """One expression or template on its way to closures."""

    def __init__(self, scope: Scope, compilers: Mapping[type, Compile]) -> None:
        self.scope = scope
        self.problems: list[ExpressionProblem] = []
        self.reads: list[Read] = []
        #: Names of the template's own loop, and what they go through.
        self.loops: dict[str, tuple[str | int, ...]] = {}
        self._compilers = compilers

    def compile(self, node: nodes.Node, *, is_lenient: bool = False) -> Evaluate:
        """Give the closure of an expression.

        Args:
            node: Any expression.
            is_lenient: It gives MISSING instead of an error if its last name is missing.
        """
        compiler = self._compilers.get(type(node))
        if compiler is not None:
            return compiler(self, node, is_lenient)
        return self.refuse(
            node,
            what=f"{type(node).__name__.lower()} is not offered here",
            why="expressions compare, calculate, choose and name values",
            fix="Write it with filters, or work it out in a step before",
        )

    def refuse(self, node: nodes.Node | int, *, what: str, why: str, fix: str) -> Evaluate:
        """Note a problem, and give something in the place of what has it."""
        offset = node if isinstance(node, int) else node.lineno
        self.problems.append(ExpressionProblem(offset=offset, what=what, why=why, fix=fix))
        return _nothing

    def refuse_as(self, node: nodes.Node, refused: Refused) -> Evaluate:
        """Note a value that does not fit."""
        return self.refuse(node, what=refused.what, why=refused.why, fix=refused.fix)

    def note_read(self, path: tuple[str | int, ...], offset: int, *, is_optional: bool) -> None:
        """Note that a value is read."""
        start = self.loops.get(str(path[0]), path[:1])
        if start:
            self.reads.append(Read(path=(*start, *path[1:]), offset=offset, is_optional=is_optional))


Compile = Callable[[Building, Any, bool], Evaluate]


def _nothing(frame: object) -> None:
    """Stands for what is refused; never run."""


def too_large(roots: tuple[nodes.Node, ...]) -> ExpressionProblem | None:
    """Say that a tree has too many nodes, or is too deep to be walked by recursion."""
    count, depth = 0, 0
    level: list[nodes.Node] = list(roots)
    while level:
        count += len(level)
        depth += 1
        if count > MOST_NODES or depth > DEEPEST_TREE:
            return ExpressionProblem(
                offset=level[0].lineno or 0,
                what="this does too much at once",
                why=f"{MOST_NODES} parts and {DEEPEST_TREE} levels of them are allowed",
                fix="Work out a part of it in vars, and name that here",
            )
        level = [child for node in level for child in _children(node)]
    return None


def _children(node: nodes.Node) -> Iterator[nodes.Node]:
    return node.iter_child_nodes()


def failed(refused: Refused, offset: int) -> ExpressionError:
    """Give the error of a value that was refused at a place."""
    return ExpressionError(refused.at(offset))
