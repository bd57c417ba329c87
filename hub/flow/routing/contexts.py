"""Gather what routes may ask about beside an event's own data, as it is when the event is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
from phonenumbers import NumberParseException, parse
from phonenumbers.timezone import time_zones_for_number

from hub.flow.assignments import read_assignee
from hub.flow.directory import DirectoryHolder
from hub.flow.event_store import Event
from hub.flow.repositories import Store
from hub.flow.rows import MessageRow
from hub.model.contact import Contact
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.rules.chatkeys import normalize_handle
from hub.rules.local_time import find_zone
from hub.rules.runs.seen import Context

_OTHER_SIDES: Final = ("handle", "actor", "creator", "chat_address", "identifier")


class Contexts:
    """Gathers."""

    def __init__(self, store: Store, directory: DirectoryHolder) -> None:
        self._store = store
        self._directory = directory

    async def of(self, event: Event, data: Mapping[str, Any]) -> Context:
        """Gather for an event."""
        if "line_handle" not in data:
            return Context()
        line = self._directory.current.lines_by_id.get(event.line_id or 0)
        handle = other_side(data)
        contact = None if handle is None else await self._contact(handle)
        chat = None if event.chat_id is None else await self._store.chats.get(event.chat_id)
        message = await self._reacted_to(data)
        assignee = None if chat is None else read_assignee(chat.assignee)
        return Context(
            contact=None if contact is None else contact_fields(contact),
            is_new=await self._is_new(event, data),
            chat_name=None if chat is None else chat.name,
            is_group=None if chat is None else bool(chat.is_group),
            assignee=None if assignee is None else assignee.user or assignee.team,
            team=None if assignee is None else assignee.team,
            line=None if line is None else line.label or line.handle,
            attempt=await self._attempts(event, data),
            message=message,
            timezone=None if handle is None else zone_of(handle),
        )

    async def _contact(self, handle: str) -> Contact | None:
        normal = normalize_handle(handle)
        return (await self._store.contacts.by_handles([normal])).get(normal)

    async def _is_new(self, event: Event, data: Mapping[str, Any]) -> bool | None:
        """Whether this is the first that is said in its chat; null for what is not said."""
        message_id, sent_at = _message_id(data.get("id")), data.get("sent_at")
        if event.chat_id is None or message_id is None or not isinstance(sent_at, int):
            return None
        messages = self._store.messages
        return not await messages.has_earlier(event.chat_id, sent_at=sent_at, message_id=message_id)

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


@lru_cache(maxsize=4096)
def zone_of(handle: str) -> str | None:
    """Give the time zone that a phone number tells; None where it tells none, or several."""
    if not handle.startswith("+"):
        return None
    try:
        zones = time_zones_for_number(parse(handle))
    except NumberParseException:
        return None
    return zones[0] if len(zones) == 1 and find_zone(zones[0]) else None


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
