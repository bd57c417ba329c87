"""Say why an observation cannot be taken in: its kind needs more, or no store can hold its text.

The shape (types, lengths, unknown members) was checked when the JSON was decoded into hub.model.observation;
this is what a type cannot say. Each refusal names the field as the bridge wrote it, so that its author can
mend it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from hub.model.observation import Observation

#: How far a network's clock may run ahead of ours. Further, and a wrong date would win every comparison.
FUTURE_TOLERANCE_MS: Final = 24 * 60 * 60 * 1000

LINE_STATES: Final = ("degraded", "offline", "online")

#: For each kind the members it needs; of a group, one is enough.
NEEDED: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "message.observed": (("message",),),
    "message.received": (("chat",), ("message",)),
    "message.sent": (("chat",), ("message",)),
    "message.edited": (("message",),),
    "message.unsent": (("message",),),
    "status.sent": (("chat",), ("message", "target")),
    "status.delivered": (("message", "target"),),
    "status.read": (("message", "target"),),
    "status.failed": (("message", "target"),),
    "status.downgraded": (("message", "target"),),
    "reaction.added": (("chat",), ("target",), ("reaction",)),
    "reaction.removed": (("chat",), ("target",), ("reaction",)),
    "typing.started": (("chat",),),
    "typing.stopped": (("chat",),),
    "chat.renamed": (("chat",), ("value",)),
    "chat.member_added": (("chat",), ("value",)),
    "chat.member_removed": (("chat",), ("value",)),
    "chat.left": (("chat",),),
    "chat.icon": (("chat",),),
    "contact.opted_in": (("chat",),),
    "contact.opted_out": (("chat",),),
    "poll.created": (("chat",), ("poll",)),
    "poll.voted": (("poll",),),
    "line.status": (("value",),),
}

_DATES: Final = ("sent_at", "delivered_at", "read_at", "edited_at", "unsent_at")


class Refusal(NamedTuple):
    """Why one observation is refused."""

    #: Path of the field, for example `message.parts[0].text`.
    path: str
    why: str


def validate(observation: Observation, *, now_ms: int) -> Refusal | None:
    """Give the first reason to refuse an observation, or None when it can be taken in."""
    return (
        _missing_member(observation)
        or _contradiction(observation)
        or _future_date(observation, now_ms + FUTURE_TOLERANCE_MS)
        or _unstorable_text(observation)
    )


def _missing_member(observation: Observation) -> Refusal | None:
    for group in NEEDED[observation.kind]:
        for name in group:
            if getattr(observation, name) is not None:
                break
        else:
            return Refusal(group[0], f"'{observation.kind}' needs {' or '.join(map(repr, group))}.")
    return None


def _contradiction(observation: Observation) -> Refusal | None:
    kind, chat, message = observation.kind, observation.chat, observation.message
    if kind == "line.status" and observation.value not in LINE_STATES:
        return Refusal("value", f"A line's status is one of {', '.join(LINE_STATES)}.")
    if message is not None and observation.target not in {None, message.provider_id} and "status." in kind:
        return Refusal("target", "'target' and 'message.provider_id' name two messages; give one of them.")
    if chat is None or not chat.is_group:
        return None
    if chat.key.startswith("dm:"):
        return Refusal("chat.key", "'dm:' names a direct chat, but 'is_group' is true.")
    if kind == "message.received" and observation.actor is None and not (message and message.is_from_me):
        return Refusal("actor", "In a group, 'message.received' needs 'actor': who wrote it.")
    return None


def _future_date(observation: Observation, latest: int) -> Refusal | None:
    if observation.at > latest:
        return Refusal("at", _FUTURE)
    if (message := observation.message) is not None:
        for name in _DATES:
            if (getattr(message, name) or 0) > latest:
                return Refusal("message." + name, _FUTURE)
    return None


_FUTURE: Final = (
    "The date is more than a day in the future; give Unix milliseconds (not micro- or nanoseconds), "
    "and leave out what the network dates absurdly."
)


def _unstorable_text(observation: Observation) -> Refusal | None:
    try:
        if rb"\u0000" not in msgspec.json.encode(observation):
            return None
    except UnicodeEncodeError:
        pass  # a lone surrogate; the walk finds where
    for path, text in _texts(observation, ""):
        if "\0" in text:
            return Refusal(path, "The text holds a NUL character (U+0000), which cannot be stored.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            return Refusal(path, "The text holds half of a surrogate pair; send well-formed Unicode.")
    return None  # an escaped backslash before `u0000` looked like a NUL


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _texts(each, f"{path}[{index}]")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name), f"{path}.{name}" if path else name)
