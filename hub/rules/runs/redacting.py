"""Mask what a route's `keep.redact` names, wherever the run shows it: in the event, and in whatever was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

MASK: Final = "•••"
#: Shorter texts would mask what has nothing to do with them.
_SHORTEST: Final = 3


class Redaction:
    """Masks for one run."""

    def __init__(self, paths: Iterable[str], events: Iterable[Mapping[str, Any]]) -> None:
        """Find what must not be shown.

        Args:
            paths: Into the event, with or without `event.` before them.
            events: All events of the run.
        """
        self._paths = tuple(tuple(path.removeprefix("event.").split(".")) for path in paths)
        texts: set[str] = set()
        for event in events:
            for path in self._paths:
                texts |= set(_texts(_at(event, path)))
        # The longest first: one may be a part of another.
        self._texts = sorted(
            (each for each in texts if len(each) >= _SHORTEST), key=lambda each: (-len(each), each)
        )

    def event(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give an event with its paths masked, and what they say elsewhere in it."""
        masked: Any = event
        for path in self._paths:
            masked = _masked(masked, path)
        shown: Mapping[str, Any] = self.value(masked)
        return shown

    def value(self, value: Any) -> Any:
        """Give anything that was made of the event."""
        if not self._texts:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(each) for each in value]
        return value

    def text(self, text: str) -> str:
        """Give a text."""
        for each in self._texts:
            text = text.replace(each, MASK)
        return text


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _masked(value: Any, path: tuple[str, ...]) -> Any:
    if not path:
        return MASK if value is not None else None
    head, rest = path[0], path[1:]
    if isinstance(value, Mapping) and head in value:
        return {**value, head: _masked(value[head], rest)}
    if isinstance(value, list) and head.isdigit() and int(head) < len(value):
        place = int(head)
        return [*value[:place], _masked(value[place], rest), *value[place + 1 :]]
    return value
