"""Turn a row of chat.db into observations. Pure: the same row gives the same, whenever it is read.

What the row shows is told as a whole; the hub finds out what is new in it. Codes of tapbacks and of what happens in
groups: docs/tables/messages.md of ReagentX/imessage-exporter (facts only).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bridge.chatdb.content import parts_of
from bridge.chatdb.polls import UPDATE, VOTE, is_poll, read_poll
from bridge.chatdb.rows import ChatRow, MessageRow
from bridge.chatdb.summary import Summary, read_summary
from bridge.macos.apple_time import APPLE_EPOCH_MS, clamped_ms, past_ms
from bridge.macos.cards import card_of
from bridge.macos.wire_text import identifier, label
from bridge.quotes import Quote
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    ObservedPoll,
    ObservedReaction,
    Part,
)
from hub.rules.chatkeys import normalize_chat_key

#: `associated_message_type` of a tapback, less 1000 where it is taken away.
_TAPBACKS: Final = {
    2000: "love",
    2001: "like",
    2002: "dislike",
    2003: "laugh",
    2004: "emphasize",
    2005: "question",
    2006: "emoji",
    2007: "sticker",
}
#: A sticker that was put on a message.
_STICKER: Final = 1000
_TAKEN_AWAY: Final = 1000
_MEMBER, _NAME, _CHANGE = 1, 2, 3
#: (`item_type`, `group_action_type`) → what happened.
_HAPPENINGS: Final[dict[tuple[int, int], ObservationKind]] = {
    (_MEMBER, 0): "chat.member_added",
    (_MEMBER, 1): "chat.member_removed",
    (_CHANGE, 0): "chat.left",
    (_CHANGE, 1): "chat.icon",
    (_CHANGE, 2): "chat.icon",
}
_ICON_REMOVED: Final = 2
_MOST_MEMBERS: Final = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A row, and what is known beside it."""

    row: MessageRow
    chat: ChatRow
    line: str
    now_ms: int
    #: What it is of our sends.
    quote: Quote | None = None
    #: The poll that a vote, or an option more, belongs to.
    poll_guid: str | None = None

    @property
    def attempt_id(self) -> str | None:
        """The attempt of ours that made it."""
        return None if self.quote is None else self.quote.attempt_id


class Unusable(Exception):
    """The row says nothing that could be told; the message is the reason, one word."""


def observations_of(seen: Seen) -> tuple[Observation, ...]:
    """Give what a row shows.

    Raises:
        Unusable: Nothing can be told of it.
    """
    row = seen.row
    if row.is_scheduled and not row.is_sent:
        raise Unusable("scheduled")
    if row.associated_type in _TAPBACKS or row.associated_type - _TAKEN_AWAY in _TAPBACKS:
        return (_tapback(seen),)
    if row.associated_type == VOTE or is_poll(row):
        return _poll(seen)
    if row.associated_type >= 1000 and row.associated_type != _STICKER:
        raise Unusable("association")
    if row.item_type:
        return _item(seen)
    return _message(seen)


def chat_of(seen: Seen) -> ObservedChat:
    """Give the conversation as observations name it."""
    chat = seen.chat
    return ObservedChat(
        key=normalize_chat_key(chat.guid, is_group=chat.is_group),
        provider_id=chat.guid,
        is_group=chat.is_group,
        service=label(seen.row.service, most=32),
        name=label(chat.name) if chat.is_group else None,
        participants=tuple(each for each in map(_handle, chat.members) if each)[:_MOST_MEMBERS],
    )


def read_by(seen: Seen, *, read_at: int) -> Observation:
    """Give the read mark of an own message that a later message's mark implies."""
    return _observation(seen, "status.read", read_at, target=seen.row.guid)


#: Votes are spelt without a number.
_PART_MARKS: Final = ("p:", "p/")


def target_of(associated_guid: str | None) -> str | None:
    """Give the message that a tapback is on: `p:0/GUID`, `bp:GUID` and `GUID` name the same."""
    if associated_guid is None:
        return None
    bare = associated_guid.rpartition("/")[2] if associated_guid.startswith(_PART_MARKS) else associated_guid
    return identifier(bare.removeprefix("bp:"))


def part_of(associated_guid: str | None) -> int:
    """Give the part that a tapback is on: the N of `p:N/GUID`; 0 where it is on the whole."""
    number, slash, _ = (associated_guid or "").removeprefix("p:").partition("/")
    is_part = bool(slash) and number.isascii() and number.isdigit() and len(number) < 4
    return int(number) if is_part else 0


