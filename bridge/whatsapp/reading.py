"""Read Meta's webhooks into the normal form: messages, those of the phone's app, statuses, opt-outs. Pure.

One request holds many things of several numbers; they come in batches, repeatedly, and in any order, for days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridge.taming import handle_in, id_in, list_in, mapping_in, seconds_in, tame
from bridge.unread import Unread, unknown, unused
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
from hub.model.refused import RefusalCode
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
    "signup": "contact.opted_in",
    "stop": "contact.opted_out",
}
#: What apps may subscribe to and a hub has no use for, as far as Meta's list of fields was remembered; another field is
#: of a newer API.
_UNUSED_FIELDS: Final = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_settings_update",
        "account_update",
        "business_capability_update",
        "calls",
        "flows",
        "group_lifecycle_update",
        "group_participants_update",
        "group_settings_update",
        "group_status_update",
        "history",
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "messaging_handovers",
        "partner_solutions",
        "payment_configuration_update",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
        "smb_app_state_sync",
        "standby",
        "template_category_update",
    }
)
#: Fields whose things are read.
_USED_FIELDS: Final = frozenset({"messages", "smb_message_echoes", "user_preferences"})
_LATER: Final = unused("a later status of a reaction")
_OTHER_NUMBER: Final = Unread("of a number that is none of the bridge's lines", RefusalCode.OTHER_LINE)
_TOO_MANY: Final = Unread("more than is read at once", RefusalCode.TOO_LARGE)
#: Types of messages in which nobody wrote anything: numbers that change, chats that are opened.
_NOT_WRITTEN: Final = frozenset({"request_welcome", "system"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """Which line a number is."""

    #: Phone number id → handle.
    lines: Mapping[str, str]
    #: Whether who stops marketing has opted out.
    is_stop_opt_out: bool
    now_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    """What all things of one change share."""

    line: str
    numbers: Numbers
    #: The only person that the change names beside its things.
    person: str | None

    def person_in(self, thing: Mapping[str, Any], *names: str) -> str | None:
        """Give who a thing is about: a number where it is told, else an id of Meta's."""
        named = next((found for name in names if (found := handle_of_wa(thing.get(name)))), None)
        return named or self.person

    def time_of(self, thing: Mapping[str, Any]) -> int:
        """Give when a thing happened; nothing happens after now."""
        return min(seconds_in(thing.get("timestamp"), otherwise=self.numbers.now_ms), self.numbers.now_ms)


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
            passed[_TOO_MANY] += 1
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
        yield from (
            f"Meta tells of an error ({trouble_in(each).detail})" for each in list_in(value.get("errors"))
        )
        things = [(name, each) for name in _READERS for each in list_in(value.get(name))]
        if not things:
            yield _nothing_in(tame(change.get("field"), 64))
        shared = _shared(value, numbers)
        for name, each in things:
            if shared is None:
                yield _OTHER_NUMBER
            else:
                yield _READERS[name](mapping_in(each), shared)


def _nothing_in(name: str | None) -> str:
    why = f"nothing that is used in '{name or 'a change'}'"
    if name is None or name in _USED_FIELDS:
        return why
    return unused(why) if name in _UNUSED_FIELDS else unknown(why)


def _shared(value: Mapping[str, Any], numbers: Numbers) -> _Change | None:
    number_id = id_in(mapping_in(value.get("metadata")).get("phone_number_id"))
    line = numbers.lines.get(number_id or "")
    people = list_in(value.get("contacts"))
    person = mapping_in(people[0]) if len(people) == 1 else {}
    named = handle_of_wa(person.get("wa_id") or person.get("user_id"))
    return None if line is None else _Change(line=line, numbers=numbers, person=named)


def _message(message: Mapping[str, Any], change: _Change) -> tuple[Observation, ...] | str:
    return _said(message, change, change.person_in(message, "from", "from_user_id", "user_id"))


def _echo(message: Mapping[str, Any], change: _Change) -> tuple[Observation, ...] | str:
    """A message that was written in the app on the phone, or on another device of the line's."""
    return _said(message, change, change.person_in(message, "to", "to_user_id"), is_ours=True)


