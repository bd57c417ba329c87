"""Read what Coop tells into the normal form (contracts: coop §2, §3). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridge.taming import date_in, handle_in, id_in, mapping_in, tame
from bridge.vendors.account import Listed
from bridge.vendors.seen import MOST_FILES, Place, Seen, Stage, failure, file_part, line_of, words
from hub.model.observation import Observation, Part

STAGES: Final[dict[str, Stage]] = {
    "delivered": "delivered",
    "failed": "failed",
    "processing": "waiting",
    "queued": "waiting",
    "sent": "sent",
}
#: Events about messages → how far one has come; `message.delivered` is not in the vendor's list, but in its guide.
EVENTS: Final[dict[str, Stage]] = {
    "message.delivered": "delivered",
    "message.failed": "failed",
    "message.queued": "waiting",
    "message.received": "sent",
    "message.sent": "sent",
}


def read_message(
    message: Mapping[str, Any],
    chat: Mapping[str, Any],
    lines: tuple[str, ...],
    *,
    is_from_me: bool,
    stage: Stage,
    at: int,
    files: Sequence[Part] = (),
    why: str | None = None,
) -> Observation | None:
    """Read a message of a webhook or a list; None where it cannot be read.

    Args:
        message: The vendor's.
        chat: Its conversation; empty where it is not known.
        lines: The bridge's.
        is_from_me: Whether the account sent it.
        stage: How far it has come.
        at: When that was.
        files: Of one that came in.
        why: It failed.
    """
    message_id = id_in(message.get("id"))
    ours, theirs = ("from", "to") if is_from_me else ("to", "from")
    line, other = line_of(message.get(ours), lines), handle_in(message.get(theirs))
    if message_id is None or line is None or other is None:
        return None
    group = id_in(chat.get("participant")) if chat.get("isGroup") is True else None
    body = words(message.get("body"))
    return Seen(
        id=message_id,
        place=Place(line=line, other=group or other, is_group=group is not None),
        at=at,
        is_from_me=is_from_me,
        sender=None if is_from_me else other,
        parts=(*body, *files),
        stage=stage,
        # A message of files alone has no words here, and must not lose its files.
        is_whole=True,
        sent_at=date_in(message.get("receivedAt")) or date_in(message.get("sentAt")),
        delivered_at=date_in(message.get("deliveredAt")) if is_from_me else None,
        error=failure(None, why),
    ).observation


def files_in(listed: Sequence[object]) -> tuple[Part, ...]:
    """Read the files of a message; the vendor does not say how it shows them."""
    found = []
    for value in listed[:MOST_FILES]:
        each = mapping_in(value)
        url = value if isinstance(value, str) else each.get("url") or each.get("downloadUrl")
        part = file_part(
            url, filename=each.get("filename"), mime_type=each.get("mimeType"), size=each.get("size")
        )
        found.append(part)
    return tuple(each for each in found if each is not None)


def listed(message: Mapping[str, Any]) -> Listed | None:
    """Read a message of ours, to find a send by."""
    message_id, made_at = id_in(message.get("id")), date_in(message.get("createdAt"))
    if message_id is None or made_at is None:
        return None
    return Listed(provider_id=message_id, text=tame(message.get("body")), files=None, made_at=made_at)
