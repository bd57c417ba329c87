"""Where something stands in a delivery: `body.data.object.id`, `headers.x-shopify-topic`, `query['hub.mode']`.

A path goes through maps by name and through lists by number; `[]` goes through every item of a list. Nothing is ever
called and nothing fails: what is not there is MISSING.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: What a path may begin with.
ROOTS: Final = ("body", "headers", "query", "item", "index", "parent")
EACH: Final = "[]"
_STEP: Final = re.compile(
    r"\.(?P<name>[A-Za-z_$][A-Za-z0-9_$-]*)|\['(?P<quoted>[^'\]]{1,100})'\]|\[(?P<index>\d{1,4})\]|(?P<each>\[\])",
    re.ASCII,
)
_ROOT: Final = re.compile(r"[a-z]+", re.ASCII)
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_LONGEST: Final = 300


class Missing:
    """Stands for what is not there."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Path:
    """A place, from one of ROOTS."""

    root: str
    steps: tuple[str | int, ...]
    written: str

    @property
    def has_each(self) -> bool:
        return EACH in self.steps

    def find(self, places: Mapping[str, Any]) -> Any:
        """Give what stands there, or MISSING."""
        value = places.get(self.root, MISSING)
        for step in self.steps:
            value = _step(value, step)
        return value

    def each(self, places: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
        """Give every thing that stands there with the nearest map around it (MISSING where there is none)."""
        yield from _each(places.get(self.root, MISSING), MISSING, self.steps)


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else MISSING
    return value.get(step, MISSING) if isinstance(value, Mapping) else MISSING


def _each(value: Any, around: Any, steps: Sequence[str | int]) -> Iterator[tuple[Any, Any]]:
    for index, step in enumerate(steps):
        if step == EACH:
            for one in value if isinstance(value, list) else ():
                yield from _each(one, around, steps[index + 1 :])
            return
        if isinstance(value, Mapping):
            around = value
        value = _step(value, step)
    if not isinstance(value, Missing):
        yield value, around


def read_path(written: object) -> Path | str:
    """Read a path; a text that says why it is none."""
    if not isinstance(written, str) or len(written) > _LONGEST:
        return "a path is a text such as body.type"
    root = _ROOT.match(written)
    if root is None or root[0] not in ROOTS:
        return f"a path begins with {', '.join(ROOTS)}"
    steps: list[str | int] = []
    place = root.end()
    while place < len(written):
        found = _STEP.match(written, place)
        if found is None:
            return f"{written[place : place + 20]!r} in it is no step; steps are .name, ['name'], [0] and []"
        if found["index"] is not None:
            steps.append(int(found["index"]))
        else:
            steps.append(EACH if found["each"] else found["name"] or found["quoted"])
        place = found.end()
    if root[0] == "headers":
        steps = [step.lower() if isinstance(step, str) else step for step in steps]
    return Path(root[0], tuple(steps), written)


@dataclass(frozen=True, slots=True)
class KeyOf:
    """The first name in a map that is none of some: what Telegram and others call the kind of an event."""

    path: Path
    besides: frozenset[str]

    def find(self, places: Mapping[str, Any]) -> Any:
        value = self.path.find(places)
        names = value if isinstance(value, Mapping) else ()
        return next((name for name in names if name not in self.besides), MISSING)


@dataclass(frozen=True, slots=True)
class Text:
    """A text made of what stands in a delivery: the first of some ways that gives one.

    Each way is a list of literal texts and places; one whose places are not all there gives nothing.
    """

    ways: tuple[tuple[str | Path | KeyOf, ...], ...]

    def find(self, places: Mapping[str, Any]) -> str | None:
        """Give the text, or None."""
        for way in self.ways:
            parts = [part if isinstance(part, str) else _scalar(part.find(places)) for part in way]
            found = [part for part in parts if part is not None]
            if len(found) == len(parts) and any(found):
                return "".join(found)
        return None


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    return None


def read_way(written: str) -> tuple[str | Path, ...] | str:
    """Read one way of a text: a path alone, or a text with {paths} in it; a text that says what is wrong."""
    if "{" not in written:
        found = read_path(written)
        return found if isinstance(found, str) else (found,)
    parts: list[str | Path] = []
    for index, piece in enumerate(_PLACEHOLDER.split(written)):
        if index % 2 == 0:
            if "{" in piece or "}" in piece:
                return "a brace has no partner"
            parts += [piece] if piece else []
            continue
        path = read_path(piece)
        if isinstance(path, str):
            return path
        parts.append(path)
    return tuple(parts)
