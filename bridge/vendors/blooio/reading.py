"""Read what Blooio tells, by webhook or in its lists, into the normal form (contracts: blooio §2, §4). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridge.taming import handle_in, id_in, iso_text, list_in, mapping_in, tame
from bridge.vendors.account import Listed
from bridge.vendors.examining import Hook
from bridge.vendors.hooks import not_taken
from bridge.vendors.numbers import ms_in
from bridge.vendors.seen import MOST_FILES, Place, Seen, Stage, failure, file_part, line_of, reaction, words
from hub.model.observation import Observation, Part

#: What Blooio says of a message of ours → how far it has come.
STAGES: Final[dict[str, Stage]] = {
    "cancellation_requested": "waiting",
    "cancelled": "failed",
    "delivered": "delivered",
    "failed": "failed",
    "pending": "waiting",
    "queued": "waiting",
    "read": "read",
    "sent": "sent",
}
_ENDS_SOON_MS: Final = 7 * 86_400_000
#: Events about a message.
EVENTS: Final = frozenset(
    {
        "message.delivered",
        "message.failed",
        "message.queued",
        "message.read",
        "message.received",
        "message.sent",
    }
)
#: When each event happened, where it says so.
_TIMES: Final = ("received_at", "sent_at", "delivered_at", "read_at")


def read_event(body: Mapping[str, Any], lines: tuple[str, ...], now_ms: int) -> tuple[Observation, ...] | str:
    """Read an event about a message; a text that says why it is nothing for us.

    Args:
        body: As it came.
        lines: The bridge's lines.
        now_ms: Unix ms.
    """
    event = tame(body.get("event"), 64) or "what has no name"
    if event not in EVENTS:
        return not_taken(event)
    message_id, place = id_in(body.get("message_id")), place_in(body, lines)
    if message_id is None or place is None:
        return "it names no message, or not both sides"
    is_from_me = event != "message.received"
    at = next((at for name in _TIMES if (at := ms_in(body.get(name)))), None) or ms_in(body.get("timestamp"))
    parts = parts_in(body)
    stage = STAGES.get(event.removeprefix("message."), "sent")
    return (
        Seen(
            id=message_id,
            place=place,
            at=now_ms if at is None else at,
            is_from_me=is_from_me,
            sender=None if is_from_me else handle_in(body.get("sender")) or _alone(place),
            parts=parts,
            stage=stage,
            is_whole=bool(parts),
            sent_at=ms_in(body.get("sent_at")),
            delivered_at=ms_in(body.get("delivered_at")),
            read_at=ms_in(body.get("read_at")),
            error=failure(body.get("error_code"), body.get("error_message")),
        ).observation,
    )


def read_message(
    message: Mapping[str, Any], chat: Mapping[str, Any], lines: tuple[str, ...]
) -> tuple[Observation, ...]:
    """Read a listed message and the reactions to it; nothing where it cannot be read."""
    message_id, at = id_in(message.get("message_id")), ms_in(message.get("time_sent"))
    place = place_in(
        {
            "internal_id": message.get("internal_id"),
            "external_id": chat.get("id"),
            "is_group": chat.get("is_group"),
            "group_id": chat.get("group_id") or chat.get("id"),
            "group_name": chat.get("group_name"),
            "protocol": message.get("protocol"),
        },
        lines,
    )
    if message_id is None or at is None or place is None:
        return ()
    is_from_me = message.get("direction") == "outbound"
    sender = None if is_from_me else handle_in(message.get("sender")) or _alone(place)
    if not is_from_me and sender is None:
        return ()
    status = str(message.get("status") or "sent")
    seen = Seen(
        id=message_id,
        place=place,
        at=at,
        is_from_me=is_from_me,
        sender=sender,
        parts=parts_in(message),
        stage=STAGES.get(status, "sent"),
        sent_at=at,
        delivered_at=ms_in(message.get("time_delivered")),
        error=failure("cancelled" if status == "cancelled" else None, message.get("error")),
    )
    told = [reaction_in(each, message_id, place) for each in list_in(message.get("reactions"))]
    return (seen.observation, *(each for each in told if each is not None))


def reaction_in(value: object, message_id: str, place: Place) -> Observation | None:
    """Read a reaction in a list; None where it cannot be read."""
    told = mapping_in(value)
    word, at = tame(told.get("reaction"), 64), ms_in(told.get("time_sent"))
    if word is None or at is None:
        return None
    return reaction(
        place,
        target=message_id,
        word=word,
        is_added=told.get("is_added") is not False,
        at=at,
        sender=handle_in(told.get("sender")),
    )


def hook_in(webhook: Mapping[str, Any], now_ms: int) -> Hook:
    """Read one of the account's webhooks, and what is wrong with it: they may be of other types, and end by themselves.

    Args:
        webhook: The vendor's.
        now_ms: Unix ms.
    """
    kind, until = tame(webhook.get("webhook_type"), 64), ms_in(webhook.get("valid_until"))
    trouble = None
    if until is not None and until - now_ms < _ENDS_SOON_MS:
        trouble = f"it ends at {iso_text(until)} (valid_until)"
    elif kind != "all":
        trouble = f"its type is {kind}, not all, so that some of what happens is not told"
    return Hook(url=str(webhook.get("webhook_url")), trouble=trouble)


def place_in(body: Mapping[str, Any], lines: tuple[str, ...]) -> Place | None:
    """Give the conversation that a webhook names; None where it names none."""
    line = line_of(body.get("internal_id"), lines)
    is_in_group = body.get("is_group") is True
    other = id_in(body.get("group_id")) if is_in_group else None
    other = (
        other
        or handle_in(body.get("external_id"))
        or (None if is_in_group else handle_in(body.get("sender")))
    )
    if line is None or other is None:
        return None
    return Place(
        line=line,
        other=other,
        is_group=is_in_group or other.startswith("grp_"),
        service=service_of(body.get("protocol")),
        name=tame(body.get("group_name"), 1024) if is_in_group else None,
    )


def message_id_in(answer: Mapping[str, Any]) -> str | None:
    """Give the message that a send made; where several are named, the first one."""
    several = list_in(answer.get("message_ids"))
    return id_in(answer.get("message_id")) or (id_in(several[0]) if several else None)


def listed(message: Mapping[str, Any]) -> Listed | None:
    """Read a message of ours, to find a send by."""
    message_id, made_at = id_in(message.get("message_id")), ms_in(message.get("time_sent"))
    if message_id is None or made_at is None:
        return None
    return Listed(
        provider_id=message_id,
        text=tame(message.get("text")),
        files=len(list_in(message.get("attachments"))),
        made_at=made_at,
    )


def parts_in(message: Mapping[str, Any]) -> tuple[Part, ...]:
    """Read words and files; older webhooks had bare addresses."""
    files = []
    for each in list_in(message.get("attachments"))[:MOST_FILES]:
        named = mapping_in(each)
        url = each if isinstance(each, str) else named.get("url")
        files.append(file_part(url, filename=named.get("name"), mime_type=named.get("mime_type")))
    return (*words(message.get("text")), *(each for each in files if each is not None))


def service_of(protocol: object) -> str | None:
    """Give the service as the normal form spells it."""
    return _SERVICES.get(str(protocol), None)


_SERVICES: Final = {"imessage": "iMessage", "non-imessage": "SMS", "rcs": "RCS", "sms": "SMS"}


def _alone(place: Place) -> str | None:
    return None if place.is_group else place.other


def latest_of(reactions: Sequence[object], word: str, sender: str | None, *, is_added: bool) -> int | None:
    """Give when somebody reacted so for the last time, by the list of a message; None if it does not say."""
    times = [
        at
        for each in map(mapping_in, reactions)
        if each.get("reaction") == word
        and (each.get("is_added") is not False) is is_added
        and handle_in(each.get("sender")) == sender
        and (at := ms_in(each.get("time_sent"))) is not None
    ]
    return max(times, default=None)
