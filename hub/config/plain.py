"""A YAML document as plain values, where no key says what type it expects: routes and their tests.

What could be meant as text stays text: only `true`, `false`, `null`, plain whole numbers and plain decimals are
something else, and only without quotes (facts: routes A6.1). So `+14155550123`, `NO`, `22:00`, `0123` and `2026-08-01`
are what they look like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from hub.config.nodes import ListNode, MappingNode, Node, ScalarNode
from hub.config.problems import Place

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

_BOOLEANS: Final = {"true": True, "false": False}
#: Longer ones lose digits in other systems, and are rather account numbers than amounts.
_INT: Final = re.compile(r"0|-?[1-9][0-9]{0,14}", re.ASCII)
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+", re.ASCII)
_LONGEST_FLOAT: Final = 17


def plain(node: Node) -> Plain:
    """Give the value of a node; depth and size are bounded by the loader."""
    match node:
        case ScalarNode():
            return _scalar(node)
        case ListNode(items=items):
            return [plain(item) for item in items]
        case MappingNode(entries=entries):
            return {entry.key: plain(entry.value) for entry in entries}


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    if node.is_quoted:
        return node.text
    if node.is_null:
        return None
    if node.text in _BOOLEANS:
        return _BOOLEANS[node.text]
    if _INT.fullmatch(node.text):
        return int(node.text)
    if len(node.text) <= _LONGEST_FLOAT and _FLOAT.fullmatch(node.text):
        return float(node.text)
    return node.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """Where a part of a document is written."""

    place: Place
    #: What the line's message calls it: `routes[0].steps[1].use`.
    key: str


def spot_of(root: Node, pointer: str, *, at_key: bool = False, offset: int | None = None) -> Spot:
    """Find where the part that a JSON pointer names is written; the nearest part that is there, if it is not.

    Args:
        root: The document.
        pointer: As hub.rules gives it, for instance `/routes/0/steps/1/use`.
        at_key: Whether the key is meant rather than its value.
        offset: Characters before the place within the text that the pointer names.
    """
    node, place, key = root, root.place, ""
    for part in [_unescape(part) for part in pointer.split("/")[1:]]:
        if isinstance(node, MappingNode) and (entry := node.get(part)) is not None:
            node, place = entry.value, entry.key_place if at_key else entry.value.place
            key = f"{key}.{part}" if key else part
        elif isinstance(node, ListNode) and part.isdecimal() and int(part) < len(node.items):
            node = node.items[int(part)]
            place, key = node.place, f"{key}[{part}]"
        else:
            return Spot(place=place, key=key)
    if offset and isinstance(node, ScalarNode) and not at_key:
        place = _within(node, offset)
    return Spot(place=place, key=key)


def _within(node: ScalarNode, offset: int) -> Place:
    """Find a character of a text in its file: YAML changes blanks and line ends, and puts signs before some others."""
    wanted = [each for each in node.text[:offset] if not each.isspace()]
    following = next((each for each in node.text[offset:] if not each.isspace()), None)
    is_block = node.lines[:1] and node.lines[0][node.place.column - 1 :].startswith(("|", ">"))
    found = 0
    for number, line in enumerate(node.lines):
        if number == 0 and is_block:
            continue
        start = node.place.column - 1 if number == 0 else 0
        for column in range(start, len(line)):
            sign = line[column]
            if sign.isspace():
                continue
            if sign == (wanted[found] if found < len(wanted) else following):
                if found == len(wanted):
                    return replace(
                        node.place,
                        line=node.place.line + number,
                        column=column + 1,
                        line_text=line if node.place.line_text else "",
                    )
                found += 1
            elif sign not in "\\'\"":
                return node.place  # written with escapes: the beginning is near enough
    return node.place


def _unescape(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
