"""Gather what routes may ask about beside an event's own data, as it is when the event is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hub.flow.assignments import read_assignee
from hub.flow.directory import DirectoryHolder
from hub.flow.event_store import Event
from hub.flow.repositories import Chat, Store
from hub.flow.rows import MessageRow
from hub.model.contact import Contact
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.rules.chatkeys import normalize_handle
from hub.rules.local_time import find_zone
from hub.rules.phone_zones import zone_of
from hub.rules.runs.seen import Context

_OTHER_SIDES: Final = ("handle", "actor", "creator", "chat_address", "identifier")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What was found for some events at once."""

    contacts: Mapping[str, Contact]
    chats: Mapping[int, Chat]
    #: The first message of each chat.
    firsts: Mapping[int, int]


class Contexts:
    """Gathers."""

    def __init__(self, store: Store, directory: DirectoryHolder) -> None:
        self._store = store
        self._directory = directory

    async def of(self, events: Sequence[Event], data: Sequence[Mapping[str, Any]]) -> list[Context]:
        """Gather for some events, with their data: so many questions for all as for one."""
        sides = [other_side(each) for each in data]
        handles = {normalize_handle(side) for side in sides if side is not None}
        chat_ids = {event.chat_id for event in events if event.chat_id is not None}
        known = _Known(
            contacts=await self._store.contacts.by_handles(handles),
            chats=await self._store.chats.some(chat_ids),
            firsts=await self._store.messages.firsts(chat_ids),
        )
        return [
            await self._of(event, each, side, known)
            for event, each, side in zip(events, data, sides, strict=True)
        ]

    async def _of(self, event: Event, data: Mapping[str, Any], handle: str | None, known: _Known) -> Context:
        if "line_handle" not in data:
            return Context()
        line = self._directory.current.lines_by_id.get(event.line_id or 0)
        contact = None if handle is None else known.contacts.get(normalize_handle(handle))
        chat = known.chats.get(event.chat_id or 0)
        assignee = None if chat is None else read_assignee(chat.assignee)
        return Context(
            contact=None if contact is None else contact_fields(contact),
            is_new=_is_new(event, data, known.firsts),
            chat_name=None if chat is None else chat.name,
            is_group=None if chat is None else bool(chat.is_group),
            assignee=None if assignee is None else assignee.user or assignee.team,
            team=None if assignee is None else assignee.team,
            line=None if line is None else line.label or line.handle,
            attempt=await self._attempts(event, data),
            message=await self._reacted_to(data),
            timezone=None if handle is None else zone_of(handle),
        )

    async def _attempts(self, event: Event, data: Mapping[str, Any]) -> int | None:
        message_id = _message_id(data.get("id")) if event.type == "message.failed" else None
        if message_id is None:
            return None
        items = await self._store.outbox.of_message(message_id)
        return sum(max(1, item.attempt_count) for item in items) or None

    async def _reacted_to(self, data: Mapping[str, Any]) -> Mapping[str, Any] | None:
        message_id = _message_id(data.get("message_id")) if "added" in data else None
        message = None if message_id is None else await self._store.messages.get(message_id)
        return None if message is None else _message_fields(message)


def _is_new(event: Event, data: Mapping[str, Any], firsts: Mapping[int, int]) -> bool | None:
    """Tell whether this is the first that is said in its chat; null for what is not said."""
    message_id = _message_id(data.get("id"))
    if event.chat_id is None or message_id is None or not isinstance(data.get("sent_at"), int):
        return None
    return firsts.get(event.chat_id, message_id) == message_id


def other_side(data: Mapping[str, Any]) -> str | None:
    """Give the handle of the person whom an event is about."""
    if not data.get("is_from_me") and isinstance(data.get("sender"), str):
        return str(data["sender"])
    for name in _OTHER_SIDES:
        if isinstance(data.get(name), str):
            return str(data[name])
    return None


def contact_fields(contact: Contact) -> dict[str, Any]:
    """Give a contact as routes see it."""
    metadata = msgspec.json.decode(contact.metadata) if contact.metadata else {}
    zone = metadata.get("timezone") if isinstance(metadata, dict) else None
    return {
        "id": id_text(Prefix.CONTACT, contact.id),
        "name": contact.shown_name,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "organization": contact.organization,
        "job_title": contact.job_title,
        "tags": [each.tag for each in contact.tags],
        "handles": [each.handle for each in contact.handles],
        "timezone": zone if isinstance(zone, str) and find_zone(zone) else None,
        "metadata": metadata,
    }


def _message_id(text: object) -> int | None:
    try:
        return parse_id(Prefix.MESSAGE, text) if isinstance(text, str) else None
    except InvalidId:
        return None


def _message_fields(message: MessageRow) -> dict[str, Any]:
    return {
        "id": id_text(Prefix.MESSAGE, message.id),
        "text": message.text,
        "is_from_me": bool(message.is_from_me),
        "sent_at": message.sent_at,
        "service": message.service,
    }
