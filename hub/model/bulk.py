"""A bulk send: one job, many recipients, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class BulkState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    #: Nothing more is begun until it is resumed.
    PAUSED = "paused"
    CANCELLED = "cancelled"
    #: Every recipient has been dealt with; what networks tell later still shows in the results.
    COMPLETED = "completed"


#: The allowed moves; anything else is a conflict.
BULK_MOVES: dict[BulkState, frozenset[BulkState]] = {
    BulkState.RUNNING: frozenset({BulkState.PAUSED, BulkState.CANCELLED, BulkState.COMPLETED}),
    BulkState.PAUSED: frozenset({BulkState.RUNNING, BulkState.CANCELLED}),
    BulkState.CANCELLED: frozenset(),
    BulkState.COMPLETED: frozenset(),
}


class RecipientState(IntEnum):
    """Where one recipient stands, until a message tells more."""

    WAITING = 0
    #: A message exists; its status is the recipient's.
    QUEUED = 1
    #: Refused before a message was made; the code says why.
    SKIPPED = 2
    CANCELLED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkJob:
    """A job."""

    id: int
    line_id: int
    api_key_id: int | None
    name: str | None
    state: BulkState
    priority: int
    #: Unix ms; nothing is begun before.
    send_at: int | None
    #: None: as quickly as the line's own pace lets.
    rate_per_minute: int | None
    #: The client's own JSON object, given back in the events of each message.
    metadata: str | None
    total_count: int
    #: Recipients that were named again; each gets one message.
    duplicate_count: int
    #: Position of the next recipient to be dealt with.
    fed_count: int
    #: Unix ms; the feeder rests until then.
    next_feed_at: int
    created_at: int
    finished_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkRecipient:
    """One recipient of a job."""

    #: From 0, in the order given.
    position: int
    #: As given, spelt our way.
    handle: str
    #: Of a template, which it is and what fills it: its words only the network knows.
    text: str
    #: JSON of a hub.model.template.Template, filled.
    template: str | None = None
    state: RecipientState = RecipientState.WAITING
    code: str | None = None
    error: str | None = None
    outbox_id: int | None = None
    message_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkOutcome:
    """A recipient, with what became of their message."""

    recipient: BulkRecipient
    #: A message's status (hub.rules.message_status), `waiting`, `skipped` or `cancelled`.
    status: str
    sent_at: int | None
    delivered_at: int | None
    read_at: int | None
    failed_at: int | None
    #: JSON, as the network said it.
    message_error: str | None
