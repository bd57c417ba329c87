"""Read plain documents of YAML against what is expected: every problem is noted with its place, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from hub.rules.problems import Problem, suggestion
from hub.rules.routes.durations import read_duration

Thing = TypeVar("Thing")

#: More are not told: a document this wrong is read by nobody.
MOST_PROBLEMS: Final = 50
_SLUG: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.ASCII)
_LONGEST_SHOWN: Final = 60


def at(pointer: str, key: str | int) -> str:
    """Point one level deeper."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def shown(value: object) -> str:
    """Write a value for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = str(value)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
    return repr(text) if isinstance(value, str) else text


#: Stands for a map that is none: told once, not again for each key that it lacks.
_NO_MAP: Final[Mapping[str, Any]] = MappingProxyType({})


def named(pointer: str) -> str:
    """Write a pointer as people speak of it: `routes[0].steps[1]`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in parts).removeprefix(".")


#: What other systems call the same.
_OTHER_WORDS: Final[Mapping[str, str]] = {
    "action": "use",
    "actions": "steps",
    "condition": "if",
    "conditions": "when",
    "do": "steps",
    "event": "trigger",
    "filter": "when",
    "inputs": "with",
    "name": "id",
    "on": "trigger",
    "params": "with",
    "then": "steps",
    "triggers": "trigger",
    "uses": "use",
}


def _instead(key: str, known: tuple[str, ...], empty: str | None, otherwise: str | None) -> str:
    """Say what to write instead of a key that nothing reads.

    Args:
        key: As written.
        known: What is read there.
        empty: The key above it, if that says nothing: then its lines are probably not indented.
        otherwise: What to say if it is like nothing that is known; None says what is.
    """
    if empty is not None:
        return f"Indent it by two more blanks if it belongs to `{empty}` above it, which is empty"
    meant = _OTHER_WORDS.get(key)
    near = meant if meant in known else suggestion(key, known)
    if near:
        return f"Did you mean {near}"
    return otherwise or f"Use {_some(known)}"


class Reading:
    """Collects what is wrong with one document."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def refuse(self, pointer: str, what: str, why: str, fix: str, *, offset: int | None = None) -> None:
        """Note a problem; `offset` counts characters within the text that the pointer names."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(pointer=pointer, what=what, why=why, fix=fix, offset=offset))

    def add(self, problems: Iterable[Problem]) -> None:
        """Note the problems that another reader found."""
        self.problems += list(problems)[: MOST_PROBLEMS - len(self.problems)]

    def map(
        self, value: object, pointer: str, *, noun: str, keys: Iterable[str], otherwise: str | None = None
    ) -> Mapping[str, Any]:
        """Read a map whose keys are known; unknown ones are refused. Empty if it is none.

        Args:
            value: As written.
            pointer: Where it stands.
            noun: What it is.
            keys: Those that are known.
            otherwise: What to do about a key that is like none of them.
        """
        known = tuple(keys)
        if not isinstance(value, Mapping):
            self.refuse(pointer, f"{noun} is {shown(value)}", "it is a map", f"Write it with {_some(known)}")
            return _NO_MAP
        empty = None
        for key, each in value.items():
            if key in known:
                empty = key if each is None else None
                continue
            what = f"{noun} has no {str(key)[:_LONGEST_SHOWN]!r}"
            self.refuse(
                at(pointer, key), what, "nothing reads it", _instead(str(key), known, empty, otherwise)
            )
        return value

    def required(self, document: Mapping[str, Any], key: str, pointer: str, *, noun: str, fix: str) -> Any:
        """Give a value that must be there; None, with a problem, if it is not."""
        value = document.get(key)
        if value is None and document is not _NO_MAP:
            why = "it is empty" if key in document else "it is missing"
            self.refuse(at(pointer, key) if key in document else pointer, f"{noun} needs `{key}`", why, fix)
        return value

    def list_of(
        self, value: object, pointer: str, read: Callable[[object, str], Thing | None], *, noun: str
    ) -> tuple[Thing, ...]:
        """Read a list of at least one thing; what cannot be read is left out."""
        if not isinstance(value, list) or not value:
            self.refuse(
                pointer, f"{noun} is {shown(value)}", "it is a list of at least one", "Begin each with `- `"
            )
            return ()
        found = (read(each, at(pointer, index)) for index, each in enumerate(value))
        return tuple(each for each in found if each is not None)

    def text(self, value: object, pointer: str, *, noun: str) -> str | None:
        """Read a text that is not empty; None for none."""
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            why = "it is a text; a # before it would make it a comment" if value is None else "it is a text"
            self.refuse(pointer, f"{noun} is {shown(value)}", why, 'Put it into quotes: "…"')
            return None
        return value

    def slug(self, value: object, pointer: str, *, noun: str) -> str | None:
        """Read a name of our own."""
        text = self.text(value, pointer, noun=noun)
        if text is None:
            return None
        if not _SLUG.fullmatch(text) or len(text) > _LONGEST_SHOWN:
            why = f"it is small letters, digits, - and _, at most {_LONGEST_SHOWN}"
            self.refuse(pointer, f"{noun} is {shown(text)}", why, "Write it like lead-to-crm")
            return None
        return text

    def flag(self, value: object, pointer: str, *, noun: str, default: bool) -> bool:
        """Read true or false."""
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(
                pointer, f"{noun} is {shown(value)}", "it is true or false", "Write true or false, unquoted"
            )
            return default
        return value

    def number(self, value: object, pointer: str, *, noun: str, least: int, most: int, default: int) -> int:
        """Read a whole number."""
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            why = f"it is a whole number from {least} to {most}"
            self.refuse(pointer, f"{noun} is {shown(value)}", why, f"Write one such as {default}")
            return default
        return value

    def duration(self, value: object, pointer: str) -> int | None:
        """Read a span of time in ms; None for none."""
        if value is None:
            return None
        found = read_duration(value, pointer)
        if isinstance(found, Problem):
            self.add([found])
            return None
        return found

    def one_of(self, value: object, pointer: str, words: tuple[Any, ...], *, noun: str, default: Any) -> Any:
        """Read one of some words."""
        if value is None:
            return default
        if value not in words or isinstance(value, bool):
            near = suggestion(str(value), words)
            fix = f"Did you mean {near}" if near else f"Write one of {', '.join(words)}"
            self.refuse(pointer, f"{noun} is {shown(value)}", f"it is one of {', '.join(words)}", fix)
            return default
        return value

    def texts(self, value: object, pointer: str, *, noun: str) -> tuple[str, ...]:
        """Read a text, or a list of texts."""
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        found = [self.text(each, at(pointer, index), noun=noun) for index, each in enumerate(items)]
        return tuple(each for each in found if each is not None)


def _some(words: tuple[str, ...]) -> str:
    return ", ".join(words[:8]) + (", …" if len(words) > 8 else "")
