"""Builds nodes from the events of a YAML parser, and refuses what a configuration must not hold.

It never recurses and never resolves a value, so no input can exhaust it: its depth, its number of values and
its number of problems are bounded.
"""

import re
from dataclasses import dataclass, field

import yaml

from hub.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from hub.config.problems import Place, Problem, problem_at
from hub.config.scalars import cut

_MAX_DEPTH = 32
_MAX_NODES = 20_000
_MAX_PROBLEMS = 50

#: What stands behind a value as a comment without a blank.
_CUT = re.compile(r"\s+(#\S.*)")
#: A key whose dash or colon touches what follows: `-id: one`, `- id:one`; no URL and no time of day.
_JOINED = re.compile(r"(\s*(?:-(?=[A-Za-z_]+:\s)|(?:-\s+)?[A-Za-z_]+:(?=[^\s:/0-9])))")
#: Longer ones are no help to a reader, and searching them at each place would take quadratic time.
_LONGEST_SHOWN_LINE = 1000
#: Lines that may hold a secret are not shown.
_MAY_HOLD_SECRET = re.compile(r"(?i)secret|passw|token|_key|://[^/\s]*@")


class TooMuch(Exception):
    """Reading stops here; the problem has been noted."""


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still being read."""

    place: Place
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    first_places: dict[str, Place] = field(default_factory=dict)
    #: The key that waits for its value; None when a key comes next.
    key: ScalarNode | None = None

    def close(self) -> Node:
        if self.is_mapping:
            return MappingNode(entries=tuple(self.entries), place=self.place)
        return ListNode(items=tuple(self.items), place=self.place)


class Builder:
    """Turns events into nodes and collects what is wrong on the way."""

    def __init__(self, *, source: str, lines: list[str], is_prose: bool = False) -> None:
        """Begin.

        Args:
            source: How messages name the file.
            lines: Its text.
            is_prose: Whether values are sentences, in which a `#` is rather meant than a comment without a blank.
        """
        self._is_prose = is_prose
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self._source = source
        self._lines = lines
        self._open: list[_Open] = []
        self._nodes = 0
        self._last = (0, 0)
        #: Lines as messages may show them, each looked at once.
        self._shown: dict[int, str] = {}

    def place(self, line: int, column: int) -> Place:
        """Return the place for a position that counts from 0."""
        shown = self._shown.get(line)
        if shown is None:
            text = self._lines[line] if line < len(self._lines) else ""
            may_be_shown = len(text) <= _LONGEST_SHOWN_LINE and not _MAY_HOLD_SECRET.search(text)
            shown = self._shown[line] = text if may_be_shown else ""
        return Place(source=self._source, line=line + 1, column=column + 1, line_text=shown)

    def line_before(self, mark: yaml.Mark | None) -> str:
        """Return what stands before a place on its line."""
        is_known = mark is not None and mark.line < len(self._lines)
        return self._lines[mark.line][: mark.column] if mark is not None and is_known else ""

    def joined_above(self, mark: yaml.Mark | None) -> Place | None:
        """Return the place on the line above at which a key stands without a blank: `- id:one`, `-id: one`."""
        if mark is None or not 0 < mark.line <= len(self._lines):
            return None
        found = _JOINED.match(self._lines[mark.line - 1])
        return None if found is None else self.place(mark.line - 1, found.end(1))

    def comment_on(self, mark: yaml.Mark | None) -> Place | None:
        """Return where, on the line of a place, a comment without a blank starts."""
        if mark is None or mark.line >= len(self._lines):
            return None
        found = re.search(_CUT.pattern, self._lines[mark.line][mark.column :])
        return None if found is None else self.place(mark.line, mark.column + found.start(1))

    def last_place(self) -> Place:
        return self.place(*self._last)

    def take(self, event: yaml.Event) -> None:
        """Add one event."""
        if event.start_mark is not None:
            self._last = (event.start_mark.line, event.start_mark.column)
        match event:
            case yaml.ScalarEvent():
                self._check_node(event)
                self._put(self._scalar(event))
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._check_node(event)
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._open.append(_Open(place=self.last_place(), is_mapping=is_mapping))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._put(self._open.pop().close())
            case yaml.DocumentStartEvent() if self.root is not None:
                self._refuse(
                    "a second document starts here", "one file holds one document", "remove the `---`"
                )
                raise TooMuch
            case yaml.AliasEvent():
                self._refuse_anchor(f"*{event.anchor}")
                self._put(ScalarNode(text="", is_quoted=False, place=self.last_place()))

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        text = event.value
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self._refuse(
                "half of a surrogate pair is written as an escape",
                "it stands for no character",
                "write the character itself",
            )
            text = ""
        if self._is_prose and event.style is None:
            self._check_cut(event)
        lines: tuple[str, ...] = ()
        if self._is_prose and event.start_mark is not None and event.end_mark is not None:
            lines = tuple(self._lines[event.start_mark.line : event.end_mark.line + 1])
        return ScalarNode(text=text, is_quoted=event.style is not None, place=self.last_place(), lines=lines)

    def _check_cut(self, event: yaml.ScalarEvent) -> None:
        """Refuse a value that ends, unquoted, where a comment seems to start: it is a text with a #."""
        if event.end_mark is None:
            return
        line, column = event.end_mark.line, event.end_mark.column
        found = _CUT.match(self._lines[line] if line < len(self._lines) else "", column)
        if found is not None:
            self._refuse(
                f'"{cut(found[1])}" is not read',
                "a # after a blank starts a comment, so the text would end before it",
                'put the text into double quotes, or write "# " with a blank if it is a comment',
                place=self.place(line, found.start(1)),
            )

    def _check_node(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            self._refuse("the file goes on", f"it may hold {_MAX_NODES} values at most", "split it")
            raise TooMuch
        if len(self._open) >= _MAX_DEPTH:
            self._refuse(
                "this is nested too deeply", f"{_MAX_DEPTH} levels are the most", "flatten the structure"
            )
            raise TooMuch
        if event.anchor is not None:
            self._refuse_anchor(f"&{event.anchor}")
        if event.tag is not None:
            self._refuse(
                f"{event.tag} is a tag",
                "tags change how a value is read, and here the key alone decides that",
                "remove the tag; put text into quotes",
            )

    def _refuse_anchor(self, text: str) -> None:
        self._refuse(
            f"{text} is an anchor or alias",
            "a value must be readable where it stands, and aliases can be made to explode",
            "write the value out; put text that starts with & or * into quotes",
        )

    def _refuse(self, what: str, why: str, fix: str, *, place: Place | None = None) -> None:
        self.problems.append(problem_at(place or self.last_place(), what=what, why=why, fix=fix))
        if len(self.problems) >= _MAX_PROBLEMS:
            raise TooMuch

    def _put(self, node: Node) -> None:
        """Give a finished node to the list or mapping that is open, or make it the root."""
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._as_key(node, parent)
        else:
            key, parent.key = parent.key, None
            parent.entries.append(Entry(key=key.text, key_place=key.place, value=node))

    def _as_key(self, node: Node, parent: _Open) -> ScalarNode:
        if not isinstance(node, ScalarNode) or node.is_null:
            self._refuse_key(node)
            # A key that no reader knows, so that the value has a place to go; nothing is returned to one.
            return ScalarNode(text="", is_quoted=True, place=node.place)
        first = parent.first_places.setdefault(node.text, node.place)
        if first is not node.place:
            self._refuse(
                f'"{cut(node.text)}" is written twice',
                f"it already stands on line {first.line}, and only one of them could count",
                "keep one of the two",
            )
        return node

    def _refuse_key(self, node: Node) -> None:
        line, column = node.place.line - 1, node.place.column - 1
        written = self._lines[line] if line < len(self._lines) else ""
        if column > 0 and written[column - 1 : column + 1] == "{{":
            self._refuse(
                "this value starts with {{ and has no quotes",
                "YAML reads { as the start of a map",
                'put quotes around it: key: "{{ … }}"',
                place=self.place(line, column - 1),
            )
            raise TooMuch  # what follows is misread, too
        self._refuse(
            "this key is not a text",
            "keys are names",
            "write `name: value`; put {…} text into quotes",
            place=node.place,
        )
