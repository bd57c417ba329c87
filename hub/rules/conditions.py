"""Structural conditions on an event's payload, for webhook filters and the `when` of routes.

    {"data.text": {"$contains": "STOP"}, "data.is_from_me": false, "$or": [{…}, {…}]}

Everything in one object must hold. A document is checked completely and compiled once; matching then runs plain
closures and can neither raise nor run long. Operators: hub.rules.condition_operators; paths:
hub.rules.condition_paths; what a compiled condition is made of: hub.rules.condition_nodes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.rules.condition_nodes import Explanation, Matcher, Node, all_of, any_of, compare, none_of, shown
from hub.rules.condition_operators import OPERATORS
from hub.rules.condition_paths import Payload, path_fault
from hub.rules.problems import Problem, suggestion

MOST_DEPTH: Final = 8
MOST_NODES: Final = 100
#: More are not told: a document this wrong is read by nobody.
MOST_PROBLEMS: Final = 20

_GROUPS: Final = ("$and", "$or", "$not")
_LONGEST_SHOWN: Final = 80
#: Names other systems use, where the nearest spelling would mislead.
_FOREIGN: Final = {
    "$ne": "Write $neq",
    "$nor": 'Write {"$not": {"$or": […]}}',
    "$regex": "Use $contains, $starts_with or $ends_with; there are no patterns here",
    "$like": "Use $contains, $starts_with or $ends_with; there are no patterns here",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A compiled condition. Two from the same document are equal."""

    #: The document as canonical JSON; also tells equal conditions apart from different ones.
    text: str
    #: Says whether a payload meets the condition.
    matches: Matcher = field(compare=False, repr=False)
    #: Returns the first failing comparison, or None if the payload meets the condition.
    explain: Callable[[Payload], Explanation | None] = field(compare=False, repr=False)


def compile_condition(document: object) -> Condition | list[Problem]:
    """Check and compile a condition, or return everything that is wrong with it."""
    reader = _DocumentReader()
    node = reader.read_document(document, "", depth=1)
    if reader.problems or node is None:
        return reader.problems
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Condition(text=text, matches=node.matches, explain=node.explain)


# ---- reading the document


