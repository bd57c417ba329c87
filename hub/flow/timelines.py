"""Tell what happened to one message, in the order of time: the dates of its row, what its sends tried, and the receipts
of a group's members, as far as their events are kept.

Of each send the last attempt is kept with its date; earlier ones only count. Not here: the message as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from hub.flow.repositories import Chat, Store
from hub.flow.rows import MessageRow
from hub.model.outbox import OperationKind, OutboxItem, OutboxState
from hub.rules.chatkeys import handle_of
from hub.rules.facts import receipt_key

#: What is done to a message over its life; a reaction is a thing of its own.
SENDS: Final = (OperationKind.SEND, OperationKind.EDIT, OperationKind.UNSEND)
_OF_MEMBERS: Final = ("delivered", "read", "failed")
#: Entries of the same millisecond stand in the order in which such things happen.
_ORDER: Final = (
    *("queued", "scheduled", "attempt", "sent", "received", "downgraded", "delivered", "read", "failed"),
    *("edited", "unsent", "cancelled"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One thing that happened to a message."""

    #: `queued`, `scheduled`, `attempt`, `sent`, `delivered`, …
    state: str
    #: Unix ms; for `scheduled` when it is to be sent; None where only the fact is known.
    at: int | None
    #: The member of the group whose receipt it is.
    actor: str | None = None
    error: str | None = None
    #: Of an attempt: the item that it tried, and which try it was.
    item: OutboxItem | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """All that happened to a message."""

    moments: Sequence[Moment]
    attempts: int
    last_error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Receipts:
    """When whose receipt came: (kind, member) → Unix ms; no member for the message as a whole."""

    found: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def moments(self) -> list[Moment]:
        return [
            Moment(state=kind, at=at, actor=member) for (kind, member), at in self.found.items() if member
        ]


async def timeline_of(store: Store, message: MessageRow) -> Timeline:
    """Gather a message's timeline."""
    items = [item for item in await store.outbox.of_message(message.id) if item.kind in SENDS]
    receipts = await _receipts(store, message) if message.is_from_me else _Receipts()
    moments = [*_dates(message, receipts), *receipts.moments(), *_attempts(items)]
    sends = [item for item in items if item.kind is OperationKind.SEND]
    failed = [item.error for item in sends if item.error is not None]
    return Timeline(
        moments=sorted(moments, key=_place),
        attempts=sum(item.attempt_count for item in sends),
        last_error=failed[-1] if failed else None,
    )


def _place(moment: Moment) -> tuple[int, int]:
    return (1 << 62) if moment.at is None else moment.at, _ORDER.index(moment.state)


def _dates(message: MessageRow, receipts: _Receipts) -> list[Moment]:
    """Read the row's own dates."""
    if not message.is_from_me:
        dated = {"received": message.sent_at, "edited": message.edited_at, "unsent": message.unsent_at}
        return [Moment(state=state, at=at) for state, at in dated.items() if at is not None]
    dated = {
        "queued": message.queued_at,
        "scheduled": message.send_at,
        "sent": message.sent_at if message.queued_at is None else message.accepted_at,
        "delivered": message.delivered_at,
        "read": message.read_at,
        "failed": message.failed_at,
        "edited": message.edited_at,
        "unsent": message.unsent_at,
        "cancelled": message.cancelled_at,
    }
    moments = [
        Moment(state=state, at=at, error=_said(message.error) if state == "failed" else None)
        for state, at in dated.items()
        if at is not None
    ]
    downgraded_at = receipts.found.get(("downgraded", ""))
    if message.was_downgraded:
        moments.append(Moment(state="downgraded", at=downgraded_at))
    return moments


def _said(error: str | None) -> str | None:
    """Put a network's error into one line."""
    if error is None:
        return None
    said = msgspec.json.decode(error, type=dict[str, str | None])
    return f"{said.get('code')}: {said['raw']}" if said.get("raw") else said.get("code")


def _attempts(items: Sequence[OutboxItem]) -> list[Moment]:
    return [
        Moment(state="attempt", at=item.dispatched_at, error=_error(item), item=item)
        for item in items
        if item.attempt_count and item.dispatched_at is not None
    ]


def _error(item: OutboxItem) -> str | None:
    return None if item.state is OutboxState.SENT else item.error


async def _receipts(store: Store, message: MessageRow) -> _Receipts:
    """Look for the events of the members' receipts; what went after the days of retention is not found."""
    chat = await store.chats.get(message.chat_id) if message.chat_id else None
    wanted = {
        receipt_key(message.line_id, message.guid, kind, member=member): (kind, member)
        for kind, member in (*([("downgraded", "")] if message.was_downgraded else ()), *_members(chat))
    }
    if not wanted:
        return _Receipts()
    found = await store.messages.evidence(list(wanted))
    return _Receipts(found={wanted[key]: at for key, at in found.items()})


def _members(chat: Chat | None) -> list[tuple[str, str]]:
    if chat is None or handle_of(chat.chat_key) is not None:
        return []
    return [(kind, member) for member in chat.participants for kind in _OF_MEMBERS]
