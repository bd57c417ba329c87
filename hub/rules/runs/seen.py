"""An event as routes see it: its own data, and the names under which people think of it (facts: routes A2, A3).

All members of the event's `data` stand at the top, so that what webhooks get and what routes read is spelt the same.
Beside them, for whatever is about a conversation: `channel`, `direction`, `from`, `to`, `conversation`, `contact`,
`line`, `message`; always there, null where there is nothing to say. `conversation.assignee`, the person or else the
team who takes care of it, alone is missing while nobody does, so that a condition may ask whether it exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.rules.sources.hooks import route_view

#: Keys of our own metadata, by which a message tells which run sent it.
HOPS_KEY: Final = "hub_hops"
MOST_HOPS: Final = 8
_NOBODY: Final[Mapping[str, Any]] = {
    "id": None,
    "name": None,
    "first_name": None,
    "last_name": None,
    "organization": None,
    "job_title": None,
    "tags": [],
    "handles": [],
    "timezone": None,
    "metadata": {},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What is known beside the event at the moment at which it is looked at. Kept with it."""

    #: The person on the other side; null where nobody is known.
    contact: Mapping[str, Any] | None = None
    #: Whether nothing had been said in the chat before.
    is_new: bool | None = None
    chat_name: str | None = None
    is_group: bool | None = None
    #: Who takes care of the chat; null: nobody.
    assignee: str | None = None
    team: str | None = None
    #: What our line is called.
    line: str | None = None
    #: Of a failed message: how often it was tried.
    attempt: int | None = None
    #: Of a reaction: the message reacted to.
    message: Mapping[str, Any] | None = None
    #: The contact's own time zone, as far as its number tells.
    timezone: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def seen(
    event_id: str, event_type: str, occurred_at: int, data: Mapping[str, Any], context: Context
) -> dict[str, Any]:
    """Give an event as routes see it. `occurred_at` is Unix ms."""
    if event_type == "source.received":
        return route_view(event_id, event_type, occurred_at, data)
    event: dict[str, Any] = {**data, "id": event_id, "type": event_type, "occurred_at": occurred_at}
    if "line_handle" not in data:
        return event | dict(context.more)
    is_message = "is_audio_message" in data
    is_from_me = _is_from_me(event_type, data)
    other = _other_side(data, is_from_me=is_from_me)
    line = data.get("line_handle")
    contact = {**_NOBODY, "handle": other, **(context.contact or {})}
    if contact["timezone"] is None:
        contact["timezone"] = context.timezone
    event |= {
        "channel": _channel(data.get("service")),
        "direction": None if is_from_me is None else "outbound" if is_from_me else "inbound",
        "from": line if is_from_me else other,
        "to": other if is_from_me else line,
        "line": context.line or line,
        "conversation_id": data.get("chat_id"),
        "conversation": {
            "id": data.get("chat_id"),
            "is_new": context.is_new,
            "is_group": data.get("is_group", context.is_group),
            "name": context.chat_name,
            "team": context.team,
            **({} if context.assignee is None else {"assignee": context.assignee}),
        },
        "contact": contact,
    }
    if is_message:
        event |= {
            "message_id": data.get("id"),
            "attempt": context.attempt or 1,
            "message": _message({**data, "direction": event["direction"]}),
        }
    elif context.message is not None:
        event["message"] = _message({**context.message, "direction": _direction(context.message)})
    if event_type.startswith("reaction."):
        event["reaction"] = data.get("type")
        event["channel"] = event["channel"] or _channel((context.message or {}).get("service"))
    return event | dict(context.more)


def hops_of(data: Mapping[str, Any]) -> int:
    """Give how many runs an event stems from."""
    metadata = data.get("metadata")
    count = metadata.get(HOPS_KEY) if isinstance(metadata, Mapping) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0


def _is_from_me(event_type: str, data: Mapping[str, Any]) -> bool | None:
    told = data.get("is_from_me")
    if isinstance(told, bool):
        return told
    return None if event_type.startswith(("line.", "bulk.")) else False


def _other_side(data: Mapping[str, Any], *, is_from_me: bool | None) -> Any:
    """Give the handle of the person, or the network's id of the group that was written to."""
    if is_from_me:
        return data.get("chat_address") or data.get("identifier") or data.get("handle")
    for name in ("sender", "handle", "actor", "creator", "chat_address", "identifier"):
        if data.get(name):
            return data[name]
    return None


def _channel(service: Any) -> str | None:
    return service.lower() if isinstance(service, str) else None


def _direction(message: Mapping[str, Any]) -> str:
    return "outbound" if message.get("is_from_me") else "inbound"


def _message(data: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "text", "direction", "sent_at", "status")
    return {name: data.get(name) for name in names}
