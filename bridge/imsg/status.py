"""What a running imsg says that it can do. Source: docs/rpc.md, `status`; `methods` are those that work just now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: Method that must work → what it lets a line do.
_GIVES: Final[dict[str, tuple[str, ...]]] = {
    "bridge.events.subscribe": ("typing_in",),
    "chats.create": ("group_create", "group_empty"),
    "chats.markUnread": ("unread_out",),
    "group.leave": ("group_leave",),
    "group.rename": ("group_rename",),
    "group.setIcon": ("group_icon",),
    "handles.check": ("availability",),
    "message.edit": ("edit",),
    "message.send_status": ("delivered", "read_in"),
    "message.unsend": ("unsend",),
    "messages.after": ("history",),
    "poll.send": ("polls",),
    "read": ("read_out",),
    "send": ("attachments", "sms_fallback", "text"),
    "send.attachment": ("audio",),
    "send.rich": ("effects", "reply", "subject"),
    "tapback": ("react_std",),
    "typing": ("typing_out",),
}
_MEMBERS: Final = frozenset({"group.addParticipant", "group.removeParticipant"})
#: From this version on `tapback` sends any emoji as itself.
_EMOJI_VERSION: Final = 2
PROTOCOL: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """The answer of `status`, tamed."""

    version: str
    protocol: int | None
    is_database_ready: bool
    database_error: str | None
    is_bridge_ready: bool
    bridge_error: str | None
    methods: frozenset[str]
    has_emoji: bool

    @property
    def capabilities(self) -> frozenset[str]:
        able = {name for method, names in _GIVES.items() if method in self.methods for name in names}
        if self.methods >= _MEMBERS:
            able.add("group_members")
        if self.has_emoji and "tapback" in self.methods:
            able.add("react_emoji")
        return frozenset(able)


def read_status(answer: Mapping[str, Any]) -> Status:
    """Read it; what is missing is not there."""
    database, bridge = _mapping(answer.get("database")), _mapping(answer.get("bridge"))
    features = _mapping(_mapping(answer.get("capabilities")).get("features"))
    methods, emoji, protocol = (
        answer.get("methods"),
        features.get("tapback.emoji"),
        answer.get("protocol_version"),
    )
    return Status(
        version=_text(answer.get("version")) or "unknown",
        protocol=protocol if isinstance(protocol, int) else None,
        is_database_ready=database.get("ready") is True,
        database_error=_text(database.get("error")),
        is_bridge_ready=bridge.get("ready") is True,
        bridge_error=_text(bridge.get("error")),
        methods=frozenset(each for each in methods if isinstance(each, str))
        if isinstance(methods, list)
        else frozenset(),
        has_emoji=isinstance(emoji, int) and emoji >= _EMOJI_VERSION,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:300] if isinstance(value, str) and value else None