def _observation(seen: Seen, kind: ObservationKind, at: int, **fields: Any) -> Observation:
    return Observation(
        v=1, line=seen.line, kind=kind, at=at, observed_at=seen.now_ms, chat=chat_of(seen), **fields
    )


def _actor(seen: Seen) -> str | None:
    if seen.row.is_from_me:
        return None
    other = None if seen.chat.is_group else seen.chat.guid.rpartition(";")[2]
    actor = _handle(seen.row.sender) or _handle(other)
    if actor is None:
        raise Unusable("senderless")
    return actor


def _handle(handle: str | None) -> str | None:
    return identifier(handle, most=320)


# ---- messages


def _message(seen: Seen) -> tuple[Observation, ...]:
    row, now_ms = seen.row, seen.now_ms
    summary = read_summary(row.summary_info, now_ms=now_ms)
    message = _observed_message(seen, summary)
    if not message.parts and not _is_known_to_be_empty(message):
        raise Unusable("empty")
    sent_at = past_ms(row.date, now_ms=now_ms)
    kind = _kind(seen, message)
    actor = _actor(seen)
    told = [_observation(seen, kind, sent_at or now_ms, actor=actor, message=message, error=message.error)]
    if row.is_from_me and row.was_downgraded:
        told.append(_observation(seen, "status.downgraded", sent_at or now_ms, target=row.guid))
    return tuple(told)


def _is_known_to_be_empty(message: ObservedMessage) -> bool:
    return message.unsent_at is not None or bool(message.unsent_parts) or message.error is not None


def _kind(seen: Seen, message: ObservedMessage) -> ObservationKind:
    if not seen.row.is_from_me:
        return "message.received"
    if message.error is not None:
        return "status.failed"
    is_gone = seen.row.is_sent is not False or seen.row.is_delivered or seen.row.date_delivered > 0
    return "message.sent" if is_gone else "message.observed"


def _observed_message(seen: Seen, summary: Summary) -> ObservedMessage:
    row, now_ms, quote = seen.row, seen.now_ms, seen.quote
    # What a group's message shows of receipts is no member's, and not everybody's.
    has_receipts = not (row.is_from_me and seen.chat.is_group)
    edited_at, unsent_at = _edited_at(seen, summary), _unsent_at(seen, summary)
    is_all_unsent = unsent_at is not None and _is_all_unsent(row, summary)
    is_delivered = has_receipts and (row.is_delivered or row.date_delivered > 0)
    return ObservedMessage(
        provider_id=row.guid,
        parts=() if is_all_unsent else parts_of(row, summary),
        is_from_me=row.is_from_me,
        reply_to=row.thread_originator_guid
        or (target_of(row.associated_guid) if row.associated_type == _STICKER else None),
        effect=label(row.effect),
        subject=label(row.subject, most=4096),
        service=label(row.service, most=32),
        attempt_id=seen.attempt_id,
        part=None if quote is None else quote.part,
        part_count=None if quote is None else quote.part_count,
        sent_at=past_ms(row.date, now_ms=now_ms),
        delivered_at=clamped_ms(row.date_delivered, now_ms=now_ms) if is_delivered else None,
        read_at=clamped_ms(row.date_read, now_ms=now_ms) if has_receipts else None,
        edited_at=edited_at,
        unsent_at=unsent_at,
        unsent_parts=() if is_all_unsent else summary.unsent_parts,
        error=_error(row),
    )


def _error(row: MessageRow) -> ObservedError | None:
    """Give the failure, unless the message arrived after all."""
    has_arrived = row.is_delivered or row.date_delivered > 0 or (row.date_read > 0 and row.is_from_me)
    if not row.error or not row.is_from_me or has_arrived:
        return None
    return ObservedError(code=str(row.error), raw=_ERRORS.get(row.error))


#: Meanings that are known: comments and issues of BlueBubbles (index.ts `emitMessageError`, bluebubbles-app #486).
_ERRORS: Final = {4: "the network did not answer in time", 22: "the handle is not on iMessage"}


def _edited_at(seen: Seen, summary: Summary) -> int | None:
    """Give when the words were changed. Taking parts back moves `date_edited`, too: then the history tells."""
    if not summary.is_edited:
        return None
    if summary.unsent_parts:
        return summary.last_edit_at
    return past_ms(seen.row.date_edited, now_ms=seen.now_ms) or summary.last_edit_at


