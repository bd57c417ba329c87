"""The JSON of events, and the queries that choose among them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.paging import DEFAULT_LIMIT, Limit
from hub.flow.event_store import Event
from hub.model.ids import Prefix, id_text, id_time_ms
from hub.model.live import LiveEvent
from hub.model.observation import Instant

MOST_WAIT_SECONDS: Final = 30

Patterns = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2000,
        description="Event types between commas; a family is written `message.*`, everything `*`.",
    ),
]
LineText = Annotated[str, Meta(min_length=1, max_length=320, description="A line's handle or `ln_` id.")]
ChatText = Annotated[str, Meta(min_length=1, max_length=64, description="A `cht_` id.")]
PositionText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="A position that was given before (`pos_…`), or the id of an event (`evt_…`).",
    ),
]
WaitSeconds = Annotated[
    float,
    Meta(
        ge=0,
        le=MOST_WAIT_SECONDS,
        description="With `order=asc`: where nothing is there, wait for it so many seconds at the most.",
    ),
]
Data = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]


class EventChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events."""

    type: Patterns | None = None
    from_: LineText | None = msgspec.field(name="from", default=None)
    #: Another name for `from`.
    line: LineText | None = None
    chat: ChatText | None = None


class EventQuery(EventChoice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events, and in which order."""

    #: Unix ms; by the time at which the event was recorded.
    since: Instant | None = None
    until: Instant | None = None
    order: Literal["asc", "desc"] = "desc"
    wait: WaitSeconds = 0
    limit: Limit = DEFAULT_LIMIT
    cursor: PositionText | None = None


class EventReply(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that never changes."""

    id: str
    type: str
    #: Null for what belongs to no line.
    line_id: str | None
    chat_id: str | None
    #: Unix ms, by the network's clock.
    occurred_at: int
    #: Unix ms, by ours; rises from one event to the next.
    recorded_at: int
    #: As a webhook gets it.
    data: Data


class OneEvent(EventReply, frozen=True, kw_only=True):
    """An event, answered alone."""

    request_id: str


class StreamedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream tells: an event, or with a null `id` a sign of life that is not kept."""

    id: str | None
    type: str
    line_id: str | None
    chat_id: str | None
    occurred_at: int
    #: Null for a sign of life.
    recorded_at: int | None
    data: Data


def event_reply(event: Event) -> EventReply:
    """Give the JSON of an event."""
    return EventReply(
        id=id_text(Prefix.EVENT, event.id),
        type=event.type,
        line_id=_id_or_null(Prefix.LINE, event.line_id),
        chat_id=_id_or_null(Prefix.CHAT, event.chat_id),
        occurred_at=event.occurred_at,
        recorded_at=id_time_ms(event.position),
        data=msgspec.Raw(event.data.encode()),
    )


def one_event(event: Event, *, request_id: str) -> OneEvent:
    """Give the JSON of an event that is answered alone."""
    return OneEvent(**msgspec.structs.asdict(event_reply(event)), request_id=request_id)


def streamed(told: Event | LiveEvent) -> StreamedEvent:
    """Give the JSON of what a stream tells."""
    if isinstance(told, Event):
        return StreamedEvent(**msgspec.structs.asdict(event_reply(told)))
    return StreamedEvent(
        id=None,
        type=told.type,
        line_id=id_text(Prefix.LINE, told.line_id),
        chat_id=id_text(Prefix.CHAT, told.chat_id),
        occurred_at=told.occurred_at,
        recorded_at=None,
        data=msgspec.Raw(told.data.encode()),
    )


def _id_or_null(prefix: str, value: int | None) -> str | None:
    return None if value is None else id_text(prefix, value)
