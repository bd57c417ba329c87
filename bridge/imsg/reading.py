"""Messages as imsg shows them → observations. Pure. Source: docs/json.md; the same guids as in chat.db.

imsg tells a message once, as it stands then: edits, unsends and what happens in groups it does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bridge.chatdb.content import URL_BALLOON
from bridge.chatdb.observing import part_of, target_of
from bridge.macos.apple_time import APPLE_EPOCH_MS
from bridge.macos.sends import attempt_in, quote_in
from bridge.macos.wire_text import MOST_TEXT, clean, identifier, label
from bridge.quotes import Quote
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    ObservedOption,
    ObservedPoll,
    ObservedReaction,
    Part,
)
from hub.rules.chatkeys import handle_of, normalize_chat_key

Payload = Mapping[str, Any]
_REACTIONS: Final = {
    "love": "love",
    "like": "like",
    "dislike": "dislike",
    "laugh": "laugh",
    "emphasis": "emphasize",
    "emphasize": "emphasize",
    "question": "question",
}
_DAY_MS: Final = 24 * 60 * 60 * 1000
_VOICE: Final = "Audio Message."
_MOST_FILES: Final = 100


class Unusable(Exception):
    """Nothing can be told of it; the message is the reason, one word."""


def observation_of(message: Payload, *, line: str, now_ms: int, quote: Quote | None) -> Observation:
    """Give what a message shows.

    Args:
        message: As imsg shows it.
        line: Whose it is.
        now_ms: Unix ms.
        quote: What it is known to be of our sends.

    Raises:
        Unusable: Nothing can be told of it.
    """
    guid, chat = identifier(message.get("guid")), chat_of(message)
    if guid is None or chat is None:
        raise Unusable("guidless" if guid is None else "unjoined")
    if message.get("is_reaction") is True:
        return _reaction(message, guid, chat, line, now_ms)
    poll = message.get("poll")
    if isinstance(poll, dict) and poll.get("kind") in {"created", "vote"}:
        return _poll(message, guid, chat, line, now_ms)
    shown = _shown(message, guid, now_ms, quote or quote_in(guid))
    own = message.get("is_from_me") is True
    return Observation(
        v=1,
        line=line,
        kind="message.sent" if own else "message.received",
        at=shown.sent_at or now_ms,
        observed_at=now_ms,
        chat=chat,
        actor=None if own else _actor(message, chat),
        message=shown,
    )


def _shown(message: Payload, guid: str, now_ms: int, quote: Quote | None) -> ObservedMessage:
    parts = _parts(message)
    if not parts:
        raise Unusable("empty")
    return ObservedMessage(
        provider_id=guid,
        parts=parts,
        is_from_me=message.get("is_from_me") is True,
        reply_to=identifier(message.get("thread_originator_guid"))
        or identifier(message.get("reply_to_guid")),
        service=label(message.get("service"), most=32),
        attempt_id=None if quote is None else quote.attempt_id,
        part=None if quote is None else quote.part,
        part_count=None if quote is None else quote.part_count,
        sent_at=_date(message.get("created_at"), now_ms),
    )


def chat_of(message: Payload) -> ObservedChat | None:
    """Give the conversation; None where imsg does not know it."""
    guid, name = identifier(message.get("chat_guid")), identifier(message.get("chat_identifier"))
    where = guid or name
    if where is None or "*" in where:
        return None
    is_group = message.get("is_group") is True or ";+;" in where
    listed = message.get("participants")
    handles = [identifier(each, most=320) for each in listed[:512]] if isinstance(listed, list) else []
    return ObservedChat(
        key=normalize_chat_key(where, is_group=is_group),
        provider_id=guid,
        is_group=is_group,
        service=label(message.get("service"), most=32),
        name=label(message.get("chat_name")) if is_group else None,
        participants=tuple(each for each in handles if each),
    )


def typing_of(event: Payload, *, line: str, now_ms: int) -> Observation | None:
    """Give a sign of life from an event of the bridge; None for any other event."""
    kinds: dict[object, ObservationKind] = {
        "started-typing": "typing.started",
        "stopped-typing": "typing.stopped",
    }
    kind, data = kinds.get(event.get("event")), event.get("data")
    guid = identifier(data.get("chatGuid")) if isinstance(data, dict) else None
    if kind is None or guid is None:
        return None
    is_group = ";+;" in guid
    chat = ObservedChat(key=normalize_chat_key(guid, is_group=is_group), provider_id=guid, is_group=is_group)
    actor = None if is_group else identifier(guid.rpartition(";")[2], most=320)
    return Observation(v=1, line=line, kind=kind, at=now_ms, observed_at=now_ms, chat=chat, actor=actor)


def status_of(
    answer: Payload, *, guid: str, chat_key: str, line: str, now_ms: int
) -> tuple[tuple[Observation, ...], bool]:
    """Read `message.send_status`: what it shows, and whether it can show any more.

    Args:
        answer: The result.
        guid: The message's, as it was told.
        chat_key: A direct chat: nobody's receipts show in groups.
    """
    fields = answer.get("status_fields")
    if not isinstance(fields, dict):
        return (), False
    error = fields.get("error")
    has_arrived = fields.get("is_delivered") is True or fields.get("date_read") is not None
    has_failed = isinstance(error, int) and error != 0 and not has_arrived
    delivered_at = _clamped(fields.get("date_delivered"), now_ms) if has_arrived else None
    read_at = _clamped(fields.get("date_read"), now_ms)
    quote = quote_in(guid)
    message = ObservedMessage(
        provider_id=guid,
        is_from_me=True,
        service=label(answer.get("service"), most=32),
        attempt_id=None if quote is None else quote.attempt_id,
        part=None if quote is None else quote.part,
        part_count=None if quote is None else quote.part_count,
        delivered_at=delivered_at,
        read_at=read_at,
        error=ObservedError(code=str(error)) if has_failed else None,
    )
    chat = ObservedChat(key=chat_key)
    kind: ObservationKind = "status.failed" if has_failed else "message.observed"
    told = []
    if has_failed or delivered_at is not None or read_at is not None:
        told.append(_about(kind, line, now_ms, chat, message=message, error=message.error))
    if fields.get("was_downgraded") is True:
        told.append(_about("status.downgraded", line, now_ms, chat, target=guid))
    return tuple(told), has_failed or read_at is not None


def found_at(message: Payload, now_ms: int) -> int | None:
    """Give when a message was made, Unix ms."""
    return _date(message.get("created_at"), now_ms)


def _about(kind: ObservationKind, line: str, now_ms: int, chat: ObservedChat, **fields: Any) -> Observation:
    return Observation(v=1, line=line, kind=kind, at=now_ms, observed_at=now_ms, chat=chat, **fields)


def _reaction(message: Payload, guid: str, chat: ObservedChat, line: str, now_ms: int) -> Observation:
    named = identifier(message.get("reacted_to_guid"))
    target = target_of(named)
    name, emoji = (
        _REACTIONS.get(str(message.get("reaction_type"))),
        label(message.get("reaction_emoji"), most=64),
    )
    if target is None or (name is None and emoji is None):
        raise Unusable("tapback")
    reaction = ObservedReaction(
        type=name or "emoji", provider_id=guid, emoji=None if name else emoji, part=part_of(named)
    )
    own = message.get("is_from_me") is True
    return Observation(
        v=1,
        line=line,
        kind="reaction.removed" if message.get("is_reaction_add") is False else "reaction.added",
        at=_date(message.get("created_at"), now_ms) or APPLE_EPOCH_MS,
        observed_at=now_ms,
        chat=chat,
        actor=None if own else _actor(message, chat),
        target=target,
        reaction=reaction,
    )


def _poll(message: Payload, guid: str, chat: ObservedChat, line: str, now_ms: int) -> Observation:
    poll: Payload = message["poll"]
    is_made = poll.get("kind") == "created"
    first = target_of(identifier(poll.get("original_guid")))
    # More options of a poll come as another one, with the guid of the first.
    name = (first or guid) if is_made else target_of(identifier(poll.get("poll_guid"))) or first
    if name is None:
        raise Unusable("poll")
    listed = poll.get("options") if is_made else ()
    votes = poll.get("votes") or [poll.get("vote")]
    shown = ObservedPoll(
        provider_id=name,
        title=label(poll.get("question")) if is_made else None,
        options=tuple(_options(listed))[:64],
        choices=() if is_made else tuple(_choices(votes))[:64],
        attempt_id=attempt_in(guid) if name == guid else None,
    )
    return Observation(
        v=1,
        line=line,
        kind="poll.created" if is_made else "poll.voted",
        at=_date(message.get("created_at"), now_ms) or APPLE_EPOCH_MS,
        observed_at=now_ms,
        chat=chat,
        actor=None if message.get("is_from_me") is True else _actor(message, chat),
        poll=shown,
    )


def _options(listed: object) -> list[ObservedOption]:
    read = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    pairs = [(identifier(each.get("id"), most=128), label(each.get("text"))) for each in read]
    return [ObservedOption(id=name, text=text or "") for name, text in pairs if name is not None]


def _choices(votes: object) -> list[str]:
    read = [each for each in votes if isinstance(each, dict)] if isinstance(votes, list) else []
    chosen = [
        identifier(each.get("option_id"), most=128)
        for each in read
        if "remove" not in str(each.get("event_type"))
    ]
    return [name for name in chosen if name is not None]


def _parts(message: Payload) -> tuple[Part, ...]:
    raw = message.get("text")
    words = clean(raw, most=MOST_TEXT) if isinstance(raw, str) else ""
    words = words.replace("\ufffc", "").strip()
    listed = message.get("attachments")
    files = (
        [_file(each) for each in listed[:_MOST_FILES] if isinstance(each, dict)]
        if isinstance(listed, list)
        else []
    )
    if message.get("balloon_bundle_id") == URL_BALLOON and words.startswith(("http://", "https://")):
        return (Part(type="link", url=words[:4096], text=words),)
    text = (Part(type="text", text=words),) if words else ()
    return (*text, *(each for each in files if each is not None))


def _file(attachment: Payload) -> Part | None:
    path = identifier(attachment.get("path") or attachment.get("original_path") or attachment.get("filename"))
    name = label(attachment.get("transfer_name")) or (path or "").rpartition("/")[2] or None
    if name is None or name.endswith(".pluginPayloadAttachment"):
        return None
    size = attachment.get("byte_size", attachment.get("total_bytes"))
    is_voice = name.startswith(_VOICE)
    return Part(
        type="sticker" if attachment.get("is_sticker") is True else "audio" if is_voice else "attachment",
        ref=path,
        filename=name,
        mime_type=label(attachment.get("mime_type"), most=255),
        size=size if isinstance(size, int) and 0 < size <= 2**53 else None,
    )


def _actor(message: Payload, chat: ObservedChat) -> str:
    sender = identifier(message.get("sender"), most=320)
    other = sender or handle_of(chat.key)
    if other is None:
        raise Unusable("senderless")
    return other


def _clamped(value: object, now_ms: int) -> int | None:
    at = _instant(value)
    return None if at is None else min(at, now_ms) if at > now_ms + _DAY_MS else at


def _date(value: object, now_ms: int) -> int | None:
    at = _instant(value)
    return None if at is None or at > now_ms + _DAY_MS else at


def _instant(value: object) -> int | None:
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        read = datetime.fromisoformat(value)
        at = round((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return at if at > APPLE_EPOCH_MS else None
