"""Read the facts out of an observation, each under a key that is the same whoever tells it, and whenever.

An observation is a snapshot. Bridges repeat, reorder, re-fire and mislabel, so an event is never "something
came in": it is a claim with a dedupe key, and the store keeps the first of each key. The keys of a set of
observations are the union of the keys of each, whatever the order or the number of repetitions.
Not here: what state the facts leave behind (hub.flow.snapshots) and how an event looks (hub.flow.payloads).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from hub.model.observation import Observation, ObservedMessage, Part
from hub.model.outbox import outbox_id_of
from hub.rules.chatkeys import normalize_chat_key, normalize_handle

#: Every type of event that can follow from an observation.
FACT_TYPES: Final = (
    "message.received",
    "message.sent",
    "message.delivered",
    "message.read",
    "message.failed",
    "message.downgraded",
    "message.edited",
    "message.unsent",
    "reaction.added",
    "reaction.removed",
    "chat.renamed",
    "chat.member_added",
    "chat.member_removed",
    "chat.left",
    "chat.icon_changed",
    "poll.created",
    "poll.voted",
    "line.status_changed",
)

_CREATES: Final = frozenset({"message.received", "message.sent", "status.sent"})
_OF_OWN_MESSAGES: Final = frozenset(
    {"message.sent", "status.sent", "status.delivered", "status.read", "status.failed", "status.downgraded"}
)
#: Kinds whose actor is the message's author.
_BY_THE_AUTHOR: Final = frozenset({"message.edited", "message.unsent"})


class Fact(NamedTuple):
    """One thing that happened."""

    #: The event type.
    type: str
    #: BLAKE2b-128 of `{line id}:{guid}:{kind}:{mark}`.
    dedupe_key: bytes
    #: By the network's clock, Unix ms.
    occurred_at: int


def facts_of(observation: Observation, line_id: int) -> tuple[Fact, ...]:
    """Give the facts that one observation shows; none for what is not kept (typing) or claims nothing new.

    No claim disappears when the snapshot says more: a partial snapshot yields a subset of the whole one's.
    """
    reader = _READERS.get(observation.kind)
    return () if reader is None else reader(observation, line_id)


def is_own(observation: Observation) -> bool | None:
    """Tell whether the message observed is one that our line sent; None if the observation does not say.

    An attempt id that we gave out is proof: some networks first show an own message as if it had come in.
    """
    message = observation.message
    if message is not None:
        said = message.is_from_me
        if (
            said is not True
            and message.attempt_id is not None
            and outbox_id_of(message.attempt_id) is not None
        ):
            return True
        if said is not None:
            return said
    if observation.kind in _OF_OWN_MESSAGES:
        return True
    if observation.kind == "message.received":
        return False
    return observation.actor is None if observation.kind in _BY_THE_AUTHOR else None


def guid_of(observation: Observation) -> str | None:
    """Give the network's id of the message that the observation is about."""
    return observation.message.provider_id if observation.message is not None else observation.target


def text_of(parts: Sequence[Part]) -> str | None:
    """Join a message's words, for a bare link its address; None for a message without any."""
    words = [part.text for part in parts if part.type == "text" and part.text]
    if not words:
        words = [text for part in parts if part.type == "link" and (text := part.text or part.url)]
    return "\n".join(words) or None


def reaction_type(observation: Observation) -> str:
    """Give a reaction's type as the wire shows it: one of the six names, or the emoji itself."""
    reaction = observation.reaction
    if reaction is None:
        raise ValueError(f"an observation of kind {observation.kind} has no reaction: validate() it first")
    return reaction.emoji if reaction.type == "emoji" and reaction.emoji else reaction.type


def receipt_key(line_id: int, guid: str, kind: str, *, member: str = "") -> bytes:
    """Give the dedupe key of a receipt (`delivered`, `read`, `failed`, `downgraded`), to look for its event.

    Args:
        line_id: The message's line.
        guid: The message's.
        kind: Which receipt.
        member: Whose, in a group; empty for that of the message as a whole.
    """
    return dedupe_key(f"{line_id}:{guid}:", f"{kind}:{member}")


def dedupe_key(scope: str, claim: str) -> bytes:
    """Key a claim: the scope is `{line id}:{guid}:`, the claim `{kind}:{mark}`."""
    return blake2b((scope + claim).encode(), digest_size=16).digest()


def _fact(event_type: str, scope: str, claim: str, at: int) -> Fact:
    return Fact(event_type, dedupe_key(scope, claim), at)


def _message_facts(observation: Observation, line_id: int) -> tuple[Fact, ...]:
    guid = guid_of(observation)
    if guid is None:
        return ()
    scope = f"{line_id}:{guid}:"
    message, own = observation.message, is_own(observation)
    facts: list[Fact] = []
    if observation.kind in _CREATES:
        # One key for both directions: a message whose direction flips is still one message.
        sent_at = message.sent_at if message is not None else None
        at = observation.at if sent_at is None else sent_at
        facts.append(_fact("message.sent" if own else "message.received", scope, "created:", at))
    if own:
        delivered_at, read_at = (
            (message.delivered_at, message.read_at) if message is not None else (None, None)
        )
        facts += _receipts(observation, scope, "delivered", delivered_at)
        facts += _receipts(observation, scope, "read", read_at)
        facts += _receipts(
            observation, scope, "failed", observation.at if message and message.error else None
        )
        facts += _receipts(observation, scope, "downgraded", None)
    if message is not None:
        facts += _changes(observation, message, scope)
    return tuple(facts)


