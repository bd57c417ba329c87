"""The registry of our event types, and the patterns with which a webhook chooses among them.

A pattern is a whole type (`message.received`), a family (`message.*`) or everything (`*`); nothing between, so
that a subscription can be compiled into a table. Not here: who subscribed (hub.rules.matching).
"""

from dataclasses import dataclass
from typing import Final

from hub.rules.problems import Problem, suggestion

_LONGEST_SHOWN: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class EventType:
    """One kind of fact that Hub tells."""

    name: str
    summary: str
    #: False for what is over before a webhook could arrive; such events are live only.
    is_subscribable: bool = True
    #: Known to the vendor's wire (contracts: messages.dev §6); its SDK refuses every other name.
    is_native: bool = False
    #: Part of `*` and so of every webhook that asked for everything; False for what must be asked for by name.
    is_in_everything: bool = True


#: Alphabetical.
EVENT_TYPES: Final[tuple[EventType, ...]] = (
    EventType(name="bulk.completed", summary="All recipients of a bulk send have been dealt with."),
    EventType(name="chat.assigned", summary="Somebody else takes care of a chat from now on, or nobody."),
    EventType(name="chat.icon_changed", summary="The picture of a group was set, changed or removed."),
    EventType(name="chat.left", summary="The line itself left a group or was removed from it."),
    EventType(name="chat.member_added", summary="Somebody joined a group or was added to it."),
    EventType(name="chat.member_removed", summary="Somebody left a group or was removed from it."),
    EventType(name="chat.renamed", summary="A group was given another name, or none."),
    EventType(
        name="connection.paused",
        summary="A service refuses the credentials of a connection; calls fail until they are mended.",
    ),
    EventType(name="connection.resumed", summary="A connection that was paused is believed again."),
    EventType(
        name="contact.help_requested",
        summary="A contact asked for help with HELP, INFO or the line's own word.",
    ),
    EventType(name="contact.opted_in", summary="A contact may be written to again."),
    EventType(name="contact.opted_out", summary="A contact may not be written to any more."),
    EventType(
        name="line.degraded",
        summary="A line is limited or behaves as networks punish; the reasons are given.",
    ),
    EventType(name="line.offline", summary="A line has lost its network, and stayed so."),
    EventType(name="line.online", summary="A line is well again."),
    EventType(name="line.status_changed", summary="A line came online, went offline or was restricted."),
    EventType(name="message.cancelled", summary="A message was cancelled before it was sent."),
    EventType(name="message.delivered", summary="A message we sent has reached a device of the recipient."),
    EventType(
        name="message.downgraded", summary="A message we sent went over a lesser service, such as SMS."
    ),
    EventType(name="message.edited", summary="The text of a message was changed after it was sent."),
    EventType(
        name="message.failed", summary="A message we were to send will not arrive; the reason is given."
    ),
    EventType(name="message.queued", summary="A message was asked for, and waits to be sent."),
    EventType(name="message.read", summary="The recipient has read a message we sent."),
    EventType(name="message.received", summary="A contact wrote to a line.", is_native=True),
    EventType(name="message.sent", summary="A message from a line has left it.", is_native=True),
    EventType(name="message.unsent", summary="A message was taken back by the person who sent it."),
    EventType(name="poll.created", summary="Somebody asked a chat to vote."),
    EventType(name="poll.voted", summary="Somebody voted, changed the vote or took it back."),
    EventType(name="reaction.added", summary="Somebody reacted to a message.", is_native=True),
    EventType(name="reaction.removed", summary="Somebody took a reaction back.", is_native=True),
    EventType(name="receipt.read", summary="A contact has read the chat up to now.", is_subscribable=False),
    EventType(
        name="source.received",
        summary="A source, such as Stripe, told of something.",
        is_in_everything=False,
    ),
    EventType(name="typing.started", summary="A contact began to type.", is_subscribable=False),
    EventType(name="typing.stopped", summary="A contact stopped typing.", is_subscribable=False),
    EventType(name="webhook.disabled", summary="A webhook was switched off after failing for too long."),
    EventType(name="webhook.test", summary="A person asked for a test delivery to one webhook."),
)

EVENT_TYPES_BY_NAME: Final = {event_type.name: event_type for event_type in EVENT_TYPES}
SUBSCRIBABLE: Final = tuple(event_type.name for event_type in EVENT_TYPES if event_type.is_subscribable)
EVERYTHING: Final = "*"


def _expansions() -> dict[str, tuple[str, ...]]:
    expansions: dict[str, tuple[str, ...]] = {name: (name,) for name in SUBSCRIBABLE}
    for name in SUBSCRIBABLE:
        family = f"{name.partition('.')[0]}.*"
        expansions[family] = (*expansions.get(family, ()), name)
    expansions[EVERYTHING] = tuple(
        event_type.name
        for event_type in EVENT_TYPES
        if event_type.is_subscribable and event_type.is_in_everything
    )
    return expansions


_EXPANSIONS: Final = _expansions()
_LIVE_FAMILIES: Final = frozenset(
    f"{name.partition('.')[0]}.*" for name in EVENT_TYPES_BY_NAME if name not in SUBSCRIBABLE
) - set(_EXPANSIONS)
_CHOICE: Final = "Choose among " + ", ".join(
    (EVERYTHING, *sorted(pattern for pattern in _EXPANSIONS if pattern.endswith(".*")), *SUBSCRIBABLE)
)


def expand_pattern(pattern: str) -> tuple[str, ...]:
    """Return the event types a pattern stands for, in alphabetical order; empty if it is not valid."""
    return _EXPANSIONS.get(pattern, ())


#: What other systems call the same.
_OTHER_NAMES: Final = {
    "inbound": "message.received",
    "incoming": "message.received",
    "message.created": "message.received",
    "message.inbound": "message.received",
    "message.incoming": "message.received",
    "message.new": "message.received",
    "message.outbound": "message.sent",
    "message.reaction": "reaction.added",
    "on_message": "message.received",
}


def validate_pattern(text: str) -> str | Problem:
    """Return the pattern as it is kept, or what is wrong with it.

    Strict about spelling: a pattern that matches nothing would be a webhook that silently never fires.
    """
    if text in _EXPANSIONS:
        return text
    why, fix = _diagnose(text)
    return Problem(pointer="", what=f"{text[:_LONGEST_SHOWN]!r} cannot be subscribed to", why=why, fix=fix)


def _diagnose(text: str) -> tuple[str, str]:
    """Say why a pattern is not valid, and what to write."""
    if text in EVENT_TYPES_BY_NAME or text in _LIVE_FAMILIES:
        return "such events are live only, over before a webhook arrives", _CHOICE
    if f"{text}.*" in _EXPANSIONS:
        return "it is a family of event types, not one of them", f"Write {text}.* for all of them"
    why = "no event type has that name"
    if "*" in text:
        why = "a star stands alone, or for the whole last part as in message.*"
    meant = _OTHER_NAMES.get(text.lower()) or suggestion(text, _EXPANSIONS)
    return why, f"Did you mean {meant}" if meant else _CHOICE
