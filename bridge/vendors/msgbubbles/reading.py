"""Read what MsgBubbles tells into the normal form (contracts: msgbubbles §4, §5, §7). Pure.

Its messages name their conversation only; whose it is, the conversation tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridge.taming import date_in, handle_in, id_in, iso_text, list_in, mapping_in, tame
from bridge.vendors.account import Listed
from bridge.vendors.seen import MOST_FILES, Place, Seen, Stage, failure, file_part, reaction, words
from hub.model.observation import Observation, Part

STAGES: Final[dict[str, Stage]] = {
    "delivered": "delivered",
    "failed": "failed",
    "queued": "waiting",
    "read": "read",
    "sent": "sent",
    "unsent": "unsent",
}
#: Events about a message; the last two are not confirmed.
EVENTS: Final = frozenset(
    {
        "message.delivered",
        "message.failed",
        "message.read",
        "message.received",
        "message.sent",
        "message.unsent",
        "message.edited",
    }
)

#: Events that the vendor's pages name: a webhook with a list of its own must tell them.
NEEDED: Final = (EVENTS | {"message.reaction"}) - {"message.edited", "message.unsent"}


def read_message(
    message: Mapping[str, Any], chat: Mapping[str, Any], *, at: int | None = None, is_edited: bool = False
) -> Observation | None:
    """Read a message; None where it cannot be read.

    Args:
        message: The vendor's.
        chat: Its conversation.
        at: When what is told happened; None for when the message was made.
        is_edited: Whether it is told because its words have changed.
    """
    message_id, place, made_at = (
        id_in(message.get("id")),
        place_in(chat, message),
        date_in(message.get("created_at")),
    )
    is_from_me = message.get("direction") == "outbound"
    if message_id is None or place is None or made_at is None:
        return None
    sender = None if is_from_me else sender_in(message, place)
    if sender is None and not is_from_me:
        return None
    stage = STAGES.get(str(message.get("status")), "sent")
    error = mapping_in(message.get("error"))
    return Seen(
        id=message_id,
        place=place,
        at=made_at if at is None else at,
        is_from_me=is_from_me,
        sender=sender,
        parts=parts_in(message),
        stage=stage if is_from_me or stage == "unsent" else "sent",
        is_edited=is_edited,
        sent_at=date_in(message.get("sent_at")) or (made_at if not is_from_me else None),
        delivered_at=date_in(message.get("delivered_at")) if is_from_me else None,
        read_at=date_in(message.get("read_at")) if is_from_me else None,
        reply_to=id_in(message.get("reply_to")),
        effect=tame(message.get("effect"), 1024),
        error=failure(error.get("code") or message.get("error"), error.get("message")),
    ).observation


def read_reaction(told: Mapping[str, Any], chat: Mapping[str, Any], at: int) -> Observation | None:
    """Read a reaction of a webhook; None where it cannot be read.

    Args:
        told: The vendor's.
        chat: Its conversation.
        at: When the webhook says that it happened, the same on each try.
    """
    target, word, place = id_in(told.get("message_id")), tame(told.get("reaction"), 64), place_in(chat, {})
    is_from_me = told.get("direction") == "outbound"
    if target is None or word is None or place is None:
        return None
    sender = None if is_from_me else sender_in(told, place)
    if sender is None and not is_from_me:
        return None
    when = date_in(told.get("created_at")) or at
    return reaction(
        place, target=target, word=word, is_added=told.get("removed") is not True, at=when, sender=sender
    )


def sender_in(told: Mapping[str, Any], place: Place) -> str | None:
    """Say who did it: the documents name nobody, so in a group only a hub's own `sender_handle` tells."""
    return handle_in(told.get("sender_handle")) or (None if place.is_group else place.other)


def place_in(chat: Mapping[str, Any], message: Mapping[str, Any]) -> Place | None:
    """Give the conversation: a group by its id, which sends take."""
    is_group = chat.get("is_group") is True
    line = handle_in(chat.get("from_handle"))
    other = id_in(chat.get("id")) if is_group else handle_in(chat.get("remote_handle"))
    if line is None or other is None:
        return None
    return Place(
        line=line,
        other=other,
        is_group=is_group,
        service=_SERVICES.get(str(message.get("channel"))),
        name=tame(chat.get("title"), 1024) if is_group else None,
    )


def next_page(page: Mapping[str, Any], found: Sequence[Mapping[str, Any]], before: str | None) -> str | None:
    """Say where the next page begins; None after the last one.

    What was made in the same millisecond as the oldest must not be lost between two pages, so they overlap by one.
    """
    oldest = date_in(found[-1].get("created_at")) if found and page.get("has_more") is True else None
    if oldest is None:
        return None
    overlapping = exact_text(oldest + 1)
    return overlapping if before is None or overlapping < before else exact_text(oldest)


def exact_text(at_ms: int) -> str:
    """Write Unix ms as ISO 8601 in UTC, to the millisecond, as the vendor does."""
    return f"{iso_text(at_ms)[:-1]}.{at_ms % 1000:03}Z"


def listed(message: Mapping[str, Any]) -> Listed | None:
    """Read a message of ours, to find a send by."""
    message_id, made_at = id_in(message.get("id")), date_in(message.get("created_at"))
    if message_id is None or made_at is None:
        return None
    files = len(list_in(message.get("attachments")))
    return Listed(provider_id=message_id, text=tame(message.get("text")), files=files, made_at=made_at)


def parts_in(message: Mapping[str, Any]) -> tuple[Part, ...]:
    """Read words and files."""
    files = [
        file_part(
            each.get("url"),
            filename=each.get("filename"),
            mime_type=each.get("mime_type"),
            size=each.get("size_bytes"),
        )
        for each in map(mapping_in, list_in(message.get("attachments"))[:MOST_FILES])
    ]
    return (*words(message.get("text")), *(each for each in files if each is not None))


_SERVICES: Final = {"imessage": "iMessage", "sms": "SMS", "whatsapp": "WhatsApp"}
