"""Which routes an event might be for, without asking each: by its type, then by one text that its `when` demands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from hub.rules.condition_paths import Payload, Reader, compile_path
from hub.rules.event_types import expand_pattern
from hub.rules.routes.when import When


class Listening(Protocol):
    """What waits for events: a route, or a run in the middle of one."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """Event types and families."""
        ...

    @property
    def when(self) -> When: ...


Listener = TypeVar("Listener", bound=Listening)
#: A path, and the texts of which one must stand there.
Key = tuple[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _OfType:
    """The listeners of one event type, as places in the whole list."""

    #: Without a text to look up.
    always: tuple[int, ...]
    #: For each path that some demand a text at: how it is read, and who wants which.
    by_path: tuple[tuple[Reader, Mapping[str, tuple[int, ...]]], ...]

    def candidates(self, event: Payload) -> list[int]:
        found = list(self.always)
        for read, wanted in self.by_path:
            value = read(event)
            if isinstance(value, str):
                found += wanted.get(value, ())
            elif isinstance(value, list):
                for text in {each for each in value if isinstance(each, str)}:
                    found += wanted.get(text, ())
        return sorted(set(found))


class ListenerIndex(Generic[Listener]):
    """Compiled once a revision. Gives listeners in the order in which they came."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = tuple(listeners)
        places: dict[str, list[int]] = {}
        for place, each in enumerate(self._listeners):
            for event_type in {name for pattern in each.patterns for name in expand_pattern(pattern)}:
                places.setdefault(event_type, []).append(place)
        self._by_type = {name: self._of_type(of_type) for name, of_type in places.items()}

    def listens_to(self, event_type: str) -> bool:
        """Tell whether any listener waits for events of a type; costs one look-up."""
        return event_type in self._by_type

    def of_type(self, event_type: str) -> list[Listener]:
        """Give every listener of a type, for explanations."""
        found = self._by_type.get(event_type)
        if found is None:
            return []
        keyed = {place for _, wanted in found.by_path for places in wanted.values() for place in places}
        return [self._listeners[place] for place in sorted({*found.always, *keyed})]

    def matching(self, event_type: str, event: Payload, now_ms: int) -> Iterator[Listener]:
        """Give the listeners whose `when` holds, in order."""
        found = self._by_type.get(event_type)
        if found is not None:
            for place in found.candidates(event):
                listener = self._listeners[place]
                if listener.when.holds(event, now_ms):
                    yield listener

    def _of_type(self, places: Sequence[int]) -> _OfType:
        always: list[int] = []
        by_path: dict[str, dict[str, list[int]]] = {}
        chosen = _choose({place: self._listeners[place].when.keys for place in places})
        for place in places:
            key = chosen[place]
            if key is None:
                always.append(place)
                continue
            path, texts = key
            for text in texts:
                by_path.setdefault(path, {}).setdefault(text, []).append(place)
        return _OfType(
            tuple(always),
            tuple(
                (compile_path(path), {text: tuple(found) for text, found in wanted.items()})
                for path, wanted in by_path.items()
            ),
        )


def _choose(keys: Mapping[int, Sequence[Key]]) -> dict[int, Key | None]:
    """Choose for each listener the demand that it shares with the fewest others."""
    shared = Counter((path, text) for own in keys.values() for path, texts in own for text in texts)

    def crowd(key: Key) -> tuple[int, str]:
        path, texts = key
        return sum(shared[path, text] for text in texts), path

    return {place: min(own, key=crowd, default=None) for place, own in keys.items()}
