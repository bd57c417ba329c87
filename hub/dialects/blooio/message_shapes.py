"""How a message looks there (contracts: blooio §2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from hub.dialects.blooio.chats import ChatContact
from hub.dialects.blooio.natives import NativeMessage, NativeReaction

Direction = Literal["inbound", "outbound"]
Protocol = Literal["imessage", "sms", "rcs", "non-imessage"]
Status = Literal["pending", "queued", "sent", "delivered", "failed", "cancellation_requested", "cancelled"]

#: Native status → theirs. What came in has none; what is read or was taken back has been delivered or sent.
_STATUSES: Final[Mapping[str, Status]] = {
    "cancelled": "cancelled",
    "delivered": "delivered",
    "failed": "failed",
    "queued": "queued",
    "read": "delivered",
    "sent": "sent",
}
_PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "imessage": "imessage",
    "imessagelite": "imessage",
    "mms": "sms",
    "rcs": "rcs",
    "sms": "sms",
}


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file; whoever has the address can read it until it expires."""

    url: str | None
    name: str | None
    #: Ours.
    mime_type: str | None


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody thinks of a message."""

    reaction: str
    is_added: bool
    #: Null for ours.
    sender: str | None
    time_sent: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a list."""

    message_id: str
    direction: Direction
    #: The contact, or the group's id.
    external_id: str
    #: Our number.
    internal_id: str
    text: str | None
    attachments: Sequence[Attachment]
    #: Who wrote an inbound message of a group; null for others.
    sender: str | None
    reactions: Sequence[Reaction]
    time_sent: int
    time_delivered: int | None
    status: Status | None
    protocol: Protocol | None
    error: str | None


class MessageDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A message, asked for alone."""

    message_id: str
    chat_id: str
    direction: Direction
    contact: ChatContact | None
    internal_id: str
    text: str | None
    attachments: Sequence[Attachment]
    sender: str | None
    reactions: Sequence[Reaction]
    time_sent: int
    time_delivered: int | None
    status: Status | None
    protocol: Protocol | None
    error: str | None
    #: These two as the vendor's guide has them.
    id: str
    created_at: str


class MessageStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message stands."""

    message_id: str
    chat_id: str
    direction: Direction
    status: Status | None
    protocol: Protocol | None
    time_sent: int
    time_delivered: int | None
    error: str | None


def state_fields(message: NativeMessage) -> dict[str, Any]:
    """Give what all three shapes have."""
    return {
        "message_id": message.id,
        "direction": "outbound" if message.is_from_me else "inbound",
        "status": status_of(message),
        "protocol": protocol_of(message.service),
        "time_sent": message.at,
        "time_delivered": message.delivered_at,
        "error": None if message.error is None else message.error.code or "unknown",
    }


def content_fields(message: NativeMessage, reactions: Sequence[NativeReaction]) -> dict[str, Any]:
    """Give what a list and a single message show of the content."""
    return {
        **state_fields(message),
        "internal_id": message.line_handle,
        "text": message.text,
        "attachments": [
            Attachment(url=each.url, name=each.filename, mime_type=each.mime_type)
            for each in message.attachments
        ],
        "sender": message.sender if message.is_group and not message.is_from_me else None,
        "reactions": [
            Reaction(
                reaction=each.type,
                is_added=each.added,
                sender=None if each.is_from_me else each.sender,
                time_sent=each.sent_at,
            )
            for each in reactions
        ],
    }


def status_of(message: NativeMessage) -> Status | None:
    """Give the vendor's word for where a message of ours stands; None for one that came in."""
    if not message.is_from_me:
        return None
    if message.status == "unsent":
        return "sent" if message.delivered_at is None else "delivered"
    return _STATUSES[message.status]


def protocol_of(service: str | None) -> Protocol | None:
    """Give the vendor's word for a service."""
    return _PROTOCOLS.get(service.lower(), "non-imessage") if service else None


def iso_time(at_ms: int) -> str:
    """Write a time as the vendor's guide does."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
