"""What an event says of where it happened, so that steps need not repeat it: line, conversation, message, person.

Events of the hub, their native data and events of sources spell it in different places; ids are known by their
prefix, so a name that means something else elsewhere (`id`) does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.model.ids import Prefix

#: Where each may stand, the surest place first.
_LINE: Final = ("line_id", "line.id", "line_handle", "line.handle", "line")
_CHAT: Final = ("chat_id", "conversation_id", "chat.id", "conversation.id")
_MESSAGE: Final = ("message_id", "message.id", "id")
_CONTACT: Final = ("contact.id", "contact_id")
_TEXT: Final = ("text", "message.text")
#: Who is on the other side: by whom an event was caused, then with whom we speak.
_PERSON: Final = ("contact.handle", "handle", "actor", "sender", "from", "chat_address", "to")


def line_in(event: Mapping[str, Any]) -> str | None:
    """Give the event's line, by id or handle."""
    return next(_texts(event, _LINE), None)


def chat_in(event: Mapping[str, Any]) -> str | None:
    """Give the id of the event's conversation."""
    return _with_prefix(event, _CHAT, Prefix.CHAT)


def message_in(event: Mapping[str, Any]) -> str | None:
    """Give the id of the event's message."""
    return _with_prefix(event, _MESSAGE, Prefix.MESSAGE)


def contact_in(event: Mapping[str, Any]) -> str | None:
    """Give the id of the event's contact, if the hub knows one."""
    return _with_prefix(event, _CONTACT, Prefix.CONTACT)


def text_in(event: Mapping[str, Any]) -> str | None:
    """Give the event's words."""
    return next(_texts(event, _TEXT), None)


def person_in(event: Mapping[str, Any]) -> str | None:
    """Give the handle of who is on the other side: never that of our own line."""
    own = {line for name in _LINE for line in _texts(event, (name,))}
    return next((handle for handle in _texts(event, _PERSON) if handle not in own), None)


def address_in(event: Mapping[str, Any]) -> str | None:
    """Give the other side of the conversation, as `to` takes it: a person, or a group."""
    return next(_texts(event, ("chat_address",)), None) or person_in(event)


def _with_prefix(event: Mapping[str, Any], places: tuple[str, ...], prefix: Prefix) -> str | None:
    return next((text for text in _texts(event, places) if text.startswith(f"{prefix}_")), None)


def _texts(event: Mapping[str, Any], places: tuple[str, ...]) -> Iterator[str]:
    """Give the texts that stand at these places, in the event or in its data."""
    data = event.get("data")
    for place in places:
        for within in (event, data):
            value: Any = within
            for name in place.split("."):
                value = value.get(name) if isinstance(value, Mapping) else None
            if isinstance(value, str) and value:
                yield value
