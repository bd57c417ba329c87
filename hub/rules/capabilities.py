"""Which capabilities an operation needs of its line's bridge: one table for the surface, the worker and the bridges.

A line that lacks one is refused before anything is owed. What only allows or shows something (an SMS fallback,
receipts) is never needed. Not here: what each capability lets a line do (hub.model.capability).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from hub.model.outbox import OperationKind

Payload = Mapping[str, object]

#: The tapbacks that iMessage has names for; another type is an emoji.
STANDARD_REACTIONS: Final = frozenset({"love", "like", "dislike", "laugh", "emphasize", "question"})

#: Operations that need the same whatever they say; those of _READERS look at what they say.
_FIXED: Final[dict[OperationKind, str]] = {
    OperationKind.BACKGROUND: "background",
    OperationKind.CHECK: "availability",
    OperationKind.EDIT: "edit",
    OperationKind.FACETIME: "facetime",
    OperationKind.GROUP_ADD: "group_members",
    OperationKind.GROUP_ICON: "group_icon",
    OperationKind.GROUP_LEAVE: "group_leave",
    OperationKind.GROUP_REMOVE: "group_members",
    OperationKind.GROUP_RENAME: "group_rename",
    OperationKind.LOCATION: "location",
    OperationKind.POLL: "polls",
    OperationKind.READ: "read_out",
    OperationKind.TYPING: "typing_out",
    OperationKind.UNREAD: "unread_out",
    OperationKind.UNSEND: "unsend",
}

#: Field of a send → what it needs where it says something.
_SEND_FIELDS: Final[dict[str, str]] = {
    "audio_message": "audio",
    "effect": "effects",
    "link_preview": "link_preview",
    "reply_to": "reply",
    "reply_to_guid": "reply",
    "subject": "subject",
    "template": "templates",
    "text": "text",
}

#: Type of a part → what it needs.
_PART_TYPES: Final[dict[str, str]] = {"attachment": "attachments", "link": "link_preview", "text": "text"}


def needs_of(kind: OperationKind, payload: Payload) -> frozenset[str]:
    """Name the capabilities that an operation needs.

    Args:
        kind: What is to be done.
        payload: The request as the outbox keeps it.
    """
    reader = _READERS.get(kind)
    return frozenset({_FIXED[kind]}) if reader is None else reader(payload)


def missing_of(needs: Iterable[str], has: Collection[str]) -> tuple[str, ...]:
    """Give what is lacking, in the order of the alphabet."""
    return tuple(sorted(set(needs) - set(has)))


def _needs_of_send(payload: Payload) -> frozenset[str]:
    needs = {need for field, need in _SEND_FIELDS.items() if payload.get(field)}
    if payload.get("attachments"):
        needs.add("audio" if payload.get("voice_memo") else "attachments")
    for part in _parts(payload):
        needs.add(_PART_TYPES.get(str(part.get("type")), "text"))
        if part.get("mention"):
            needs.add("mentions")
    return frozenset(needs)


def _needs_of_reaction(payload: Payload) -> frozenset[str]:
    return frozenset({"react_std" if payload.get("type", "love") in STANDARD_REACTIONS else "react_emoji"})


def _needs_of_group(payload: Payload) -> frozenset[str]:
    """A group may begin with its first words; some networks know no other beginning."""
    return frozenset({"group_create", "text" if payload.get("text") else "group_empty"})


def _needs_of_card(payload: Payload) -> frozenset[str]:
    """To share what the account has is less than to know or change it."""
    is_share = payload.get("action", "share") == "share"
    return frozenset({"contact_card"} if is_share else {"contact_card", "contact_card_own"})


def _parts(payload: Payload) -> list[Mapping[str, object]]:
    parts = payload.get("parts")
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list | tuple) else []


_READERS: Final[dict[OperationKind, Callable[[Payload], frozenset[str]]]] = {
    OperationKind.CONTACT_CARD: _needs_of_card,
    OperationKind.GROUP_CREATE: _needs_of_group,
    OperationKind.REACT: _needs_of_reaction,
    OperationKind.SEND: _needs_of_send,
}
