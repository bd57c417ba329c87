"""A delivery: one event on its way to one target; and its attempts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class DeliveryState(IntEnum):
    """Where a delivery stands. Stored as the number, shown as the lower-case name."""

    #: Due at `next_attempt_at`, or being attempted now by the owner of its lane.
    PENDING = 0
    SUCCEEDED = 1
    #: Out of attempts or refused for good: waits for a person.
    DEAD = 2
    #: Matched while its webhook was disabled: waits for a replay.
    HELD = 3
    #: Its webhook was deleted.
    CANCELLED = 4


#: The allowed moves; anything else is a mistake of ours.
DELIVERY_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.PENDING: frozenset(DeliveryState),
    DeliveryState.SUCCEEDED: frozenset({DeliveryState.PENDING}),
    DeliveryState.DEAD: frozenset({DeliveryState.PENDING, DeliveryState.CANCELLED}),
    DeliveryState.HELD: frozenset({DeliveryState.PENDING, DeliveryState.CANCELLED}),
    DeliveryState.CANCELLED: frozenset(),
}


class Outcome(IntEnum):
    """What one attempt came to."""

    SUCCESS = 0
    RETRYABLE = 1
    PERMANENT = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One event on its way to one webhook."""

    id: int
    event_id: int
    event_type: str
    webhook_id: int
    state: DeliveryState
    attempt_count: int
    #: Unix ms.
    next_attempt_at: int
    finished_at: int | None
    last_status: int | None
    #: Why the last attempt ended as it did, for people.
    reason: str | None
    #: How often it was made due again after it was over.
    replay_count: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try of a delivery, numbered from 1."""

    delivery_id: int
    number: int
    #: Unix ms; also the signed timestamp.
    started_at: int
    duration_us: int
    outcome: Outcome
    status: int | None
    error: str | None
    reason: str | None
    address: str | None
    #: JSON; secret header values masked.
    request: str
    #: JSON; null without an answer.
    response: str | None
