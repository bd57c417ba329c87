"""Turn an observation into the rows it leaves behind, for the store's commutative merges.

A row says only what its observation shows; `is_known` is Known.UNSEEN while the message itself was not seen, so that
a receipt or a reaction that arrives first never overwrites what the message says. Ids and the time are given.
Not here: which events follow (hub.rules.facts), and the merge itself (the store).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hub.flow.rows import ChatRow, Known, ReactionRow, SnapshotRow
from hub.model.line import Line
from hub.model.observation import Observation, ObservedChat, ObservedError, ObservedMessage, Part
from hub.model.outbox import outbox_id_of
from hub.rules.chatkeys import handle_of, normalize_chat_key, normalize_handle
from hub.rules.facts import is_own, reaction_type, text_of
from hub.rules.reactions import REACT_MANY, slot_of

_NO_PARTICIPANTS = "[]"
#: Kinds that show the message itself, even one without words.
_SHOWS_MESSAGE = frozenset({"message.received", "message.sent"})
#: Kinds whose actor is not the author of the message.
_BY_A_READER = "status."
#: Plain numbers: what is looked up in an enum costs on the way of every observation.
_SEEN, _UNSEEN = Known.SEEN.value, Known.UNSEEN.value


_UNKNOWN = SnapshotRow(
    id=0,
    line_id=0,
    chat_id=0,
    guid="",
    is_known=_UNSEEN,
    sender=None,
    text=None,
    parts=None,
    service=None,
    is_from_me=0,
    is_audio_message=0,
    reply_to_guid=None,
    effect=None,
    subject=None,
    outbox_id=None,
    sent_at=None,
    synced_at=0,
    delivered_at=None,
    read_at=None,
    failed_at=None,
    error=None,
    edited_at=None,
    unsent_at=None,
)


def chat_row(observation: Observation, *, chat_id: int, line_id: int, now_ms: int) -> ChatRow:
    """Give the chat as the observation shows it.

    Raises:
        ValueError: The observation has no chat.
    """
    chat = observation.chat
    if chat is None:
        raise ValueError(f"an observation of kind {observation.kind} without a chat leaves no chat row")
    key = normalize_chat_key(chat.key, is_group=chat.is_group)
    handle = handle_of(key)
    carries_message = observation.message is not None and observation.kind.startswith("message.")
    is_inbound = carries_message and is_own(observation) is False
    return ChatRow(
        id=chat_id,
        line_id=line_id,
        chat_key=key,
        identifier=handle or chat.provider_id or key,
        service=_service(observation.message, chat) or "",
        name=_chat_name(observation),
        is_group=int(handle is None),
        participants=_participants(chat.participants, handle),
        has_inbound=int(is_inbound),
        last_message_at=_sent_at(observation) if carries_message else None,
        created_at=now_ms,
    )


def fold_chats(rows: Iterable[ChatRow]) -> list[ChatRow]:
    """Fold rows of the same chat into one, as merge_chats would one after the other; first seen first."""
    folded: dict[tuple[int, str], ChatRow] = {}
    for row in rows:
        known = folded.get((row.line_id, row.chat_key))
        folded[row.line_id, row.chat_key] = row if known is None else _fold(known, row)
    return list(folded.values())


def _fold(known: ChatRow, row: ChatRow) -> ChatRow:
    dates = [at for at in (known.last_message_at, row.last_message_at) if at is not None]
    return known._replace(
        service=row.service or known.service,
        name=row.name or known.name,
        participants=known.participants if row.participants == _NO_PARTICIPANTS else row.participants,
        has_inbound=max(known.has_inbound, row.has_inbound),
        last_message_at=max(dates, default=None),
    )


def message_row(
    observation: Observation, *, message_id: int, line: Line, chat_id: int, now_ms: int
) -> SnapshotRow | None:
    """Give the message as the observation shows it; None if the observation is about no message.

    Args:
        chat_id: 0 when the observation does not say in which chat.
    """
    message, kind, at = observation.message, observation.kind, observation.at
    if message is None:
        message = _nothing_but(observation.target)
        if message is None:
            return None
    own, author, parts = is_own(observation), _author(observation), message.parts
    has_failed = message.error is not None or kind == "status.failed"
    is_shown = kind in _SHOWS_MESSAGE or bool(parts)
    # The row may say what the message is only if content, direction and author are all there.
    is_seen = is_shown and own is not None and (own or author is not None)
    sent_at = _sent_at(observation)
    if sent_at is None and is_seen:
        sent_at = at  # it stands in lists from now on; a better date, which is earlier, takes its place
    return SnapshotRow(
        message_id,
        line.id,
        chat_id,
        message.provider_id,
        _SEEN if is_seen else _UNSEEN,
        None if own else author,
        text_of(parts),
        parts_json(parts) if parts and not is_plain(parts) else None,
        _service(message, observation.chat) or ("sms" if kind == "status.downgraded" else None),
        1 if own else 0,
        1 if any([part.type == "audio" for part in parts]) else 0,  # noqa: C419 - half the time for one part
        message.reply_to,
        message.effect,
        message.subject or None,
        outbox_id_of(message.attempt_id) if message.attempt_id is not None else None,
        sent_at,
        now_ms,
        _first(message.delivered_at, at if kind == "status.delivered" else None),
        _first(message.read_at, at if kind == "status.read" else None),
        at if has_failed else None,
        _error_json(observation.error or message.error) if has_failed else None,
        _first(message.edited_at, at if kind == "message.edited" else None),
        _first(message.unsent_at, at if message.unsent_parts or kind == "message.unsent" else None),
    )


def _nothing_but(guid: str | None) -> ObservedMessage | None:
    return ObservedMessage(provider_id=guid) if guid is not None else None


def target_row(
    observation: Observation, *, message_id: int, line: Line, chat_id: int, now_ms: int
) -> SnapshotRow | None:
    """Give a placeholder for the message that a reaction is on, so that the reaction can name its id."""
    if observation.target is None:
        return None
    return _UNKNOWN._replace(
        id=message_id, line_id=line.id, chat_id=chat_id, guid=observation.target, synced_at=now_ms
    )


def reaction_row(
    observation: Observation, *, reaction_id: int, line: Line, now_ms: int
) -> ReactionRow | None:
    """Give the reaction as it stands after the observation; None if it is not about a reaction."""
    if observation.reaction is None or observation.target is None:
        return None
    actor, word = observation.actor, reaction_type(observation)
    is_one_of_many = line.capabilities is not None and REACT_MANY in line.capabilities
    return ReactionRow(
        id=reaction_id,
        line_id=line.id,
        message_guid=observation.target,
        sender=line.handle if actor is None else normalize_handle(actor),
        slot=slot_of(word, part=observation.reaction.part, is_one_of_many=is_one_of_many),
        type=word,
        is_from_me=int(actor is None),
        is_added=int(observation.kind == "reaction.added"),
        sent_at=observation.at,
        synced_at=now_ms,
    )


def _author(observation: Observation) -> str | None:
    """Give who wrote a message that came in: the actor, or the other side of the direct chat."""
    if observation.actor is not None and not observation.kind.startswith(_BY_A_READER):
        return normalize_handle(observation.actor)
    if (chat := observation.chat) is None:
        return None
    return handle_of(normalize_chat_key(chat.key, is_group=chat.is_group))


def _chat_name(observation: Observation) -> str | None:
    renamed = observation.value if observation.kind == "chat.renamed" else None
    return renamed or (observation.chat.name if observation.chat is not None else None) or None


def _sent_at(observation: Observation) -> int | None:
    message = observation.message
    if message is not None and message.sent_at is not None:
        return message.sent_at
    is_new = observation.kind in _SHOWS_MESSAGE or observation.kind == "status.sent"
    return observation.at if is_new else None


def _service(message: ObservedMessage | None, chat: ObservedChat | None) -> str | None:
    """Give the service in lower case, as the wire has it: the message's own beats what its chat says."""
    if message is not None and message.service:
        return message.service.lower()
    return chat.service.lower() if chat is not None and chat.service else None


def _participants(handles: tuple[str, ...], direct: str | None) -> str:
    if direct is not None:
        return msgspec.json.encode((direct,)).decode()
    if not handles:
        return _NO_PARTICIPANTS
    return msgspec.json.encode(list(dict.fromkeys(map(normalize_handle, handles)))).decode()


def is_plain(parts: tuple[Part, ...]) -> bool:
    """Tell whether `text` alone says it all, so that words are not stored twice."""
    return len(parts) == 1 and parts[0].type == "text"


def parts_json(parts: tuple[Part, ...]) -> str:
    """Give the text that is kept of parts."""
    shown = [
        {name: value for name in part.__struct_fields__ if (value := getattr(part, name)) is not None}
        for part in parts
    ]
    return msgspec.json.encode(shown).decode()


def _error_json(error: ObservedError | None) -> str | None:
    return msgspec.json.encode(error).decode() if error is not None else None


def _first(preferred: int | None, otherwise: int | None) -> int | None:
    return otherwise if preferred is None else preferred