def _unsent_at(seen: Seen, summary: Summary) -> int | None:
    row = seen.row
    if not summary.unsent_parts and not row.date_retracted and not _is_all_unsent(row, summary):
        return None
    dates = (past_ms(each, now_ms=seen.now_ms) for each in (row.date_retracted, row.date_edited, row.date))
    return next((each for each in dates if each is not None), APPLE_EPOCH_MS)


def _is_all_unsent(row: MessageRow, summary: Summary) -> bool:
    return (
        summary.is_all_unsent
        or (row.part_count == 0 and row.date_edited > 0)
        or (row.date_retracted > 0 and not summary.unsent_parts)
    )


# ---- tapbacks, and what happens in groups


def _tapback(seen: Seen) -> Observation:
    row = seen.row
    is_added = row.associated_type in _TAPBACKS
    name = _TAPBACKS[row.associated_type if is_added else row.associated_type - _TAKEN_AWAY]
    target, emoji = target_of(row.associated_guid), label(row.associated_emoji, most=64)
    if target is None or (name == "emoji" and emoji is None):
        raise Unusable("tapback")
    reaction = ObservedReaction(
        type=name,
        provider_id=row.guid,
        emoji=emoji if name == "emoji" else None,
        part=part_of(row.associated_guid),
    )
    kind: ObservationKind = "reaction.added" if is_added else "reaction.removed"
    return _observation(seen, kind, _dated(seen), actor=_actor(seen), target=target, reaction=reaction)


def _poll(seen: Seen) -> tuple[Observation, ...]:
    """Tell a poll, more options of one, or a vote. A poll that cannot be read is a message that says so."""
    row, poll = seen.row, read_poll(seen.row.payload_data)
    is_vote = row.associated_type == VOTE
    if poll is None or is_vote == (poll.choices is None):
        if is_vote:
            raise Unusable("vote")
        return _card(seen, "A poll that cannot be read here")
    name = seen.poll_guid if is_vote or row.associated_type == UPDATE else row.guid
    if name is None:
        raise Unusable("poll")
    shown = ObservedPoll(
        provider_id=name,
        title=poll.title,
        options=poll.options,
        choices=poll.choices or (),
        attempt_id=seen.attempt_id if name == row.guid else None,
    )
    kind: ObservationKind = "poll.voted" if is_vote else "poll.created"
    return (_observation(seen, kind, _dated(seen), actor=_actor(seen), poll=shown),)


def _card(seen: Seen, words: str) -> tuple[Observation, ...]:
    """Tell a row for which there is no kind as a message with a card."""
    row, sent_at = seen.row, _dated(seen)
    message = ObservedMessage(
        provider_id=row.guid,
        parts=(Part(type="card", text=words),),
        is_from_me=row.is_from_me,
        service=label(row.service, most=32),
        attempt_id=seen.attempt_id,
        sent_at=sent_at,
    )
    kind: ObservationKind = "message.sent" if row.is_from_me else "message.received"
    return (_observation(seen, kind, sent_at, actor=_actor(seen), message=message),)


def _item(seen: Seen) -> tuple[Observation, ...]:
    """Tell what happened in a chat."""
    row = seen.row
    code = (row.item_type, row.group_action_type)
    if row.item_type == _NAME or code in _HAPPENINGS:
        return (_happening(seen),)
    if (words := card_of(*code)) is None:
        raise Unusable("item")
    return _card(seen, words)


def _happening(seen: Seen) -> Observation:
    row = seen.row
    if not seen.chat.is_group:
        raise Unusable("item")
    actor = None if row.is_from_me else _handle(row.sender)
    if actor is None and not row.is_from_me and (row.item_type, row.group_action_type) == (_CHANGE, 0):
        raise Unusable("senderless")  # without an actor it would be our line that left
    if row.item_type == _NAME:
        return _observation(
            seen, "chat.renamed", _dated(seen), actor=actor, value=label(row.group_title) or ""
        )
    kind = _HAPPENINGS[row.item_type, row.group_action_type]
    return _observation(seen, kind, _dated(seen), actor=actor, value=_value(seen, kind))


def _value(seen: Seen, kind: ObservationKind) -> str | None:
    row = seen.row
    if kind == "chat.icon":
        return "removed" if row.group_action_type == _ICON_REMOVED else None
    if kind == "chat.left":
        return None
    member = _handle(row.other_handle)
    # Both the same: a member has a new number, and nobody came or went.
    if member is None or member == row.sender:
        raise Unusable("item")
    return member


def _dated(seen: Seen) -> int:
    """Give when it happened. Its date is part of its key, so nonsense is told as the same date each time."""
    return past_ms(seen.row.date, now_ms=seen.now_ms) or APPLE_EPOCH_MS