def _receipts(observation: Observation, scope: str, kind: str, dated: int | None) -> list[Fact]:
    """Claim a receipt by the observation's kind, by a date in its message, or by both.

    The date is not in the key: a webhook and a poll date the same receipt differently, and each happens once.
    In a group each member has one, next to that of the message as a whole.
    """
    event_type, facts = "message." + kind, []
    member = ""
    is_claimed = observation.kind == "status." + kind
    if is_claimed:
        in_group = observation.chat is not None and observation.chat.is_group
        member = normalize_handle(observation.actor) if in_group and observation.actor else ""
        at = observation.at if dated is None else dated
        facts.append(_fact(event_type, scope, f"{kind}:{member}", at))
    if dated is not None and (member or not is_claimed):
        facts.append(_fact(event_type, scope, kind + ":", dated))
    return facts


def _changes(observation: Observation, message: ObservedMessage, scope: str) -> list[Fact]:
    facts = []
    if (edited_at := message.edited_at) is not None:
        facts.append(_fact("message.edited", scope, f"edited:{edited_at}", edited_at))
    elif observation.kind == "message.edited":
        words = (text_of(message.parts) or "").encode()
        mark = blake2b(words, digest_size=8).hexdigest()
        facts.append(_fact("message.edited", scope, f"edited:{mark}", observation.at))
    if message.unsent_at is not None or message.unsent_parts or observation.kind == "message.unsent":
        mark = ",".join(map(str, sorted(set(message.unsent_parts))))
        at = observation.at if message.unsent_at is None else message.unsent_at
        facts.append(_fact("message.unsent", scope, f"unsent:{mark}", at))
    return facts


def _reaction_facts(observation: Observation, line_id: int) -> tuple[Fact, ...]:
    reaction, kind, at = observation.reaction, observation.kind, observation.at
    if reaction is None or observation.target is None:
        return ()
    if reaction.provider_id is not None:
        return (_fact(kind, f"{line_id}:{reaction.provider_id}:", kind + ":", at),)
    actor = normalize_handle(observation.actor) if observation.actor else ""
    claim = f"{kind}:{actor}:{reaction_type(observation)}:{at}"
    return (_fact(kind, f"{line_id}:{observation.target}:", claim, at),)


def _chat_facts(observation: Observation, line_id: int) -> tuple[Fact, ...]:
    chat, kind, at = observation.chat, observation.kind, observation.at
    if chat is None:
        return ()
    scope = f"{line_id}:{normalize_chat_key(chat.key, is_group=chat.is_group)}:"
    value = observation.value or ""
    if kind.startswith("chat.member_"):
        value = normalize_handle(value)
    elif kind == "chat.left":
        value = normalize_handle(observation.actor or value)
    return (_fact(_CHAT_TYPES[kind], scope, f"{kind}:{value}@{at}", at),)


def _poll_facts(observation: Observation, line_id: int) -> tuple[Fact, ...]:
    """A poll is made once; a vote is what one voter has chosen since a date."""
    poll, kind, at = observation.poll, observation.kind, observation.at
    if poll is None:
        return ()
    scope = f"{line_id}:{poll.provider_id}:"
    if kind == "poll.created":
        return (_fact(kind, scope, "poll.created:", at),)
    voter = normalize_handle(observation.actor) if observation.actor else ""
    return (_fact(kind, scope, f"poll.voted:{voter}:{','.join(sorted(set(poll.choices)))}@{at}", at),)


def _line_facts(observation: Observation, line_id: int) -> tuple[Fact, ...]:
    claim = f"line.status:{observation.value or ''}@{observation.at}"
    return (_fact("line.status_changed", f"{line_id}::", claim, observation.at),)


_CHAT_TYPES: Final = {
    "chat.icon": "chat.icon_changed",
    "chat.left": "chat.left",
    "chat.member_added": "chat.member_added",
    "chat.member_removed": "chat.member_removed",
    "chat.renamed": "chat.renamed",
}

#: Kinds that are absent (typing) are never kept.
_READERS: Final[dict[str, Callable[[Observation, int], tuple[Fact, ...]]]] = {
    **dict.fromkeys(_CHAT_TYPES, _chat_facts),
    **dict.fromkeys(sorted(_OF_OWN_MESSAGES | _BY_THE_AUTHOR), _message_facts),
    "line.status": _line_facts,
    "message.observed": _message_facts,
    "message.received": _message_facts,
    "poll.created": _poll_facts,
    "poll.voted": _poll_facts,
    "reaction.added": _reaction_facts,
    "reaction.removed": _reaction_facts,
}