class _DocumentReader:
    """Turns a document into nodes and gathers what is wrong on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._nodes = 0

    def read_document(self, document: object, pointer: str, *, depth: int) -> Node | None:
        """Read an object of paths and groups, all of which must hold."""
        if not self._has_room(pointer, depth):
            return None
        if not isinstance(document, Mapping) or not document:
            what = "this condition is empty" if document == {} else "a condition is an object"
            return self._refuse(
                pointer, what, "it would say nothing", 'Write {"data.text": "STOP"}, or leave it out'
            )
        nodes = [
            self._read_entry(key, value, f"{pointer}/{_escape(key)}", depth)
            for key, value in document.items()
        ]
        kept = [node for node in nodes if node is not None]
        return all_of(kept) if kept else None

    def _read_entry(self, key: object, value: object, pointer: str, depth: int) -> Node | None:
        if self._is_over:
            return None
        if not isinstance(key, str):
            return self._refuse(pointer, f"{key!r} is not a path", "a path is a text", "Put it in quotes")
        if key in _GROUPS:
            return self._read_group(key, value, pointer, depth)
        if key.startswith("$"):
            return self._refuse_operator(key, pointer, known=_GROUPS, place="around paths")
        fault = path_fault(key)
        if fault is not None:
            return self._refuse(
                pointer, f"{key[:_LONGEST_SHOWN]!r} is not a path", fault, "Write it like data.text"
            )
        return self._read_field(key, value, pointer, depth)

    def _read_group(self, group: str, value: object, pointer: str, depth: int) -> Node | None:
        if group == "$not":
            node = self.read_document(value, pointer, depth=depth + 1)
            return None if node is None else none_of(node, pointer, "", value)
        if not isinstance(value, list) or not value:
            return self._refuse(
                pointer,
                f"{group} needs conditions",
                "it takes a list of at least one",
                f'Write "{group}": [{{…}}]',
            )
        nodes = [
            self.read_document(item, f"{pointer}/{index}", depth=depth + 1)
            for index, item in enumerate(value)
        ]
        kept = [node for node in nodes if node is not None]
        if len(kept) < len(nodes):
            return None
        return any_of(kept) if group == "$or" else all_of(kept)

    def _read_field(self, path: str, value: object, pointer: str, depth: int) -> Node | None:
        """Read what is asked of one path: a plain value, or an object of operators."""
        if not isinstance(value, Mapping):
            return self._read_comparison(path, "$eq", value, pointer, depth)
        if not value or not all(isinstance(key, str) and key.startswith("$") for key in value):
            return self._refuse(
                pointer,
                "an object stands where operators belong",
                "its keys do not all begin with $",
                f'Write "{path}.…" as the path, or {{"$eq": {{…}}}} to compare the whole object',
            )
        nodes = [
            self._read_operator(path, key, operand, f"{pointer}/{_escape(key)}", depth)
            for key, operand in value.items()
        ]
        kept = [node for node in nodes if node is not None]
        return all_of(kept) if kept else None

    def _read_operator(
        self, path: str, operator: str, operand: object, pointer: str, depth: int
    ) -> Node | None:
        if self._is_over:
            return None
        if operator == "$not":
            if not self._has_room(pointer, depth + 1):
                return None
            node = self._read_field(path, operand, pointer, depth + 1)
            return None if node is None else none_of(node, pointer, path, operand)
        if operator not in OPERATORS:
            return self._refuse_operator(operator, pointer, known=(*OPERATORS, "$not"), place="at a path")
        return self._read_comparison(path, operator, operand, pointer, depth)

    def _read_comparison(
        self, path: str, operator: str, operand: object, pointer: str, depth: int
    ) -> Node | None:
        if not self._has_room(pointer, depth):
            return None
        fault = OPERATORS[operator].fault(operand)
        if fault is not None:
            return self._refuse(
                pointer, f"{operator} cannot take {shown(operand)}", fault, "Give it a fitting value"
            )
        return compare(pointer, path, operator, operand)

    def _has_room(self, pointer: str, depth: int) -> bool:
        self._nodes += 1
        if self._nodes == MOST_NODES + 1:
            self._refuse(
                "",
                "the condition is too large",
                f"it has more than {MOST_NODES} parts",
                "Use $in for lists of values, or several webhooks",
            )
        elif depth == MOST_DEPTH + 1 and self._nodes <= MOST_NODES:
            self._refuse(
                pointer, "the condition is nested too deep", f"at most {MOST_DEPTH} levels", "Flatten it"
            )
        return self._nodes <= MOST_NODES and depth <= MOST_DEPTH

    def _refuse_operator(
        self, written: str, pointer: str, *, known: Sequence[str], place: str
    ) -> Node | None:
        meant = suggestion(written, known)
        fix = _FOREIGN.get(written) or (
            f"Did you mean {meant}" if meant else "Use one of " + ", ".join(known)
        )
        return self._refuse(
            pointer, f"{written[:_LONGEST_SHOWN]!r} is no operator {place}", "no such operator is known", fix
        )

    @property
    def _is_over(self) -> bool:
        """Stop reading: what is left of a hostile document must cost nothing."""
        return self._nodes > MOST_NODES or len(self.problems) >= MOST_PROBLEMS

    def _refuse(self, pointer: str, what: str, why: str, fix: str) -> Node | None:
        """Note a problem; there is no node then."""
        self.problems.append(Problem(pointer=pointer, what=what, why=why, fix=fix))
        return None


def _escape(key: object) -> str:
    return str(key)[:_LONGEST_SHOWN].replace("~", "~0").replace("/", "~1")
