"""Read Meta's webhooks into the normal form: messages, statuses, and what contacts say of marketing. Pure.

One request holds many things of several numbers; they come in batches, repeatedly, and in any order, for days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridge.taming import handle_in, id_in, list_in, mapping_in, seconds_in, tame
from bridge.whatsapp.content import parts_of
from bridge.whatsapp.errors import MARKETING_STOPPED, trouble_in
from bridge.whatsapp.marks import ReactionMark, read_mark
from hub.flow.opt_outs import OPTED_OUT
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    ObservedReaction,
)
from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_handle

SERVICE: Final = "WhatsApp"
#: Of one request; Meta sends at most a thousand changes.
MOST_OBSERVATIONS: Final = 3_000
_STATUSES: Final[dict[str, ObservationKind]] = {
    "delivered": "status.delivered",
    "failed": "status.failed",
    "played": "status.read",
    "read": "status.read",
    "sent": "status.sent",
}
_PREFERENCES: Final[dict[str, ObservationKind]] = {
    "resume": "contact.opted_in",
    "stop": "contact.opted_out",
}
#: Types of messages that change another one, or say nothing that anybody wrote.
_NOT_WRITTEN: Final = frozenset({"system"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """Which line a number is."""

    #: Phone number id → handle.
    lines: Mapping[str, str]
    #: Whether who stops marketing has opted out.
    is_stop_opt_out: bool
    now_ms: int


@dataclass(frozen=True, slots=True)
class Read:
    """What a request tells, and what of it was passed over, by reason."""

    observations: tuple[Observation, ...]
    passed_over: Mapping[str, int]


def read_hook(body: Mapping[str, Any], numbers: Numbers) -> Read:
    """Read a request."""
    seen: list[Observation] = []
    passed: Counter[str] = Counter()
    for found in _all(body, numbers):
        if len(seen) >= MOST_OBSERVATIONS:
            passed["more than is read at once"] += 1
        elif isinstance(found, str):
            passed[found] += 1
        else:
            seen += found
    return Read(tuple(seen), passed)


def _all(body: Mapping[str, Any], numbers: Numbers) -> Iterator[tuple[Observation, ...] | str]:
    for change in (
        mapping_in(each)
        for entry in list_in(body.get("entry"))
        for each in list_in(mapping_in(entry).get("changes"))
    ):
        value = mapping_in(change.get("value"))
        number_id = id_in(mapping_in(value.get("metadata")).get("phone_number_id"))
        line = numbers.lines.get(number_id or "")
        things = [(name, each) for name in _READERS for each in list_in(value.get(name))]
        if not things:
            yield f"nothing that is used in '{tame(change.get('field'), 64) or 'a change'}'"
        for name, each in things:
            if line is None:
                yield "of a number that is none of the bridge's lines"
            else:
                yield _READERS[name](mapping_in(each), line, numbers)


def _message(message: Mapping[str, Any], line: str, numbers: Numbers) -> tuple[Observation, ...] | str:
    wamid, contact = id_in(message.get("id")), handle_of_wa(message.get("from") or message.get("user_id"))
    kind = tame(message.get("type"), 64) or "unknown"
    if wamid is None or contact is None:
        return "a message without an id or a sender"
    if kind in _NOT_WRITTEN:
        return f"a message of type '{kind}'"
    at = min(seconds_in(message.get("timestamp"), otherwise=numbers.now_ms), numbers.now_ms)
    group = id_in(message.get("group_id"))
    if group is not None and handle_of(group) is not None:
        return "a group that cannot be one"
    place = _Place(line, contact, group, at)
    if kind == "reaction":
        return _reacted(message, wamid, place)
    if kind in {"edit", "revoke"}:
        return _changed(kind, mapping_in(message.get(kind)), place)
    told = ObservedMessage(
        provider_id=wamid,
        parts=parts_of(message),
        is_from_me=False,
        reply_to=id_in(mapping_in(message.get("context")).get("id")),
        service=SERVICE,
        sent_at=at,
    )
    return (place.seen("message.received", message=told),)


def _status(status: Mapping[str, Any], line: str, numbers: Numbers) -> tuple[Observation, ...] | str:
    wamid, contact = id_in(status.get("id")), handle_of_wa(status.get("recipient_id"))
    word = tame(status.get("status"), 32) or ""
    if wamid is None or contact is None:
        return "a status without a message or a recipient"
    if word not in _STATUSES:
        return f"a status '{word}'"
    if status.get("recipient_type") == "group":
        return "a status of a group"
    at = min(seconds_in(status.get("timestamp"), otherwise=numbers.now_ms), numbers.now_ms)
    place = _Place(line, contact, None, at)
    mark = read_mark(tame(status.get("biz_opaque_callback_data"), 512))
    if isinstance(mark, ReactionMark):
        return _own_reaction(mark, wamid, place) if word == "sent" else "a later status of a reaction"
    return _own_status(status, place, numbers, wamid=wamid, attempt_id=mark)


def _own_status(
    status: Mapping[str, Any], place: _Place, numbers: Numbers, *, wamid: str, attempt_id: str | None
) -> tuple[Observation, ...]:
    word = str(status.get("status"))
    error = None
    trouble = trouble_in(next(iter(list_in(status.get("errors"))), None))
    if word == "failed":
        error = trouble.observed(is_opt_out=numbers.is_stop_opt_out)
    is_read = word in {"played", "read"}
    message = ObservedMessage(
        provider_id=wamid,
        is_from_me=True,
        service=SERVICE,
        attempt_id=attempt_id,
        sent_at=place.at if word == "sent" else None,
        # What is read has arrived, whether we were told or not.
        delivered_at=place.at if is_read or word == "delivered" else None,
        read_at=place.at if is_read else None,
        error=error,
    )
    seen = place.seen(_STATUSES[word], is_ours=True, message=message, error=error)
    if error is None or trouble.number != MARKETING_STOPPED or not numbers.is_stop_opt_out:
        return (seen,)
    return (seen, _consent("contact.opted_out", place, wamid, trouble.detail))


def _preference(given: Mapping[str, Any], line: str, numbers: Numbers) -> tuple[Observation, ...] | str:
    contact = handle_of_wa(given.get("wa_id") or given.get("user_id"))
    kind = _PREFERENCES.get(tame(given.get("value"), 32) or "")
    if contact is None or kind is None:
        return "a preference that is not understood"
    if not numbers.is_stop_opt_out:
        return "a preference about marketing"
    at = min(seconds_in(given.get("timestamp"), otherwise=numbers.now_ms), numbers.now_ms)
    return (
        _consent(
            kind, _Place(line, contact, None, at), None, tame(given.get("detail"), 1024) or "at WhatsApp"
        ),
    )


def _reacted(message: Mapping[str, Any], wamid: str, place: _Place) -> tuple[Observation, ...] | str:
    """A contact has one reaction on a message: a new one takes the place of the old, nothing takes it away."""
    content = mapping_in(message.get("reaction"))
    target, emoji = id_in(content.get("message_id")), tame(content.get("emoji"), 64)
    if target is None:
        return "a reaction to nothing"
    reaction = ObservedReaction(type="emoji", emoji=emoji, provider_id=wamid)
    kind: ObservationKind = "reaction.added" if emoji else "reaction.removed"
    return (place.seen(kind, target=target, reaction=reaction),)


def _own_reaction(mark: ReactionMark, wamid: str, place: _Place) -> tuple[Observation, ...]:
    reaction = ObservedReaction(type=mark.type, emoji=tame(mark.emoji, 64), provider_id=wamid)
    kind: ObservationKind = "reaction.removed" if mark.is_removed else "reaction.added"
    return (place.seen(kind, is_ours=True, target=mark.target, reaction=reaction),)


def _changed(kind: str, content: Mapping[str, Any], place: _Place) -> tuple[Observation, ...] | str:
    target = id_in(content.get("original_message_id"))
    if target is None:
        return f"a message of type '{kind}' that names no other"
    if kind == "revoke":
        taken = ObservedMessage(provider_id=target, is_from_me=False, service=SERVICE, unsent_at=place.at)
        return (place.seen("message.unsent", message=taken),)
    parts = parts_of(mapping_in(content.get("message")))
    edited = ObservedMessage(
        provider_id=target, parts=parts, is_from_me=False, service=SERVICE, edited_at=place.at
    )
    return (place.seen("message.edited", message=edited),)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where and when something happened."""

    line: str
    contact: str
    group: str | None
    at: int

    def seen(self, kind: ObservationKind, *, is_ours: bool = False, **fields: Any) -> Observation:
        key = direct_chat_key(self.contact) if self.group is None else self.group
        return Observation(
            v=1,
            line=self.line,
            kind=kind,
            at=self.at,
            chat=ObservedChat(key=key, is_group=self.group is not None, service=SERVICE),
            actor=None if is_ours else self.contact,
            **fields,
        )


def _consent(kind: ObservationKind, place: _Place, wamid: str | None, reason: str) -> Observation:
    code = OPTED_OUT if kind == "contact.opted_out" else "opted_in"
    return place.seen(kind, is_ours=True, target=wamid, error=ObservedError(code=code, raw=reason[:4096]))


def handle_of_wa(value: object) -> str | None:
    """Give the handle of a WhatsApp id: digits are a number; others name somebody without telling the number."""
    text = handle_in(value)
    if text is None:
        return None
    digits = text.removeprefix("+")
    return f"+{digits}" if digits.isascii() and digits.isdigit() else normalize_handle(text)


_READERS: Final = {"messages": _message, "statuses": _status, "user_preferences": _preference}
