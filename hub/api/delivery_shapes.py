"""The JSON of deliveries, attempts and the filters that choose among them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hub.api.paging import DEFAULT_LIMIT, CursorText, IncludeTotal, Limit, Offset
from hub.model.delivery import Attempt, Delivery, DeliveryState
from hub.model.ids import Prefix, id_text
from hub.model.observation import Instant

Status = Literal["pending", "succeeded", "dead", "held", "cancelled"]
EventTypeName = Annotated[str, Meta(min_length=1, max_length=100)]
IdText = Annotated[str, Meta(min_length=1, max_length=64)]

_REASONS = {
    DeliveryState.PENDING: "Due, or being attempted now.",
    DeliveryState.SUCCEEDED: "The receiver answered 2xx.",
    DeliveryState.DEAD: "Out of attempts, or refused for good; requeue it when the receiver is mended.",
    DeliveryState.HELD: "The webhook was disabled; replay what it missed with `missed_while_disabled`.",
    DeliveryState.CANCELLED: "The webhook was deleted.",
}


class DeliveryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries. A key that is restricted to lines must name a webhook."""

    webhook_id: IdText | None = None
    event_id: IdText | None = None
    status: Status | None = None
    event_type: EventTypeName | None = None
    #: Unix ms; by the time at which the delivery was recorded.
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False


class DeadLetterQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters. A key that is restricted to lines must name a webhook."""

    webhook_id: IdText | None = None
    event_type: EventTypeName | None = None
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False


class DeadLetterFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters to requeue or purge; without any field all of them."""

    webhook_id: IdText | None = None
    event_type: EventTypeName | None = None
    since: Instant | None = None
    until: Instant | None = None


class DeliveryReply(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one webhook."""

    id: str
    event_id: str
    event_type: str
    webhook_id: str
    status: Status
    attempt_count: int
    #: Unix ms; null once it is over.
    next_attempt_at: int | None
    finished_at: int | None
    #: HTTP status of the last answer.
    last_status: int | None
    #: Why it stands as it does, for people.
    reason: str
    #: How often it was made due again after it was over.
    replay_count: int


class AttemptReply(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a delivery."""

    number: int
    started_at: int
    duration_ms: float
    outcome: Literal["success", "retryable", "permanent"]
    status: int | None
    #: A code when there was no answer.
    error: str | None
    reason: str | None
    #: The address that was dialled.
    address: str | None
    request: dict[str, Any]
    #: Null without an answer; its body is capped.
    response: dict[str, Any] | None


class OneDelivery(DeliveryReply, frozen=True, kw_only=True):
    """A delivery with every attempt."""

    attempts: tuple[AttemptReply, ...]
    request_id: str


def delivery_fields(delivery: Delivery) -> dict[str, Any]:
    """Give the JSON of a delivery."""
    is_waiting = delivery.state is DeliveryState.PENDING
    return {
        "id": id_text(Prefix.DELIVERY, delivery.id),
        "event_id": id_text(Prefix.EVENT, delivery.event_id),
        "event_type": delivery.event_type,
        "webhook_id": id_text(Prefix.WEBHOOK, delivery.webhook_id),
        "status": delivery.state.name.lower(),
        "attempt_count": delivery.attempt_count,
        "next_attempt_at": delivery.next_attempt_at if is_waiting else None,
        "finished_at": delivery.finished_at,
        "last_status": delivery.last_status,
        "reason": delivery.reason or _REASONS[delivery.state],
        "replay_count": delivery.replay_count,
    }


def attempt_fields(attempt: Attempt) -> dict[str, Any]:
    """Give the JSON of an attempt."""
    return {
        "number": attempt.number,
        "started_at": attempt.started_at,
        "duration_ms": attempt.duration_us / 1000,
        "outcome": attempt.outcome.name.lower(),
        "status": attempt.status,
        "error": attempt.error,
        "reason": attempt.reason,
        "address": attempt.address,
        "request": msgspec.json.decode(attempt.request),
        "response": None if attempt.response is None else msgspec.json.decode(attempt.response),
    }
