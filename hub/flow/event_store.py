"""Recorded events by position, and what waits, as the cold side of the store gives them to readers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A recorded fact, with the native wire form of its data."""

    id: int
    type: str
    line_id: int | None
    chat_id: int | None
    occurred_at: int
    #: JSON.
    data: str
    #: Rises in the order of the commits; tells when it was recorded, as an id tells its time.
    position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFilter:
    """Which events; None does not restrict."""

    types: frozenset[str] | None = None
    #: Restricted to lines, events of no line are left out.
    line_ids: frozenset[int] | None = None
    chat_id: int | None = None
    #: Positions, both ends included.
    first_position: int = 0
    last_position: int = 2**63 - 1

    def fits(self, type: str, line_id: int | None, chat_id: int | None) -> bool:
        """Tell whether an event of any position is wanted."""
        return (
            (self.types is None or type in self.types)
            and (self.line_ids is None or line_id in self.line_ids)
            and (self.chat_id is None or chat_id == self.chat_id)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class EventPage:
    """What a look at the events found."""

    events: list[Event]
    #: How far it looked: go on from here. Beyond the last event found, where others did not fit.
    position: int
    #: Nothing that fits lay beyond, in the direction of reading, when it looked.
    is_end: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneStanding:
    """What one webhook, or one line, still has before it, and what has stopped."""

    #: Of the webhook or line.
    lane_id: int
    #: Not done, and its time has come; of a line, without what is at its bridge.
    due: int
    #: Not done, and planned for later, or for its next try.
    scheduled: int
    #: The oldest of these two.
    oldest_id: int | None
    #: By state: what is at the bridge, unknown, failed; held, dead.
    others: Mapping[int, int]
    #: Of those that are due or scheduled: tried already, and to be tried again. Counted of lines only.
    retrying: int = 0


class Events(Protocol):
    """Recorded events. Whoever reads on by position misses none, whichever process commits what and when."""

    async def get(self, event_id: int) -> Event | None: ...
    async def some(self, event_ids: Collection[int]) -> dict[int, Event]:
        """Those of these ids that are still kept."""
        ...

    async def page(self, *, first_id: int, last_id: int, limit: int) -> list[Event]:
        """Ascending by id, both ends included."""
        ...

    async def newest(self, *, limit: int) -> list[Event]:
        """Descending by id."""
        ...

    async def newest_position(self) -> int:
        """The position of the event that was committed last; 0 without any."""
        ...

    async def read_on(self, wanted: EventFilter, *, after: int, limit: int) -> EventPage:
        """Ascending by position, from beyond `after`.

        Looks at a bounded number of events, so that a rare type costs many short reads and never a long one.
        """
        ...

    async def read_back(self, wanted: EventFilter, *, before: int, limit: int) -> EventPage:
        """Descending by position, from below `before`; bounded as well."""
        ...


class Queue(Protocol):
    """What waits, counted a webhook and a line at a time, by walking indexes of nothing but what waits."""

    async def deliveries(self, *, now: int) -> list[LaneStanding]:
        """By webhook; `others` counts held and dead ones (DeliveryState)."""
        ...

    async def outbox(self, *, now: int) -> list[LaneStanding]:
        """By line; `others` counts dispatched, unknown and failed ones (OutboxState)."""
        ...
