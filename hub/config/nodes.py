"""A YAML document as written: texts with their places, before anyone decides what they mean.

Keeping the text lets the reader of a key decide by the type it expects, so that `no`, `12:30` and
`+15550100000` are never bent into something else. Nothing here is interpreted.
"""

from dataclasses import dataclass

from hub.config.problems import Place

#: What YAML itself writes for "nothing"; only when not quoted.
NULL_TEXTS = frozenset({"", "~", "null"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalarNode:
    """One text."""

    text: str
    #: Quotes (or a block) say that it is text whatever it looks like.
    is_quoted: bool
    place: Place
    #: Of prose, the lines as written from the one it starts on to the one it ends on, to find a place within it.
    lines: tuple[str, ...] = ()

    @property
    def is_null(self) -> bool:
        return not self.is_quoted and self.text in NULL_TEXTS


@dataclass(frozen=True, kw_only=True, slots=True)
class ListNode:
    """Values in order."""

    items: "tuple[Node, ...]"
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    key: str
    key_place: Place
    value: "Node"


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingNode:
    """Keys with their values, in the order written; keys are unique."""

    entries: tuple[Entry, ...]
    place: Place

    def get(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key == key), None)


Node = ScalarNode | ListNode | MappingNode