def _said(
    message: Mapping[str, Any], change: _Change, contact: str | None, *, is_ours: bool = False
) -> tuple[Observation, ...] | str:
    wamid, kind = id_in(message.get("id")), tame(message.get("type"), 64) or "unknown"
    if wamid is None or contact is None:
        return "a message without an id or a sender"
    if kind in _NOT_WRITTEN:
        return unused(f"a message of type '{kind}'")
    group = id_in(message.get("group_id"))
    if group is not None and handle_of(group) is not None:
        return "a group that cannot be one"
    place = _Place(change.line, contact, group, change.time_of(message), is_ours)
    if kind == "reaction":
        return _reacted(message, wamid, place)
    if kind in {"edit", "revoke"}:
        return _changed(kind, mapping_in(message.get(kind)), place)
    told = ObservedMessage(
        provider_id=wamid,
        parts=parts_of(message),
        is_from_me=is_ours,
        reply_to=id_in(mapping_in(message.get("context")).get("id")),
        service=SERVICE,
        sent_at=place.at,
    )
    return (place.seen("message.sent" if is_ours else "message.received", message=told),)


def _status(status: Mapping[str, Any], change: _Change) -> tuple[Observation, ...] | str:
    wamid = id_in(status.get("id"))
    contact = change.person_in(status, "recipient_id", "recipient_user_id")
    word = tame(status.get("status"), 32) or ""
    if wamid is None or contact is None:
        return "a status without a message or a recipient"
    if word not in _STATUSES:
        return unknown(f"a status '{word}'")
    if status.get("recipient_type") == "group":
        return unused("a status of a group")
    place = _Place(change.line, contact, None, change.time_of(status), is_ours=True)
    mark = read_mark(tame(status.get("biz_opaque_callback_data"), 512))
    if isinstance(mark, ReactionMark):
        return _own_reaction(mark, wamid, place) if word == "sent" else _LATER
    return _own_status(status, place, change.numbers, wamid=wamid, attempt_id=mark)


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
        part=None if attempt_id is None else 0,
        sent_at=place.at if word == "sent" else None,
        # What is read has arrived, whether we were told or not.
        delivered_at=place.at if is_read or word == "delivered" else None,
        read_at=place.at if is_read else None,
        error=error,
    )
    seen = place.seen(_STATUSES[word], message=message, error=error)
    if error is None or trouble.number != MARKETING_STOPPED or not numbers.is_stop_opt_out:
        return (seen,)
    return (seen, _consent("contact.opted_out", place, wamid, trouble.detail))


def _preference(given: Mapping[str, Any], change: _Change) -> tuple[Observation, ...] | str:
    contact = change.person_in(given, "wa_id", "user_id")
    kind = _PREFERENCES.get(tame(given.get("value"), 32) or "")
    if contact is None or kind is None:
        return unknown("a preference that is not understood")
    if not change.numbers.is_stop_opt_out:
        return unused("a preference about marketing")
    place = _Place(change.line, contact, None, change.time_of(given), is_ours=True)
    return (_consent(kind, place, None, tame(given.get("detail"), 1024) or "at WhatsApp"),)


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
    return (place.seen(kind, target=mark.target, reaction=reaction),)


def _changed(kind: str, content: Mapping[str, Any], place: _Place) -> tuple[Observation, ...] | str:
    target = id_in(content.get("original_message_id"))
    if target is None:
        return f"a message of type '{kind}' that names no other"
    if kind == "revoke":
        taken = ObservedMessage(
            provider_id=target, is_from_me=place.is_ours, service=SERVICE, unsent_at=place.at
        )
        return (place.seen("message.unsent", message=taken),)
    parts = parts_of(mapping_in(content.get("message")))
    edited = ObservedMessage(
        provider_id=target, parts=parts, is_from_me=place.is_ours, service=SERVICE, edited_at=place.at
    )
    return (place.seen("message.edited", message=edited),)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where and when something happened."""

    line: str
    contact: str
    group: str | None
    at: int
    #: Whether our line did it.
    is_ours: bool

    def seen(self, kind: ObservationKind, **fields: Any) -> Observation:
        key = direct_chat_key(self.contact) if self.group is None else self.group
        return Observation(
            v=1,
            line=self.line,
            kind=kind,
            at=self.at,
            chat=ObservedChat(key=key, is_group=self.group is not None, service=SERVICE),
            actor=None if self.is_ours else self.contact,
            **fields,
        )


def _consent(kind: ObservationKind, place: _Place, wamid: str | None, reason: str) -> Observation:
    code = OPTED_OUT if kind == "contact.opted_out" else "opted_in"
    return place.seen(kind, target=wamid, error=ObservedError(code=code, raw=reason[:4096]))


def handle_of_wa(value: object) -> str | None:
    """Give the handle of a WhatsApp id: digits are a number; others name somebody without telling the number."""
    text = handle_in(value)
    if text is None:
        return None
    digits = text.removeprefix("+")
    return f"+{digits}" if digits.isascii() and digits.isdigit() else normalize_handle(text)


_READERS: Final = {
    "message_echoes": _echo,
    "messages": _message,
    "statuses": _status,
    "user_preferences": _preference,
}
