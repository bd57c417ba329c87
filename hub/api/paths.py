"""Find what is at a path, and what its parameters are, however many paths there are.

A template is like `/v1/chats/{id}/messages`: a segment is a word or a parameter, never a bit of each. A path without
parameters comes before those with some; among these, the one with fewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

_NO_PARAMETERS: Final[Mapping[str, str]] = {}


class _Found(NamedTuple, Generic[T]):
    thing: T
    #: Of its parameters, in order.
    names: tuple[str, ...]


class Paths(Generic[T]):
    """Things by the template of their path."""

    def __init__(self, things: Mapping[str, T]) -> None:
        self.templates = tuple(sorted(things))
        self._plain = {path: thing for path, thing in things.items() if "{" not in path}
        #: Number of segments → where parameters stand → the words between them → what is there.
        self._shapes: dict[int, dict[tuple[int, ...], dict[tuple[str, ...], _Found[T]]]] = {}
        for template, thing in sorted(things.items(), key=lambda each: each[0].count("{")):
            if "{" in template:
                self._add(template, thing)

    def _add(self, template: str, thing: T) -> None:
        segments = template.split("/")
        places = tuple(place for place, segment in enumerate(segments) if segment.startswith("{"))
        names = tuple(segments[place][1:-1] for place in places)
        by_words = self._shapes.setdefault(len(segments), {}).setdefault(places, {})
        by_words[_without(segments, places)] = _Found(thing, names)

    def find(self, path: str) -> tuple[T, Mapping[str, str]] | None:
        """Give what is at a path, and its parameters; None if nothing is. A parameter is never empty."""
        plain = self._plain.get(path)
        if plain is not None:
            return plain, _NO_PARAMETERS
        segments = path.split("/")
        for places, by_words in self._shapes.get(len(segments), {}).items():
            found = by_words.get(_without(segments, places))
            if found is not None and all(segments[place] for place in places):
                values = (segments[place] for place in places)
                return found.thing, dict(zip(found.names, values, strict=True))
        return None


def _without(segments: list[str], places: tuple[int, ...]) -> tuple[str, ...]:
    return tuple([segment for place, segment in enumerate(segments) if place not in places])
