"""Read what messages.dev tells into the normal form (contracts: messages.dev §3, §6). Pure.

A message is named by its GUID, as Apple's network does: so a line that moves to another bridge tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bridge.taming import handle_in, id_in, list_in, mapping_in, tame
from bridge.vendors.account import Listed
from bridge.vendors.numbers import ms_in
from bridge.vendors.seen import MOST_FILES, Place, Seen, file_part, reaction, words
from hub.model.observation import Observation, Part

EVENTS: Final = frozenset({"message.received", "message.sent"})
REACTIONS: Final = frozenset({"reaction.added", "reaction.removed"})
#: A hub of ours that plays the vendor lists these, too; the vendor lists what its network has.
_NOT_OUT: Final = frozenset({"cancelled", "failed", "queued"})


def read_message(message: Mapping[str, Any], chat: Mapping[str, Any], line: str) -> Observation | None:
    """Read a message of a webhook or a list; None where it cannot be read.

    Args:
        message: The vendor's.
        chat: The chat that it is in.
        line: Whose it is.
    """
    guid, at, place = id_in(message.get("guid")), ms_in(message.get("sent_at")), place_in(chat, message, line)
    is_from_me = message.get("is_from_me") is True
    sender = None if is_from_me else handle_in(message.get("sender"))
    if guid is None or at is None or place is None or (sender is None and not is_from_me):
        return None
    if not is_out(message):
        return None
    return Seen(
        id=guid,
        place=place,
        at=at,
        is_from_me=is_from_me,
        sender=sender,
        parts=parts_in(message),
        sent_at=at,
        reply_to=id_in(message.get("reply_to_guid")),
    ).observation


def is_out(message: Mapping[str, Any]) -> bool:
    """Tell whether the vendor's network has a message: one of ours may still wait, or never have left."""
    return message.get("is_from_me") is not True or message.get("status") not in _NOT_OUT


def read_reaction(
    told: Mapping[str, Any], *, chat: Mapping[str, Any], target: str, line: str
) -> Observation | None:
    """Read a reaction of a webhook; None where it cannot be read.

    Args:
        told: The vendor's.
        chat: The chat that it is in.
        target: The GUID of its message.
        line: Whose it is.
    """
    word, at, place = tame(told.get("type"), 64), ms_in(told.get("sent_at")), place_in(chat, {}, line)
    is_from_me = told.get("is_from_me") is True
    sender = None if is_from_me else handle_in(told.get("sender"))
    if word is None or at is None or place is None or (sender is None and not is_from_me):
        return None
    return reaction(place, target=target, word=word, is_added=told.get("added") is True, at=at, sender=sender)


def place_in(chat: Mapping[str, Any], message: Mapping[str, Any], line: str) -> Place | None:
    """Give the conversation: a group by the vendor's id of the chat, which sends take."""
    is_group = chat.get("is_group") is True
    other = id_in(chat.get("id")) if is_group else handle_in(chat.get("identifier"))
    if other is None:
        return None
    service = _SERVICES.get(str(message.get("service") or chat.get("service") or "").lower())
    name = tame(chat.get("name"), 1024) if is_group else None
    return Place(line=line, other=other, is_group=is_group, service=service, name=name)


def listed(message: Mapping[str, Any]) -> Listed | None:
    """Read a message of ours, to find a send by."""
    guid, made_at = id_in(message.get("guid")), ms_in(message.get("sent_at"))
    if guid is None or made_at is None:
        return None
    files = len(list_in(message.get("attachments")))
    return Listed(provider_id=guid, text=tame(message.get("text")), files=files, made_at=made_at)


def parts_in(message: Mapping[str, Any]) -> tuple[Part, ...]:
    """Read words and files."""
    is_voice = message.get("is_audio_message") is True
    files = []
    for each in map(mapping_in, list_in(message.get("attachments"))[:MOST_FILES]):
        part = file_part(
            each.get("url"),
            filename=each.get("filename"),
            mime_type=each.get("mime_type"),
            size=each.get("size"),
            is_voice=is_voice,
            transcription=each.get("transcription"),
        )
        files.append(part)
    return (*words(message.get("text")), *(each for each in files if each is not None))


_SERVICES: Final = {"imessage": "iMessage", "rcs": "RCS", "sms": "SMS"}
