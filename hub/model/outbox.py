"""An outbox item: something we owe a bridge."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, Literal


class OutboxState(IntEnum):
    """Where a send stands. Below SENT it is unfinished."""

    PENDING = 0
    #: Handed to the bridge (durably marked before the call); the answer is not yet known.
    DISPATCHED = 1
    #: The bridge could not say whether it happened: looked up, never repeated blindly.
    UNKNOWN = 2
    SENT = 3
    FAILED = 4
    CANCELLED = 5


#: The allowed moves; anything else is a mistake of ours.
OUTBOX_MOVES: dict[OutboxState, frozenset[OutboxState]] = {
    OutboxState.PENDING: frozenset({OutboxState.DISPATCHED, OutboxState.FAILED, OutboxState.CANCELLED}),
    OutboxState.DISPATCHED: frozenset(
        {OutboxState.SENT, OutboxState.FAILED, OutboxState.PENDING, OutboxState.UNKNOWN}
    ),
    OutboxState.UNKNOWN: frozenset({OutboxState.SENT, OutboxState.FAILED, OutboxState.PENDING}),
    OutboxState.SENT: frozenset(),
    OutboxState.FAILED: frozenset(),
    OutboxState.CANCELLED: frozenset(),
}

OutboxStatus = Literal["pending", "claimed", "sent", "failed"]
OutboxStateName = Literal["pending", "dispatched", "unknown", "sent", "failed", "cancelled"]

#: The outbox statuses of the wire (contracts: messages.dev §4).
WIRE_STATUS: dict[OutboxState, OutboxStatus] = {
    OutboxState.PENDING: "pending",
    OutboxState.DISPATCHED: "claimed",
    OutboxState.UNKNOWN: "claimed",
    OutboxState.SENT: "sent",
    OutboxState.FAILED: "failed",
    OutboxState.CANCELLED: "failed",
}

#: Our finer words for them.
STATE_NAME: dict[OutboxState, OutboxStateName] = {
    OutboxState.PENDING: "pending",
    OutboxState.DISPATCHED: "dispatched",
    OutboxState.UNKNOWN: "unknown",
    OutboxState.SENT: "sent",
    OutboxState.FAILED: "failed",
    OutboxState.CANCELLED: "cancelled",
}


class OperationKind(StrEnum):
    """What we can ask of a bridge. One verb, `perform`, carries them all."""

    BACKGROUND = "background"
    CHECK = "check"
    CONTACT_CARD = "contact_card"
    EDIT = "edit"
    FACETIME = "facetime"
    GROUP_ADD = "group_add"
    GROUP_CREATE = "group_create"
    GROUP_ICON = "group_icon"
    GROUP_LEAVE = "group_leave"
    GROUP_REMOVE = "group_remove"
    GROUP_RENAME = "group_rename"
    LOCATION = "location"
    POLL = "poll"
    REACT = "react"
    READ = "read"
    SEND = "send"
    TYPING = "typing"
    UNREAD = "unread"
    UNSEND = "unsend"


class Disposition(StrEnum):
    """What a bridge says of an operation."""

    ACCEPTED = "accepted"
    #: Certainly did not happen.
    NOT_STARTED = "not_started"
    MAY_HAVE_COMPLETED = "may_have_completed"
    STILL_IN_FLIGHT = "still_in_flight"
    #: The network or the bridge refused it for good.
    REJECTED = "rejected"


#: What bridges say of a handle that their network cannot reach, so that another network may (facts: `22` is Messages').
UNREACHABLE_CODES: Final = frozenset({"22", "not_on_network", "sms_only"})
#: In a payload: the first bridge has said after all that it cannot reach the contact, so the second one sends it.
AS_SMS: Final = "as_sms"


@dataclass(frozen=True, kw_only=True, slots=True)
class SentPiece:
    """One of the network's messages that a send became, where it became several."""

    #: The network's id.
    guid: str
    #: The first of the send's parts that it carries, from 0.
    part: int = 0
    #: How many it carries; None for all from the first one on.
    part_count: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationOutcome:
    """A bridge's answer to `perform` or `lookup`."""

    disposition: Disposition
    #: The network's id of the message, once known.
    provider_id: str | None = None
    code: str | None = None
    detail: str | None = None
    #: Whether the same operation may be performed again.
    is_retry_safe: bool = False
    #: How many of the operation's parts the network has; a retry begins after them.
    parts_done: int = 0
    #: What became of a send that becomes several messages, as far as the bridge knows them.
    pieces: tuple[SentPiece, ...] = ()
    #: The part of such a send that a failure or a doubt is about, from 0.
    part: int | None = None
    #: It went as SMS because the first network could not reach the handle.
    was_downgraded: bool = False
    #: What the bridge found out or made, where there is more to tell than that it was done: a link, a place, votes.
    result: Mapping[str, object] | None = None
    #: How long the network asks to wait before the next try, in ms.
    retry_after_ms: int | None = None
    #: Of `not_started` after a look-up: a record proves it. Otherwise it only says that no trace was seen.
    is_certain: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One thing to perform on a line."""

    outbox_id: int
    line_handle: str
    kind: OperationKind
    #: The client's request, already validated: from, to, text, …
    payload: dict[str, object]
    #: Unix ms at which the operation was first handed to a bridge.
    dispatched_at: int
    #: Of a send that is looked up: what the network calls other sends of the line. None of them is this one, whatever
    #: it says.
    taken: frozenset[str] = frozenset()

    @property
    def attempt_id(self) -> str:
        return attempt_id(self.outbox_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxItem:
    """A send and its progress."""

    id: int
    line_id: int
    kind: OperationKind
    payload: dict[str, object]
    state: OutboxState
    attempt_count: int
    next_attempt_at: int
    dispatched_at: int | None
    provider_id: str | None
    error: str | None
    created_at: int
    completed_at: int | None
    #: The message that it sends, or acts on.
    message_id: int | None = None
    #: 0 to 100: higher first.
    priority: int = 0
    #: How many parts the network has.
    parts_done: int = 0
    #: What the bridge found out or made, once it did.
    result: dict[str, object] | None = None

    @property
    def is_finished(self) -> bool:
        return self.state >= OutboxState.SENT


def _check(outbox_id: int) -> int:
    return int.from_bytes(
        hashlib.blake2b(outbox_id.to_bytes(8), digest_size=7, person=b"hub.attempt").digest()
    )


def attempt_id(outbox_id: int) -> str:
    """Name an outbox item towards bridges: a UUID (version 8) that is the same for every attempt.

    It carries the item's id and a check, so that evidence which quotes it leads back without a look-up.
    """
    check = _check(outbox_id)
    value = (outbox_id >> 16) << 80 | 8 << 76 | (outbox_id >> 4 & 0xFFF) << 64
    value |= 2 << 62 | (outbox_id & 0xF) << 56 | check
    return str(uuid.UUID(int=value))


def outbox_id_of(text: str | None) -> int | None:
    """Read the outbox id out of an attempt id; None if it is not one of ours."""
    try:
        value = uuid.UUID(text or "").int
    except ValueError:
        return None
    outbox_id = (value >> 80) << 16 | (value >> 64 & 0xFFF) << 4 | value >> 56 & 0xF
    return outbox_id if attempt_id(outbox_id) == text else None
