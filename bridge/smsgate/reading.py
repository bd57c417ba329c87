"""Read what the phone tells, by webhook and in lists, into the normal form. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bridge.smsgate.ids import attempt_id_in
from bridge.taming import date_in, handle_in, id_in, list_in, mapping_in, tame
from bridge.unread import unknown, unused
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    Part,
)
from hub.rules.chatkeys import direct_chat_key, normalize_handle

MOST_FILES: Final = 32
#: What a failure's words mean, as far as they tell (names of Android's results, from memory).
_FAILURES: Final = {
    "LIMIT_EXCEEDED": "rate_limited",
    "NO_SERVICE": "no_service",
    "RADIO_OFF": "radio_off",
    "SHORT_CODE_NOT_ALLOWED": "not_allowed",
    "SHORT_CODE_NEVER_ALLOWED": "not_allowed",
    "TTL expired": "expired",
}
#: Webhook of an own message → its state.
STATES: Final = {
    "sms:cancelled": "Cancelled",
    "sms:delivered": "Delivered",
    "sms:failed": "Failed",
    "sms:sent": "Sent",
}
#: State of an own message → what we claim of it.
_KINDS: Final[dict[str, ObservationKind]] = {
    "Cancelled": "status.failed",
    "Delivered": "status.delivered",
    "Failed": "status.failed",
    "Pending": "message.observed",
    "Processed": "message.observed",
    "Sent": "status.sent",
}
#: What the phone is asked to tell.
EVENTS: Final = ("mms:downloaded", "sms:delivered", "sms:failed", "sms:received", "sms:sent")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sims:
    """Which line is whose."""

    #: Handles of the bridge's lines.
    lines: Sequence[str]
    #: Handle → SIM, where that was said.
    numbers: Mapping[str, int]

    def sim_of(self, line: str) -> int | None:
        """Give the SIM of a line, where that was said."""
        return next((sim for handle, sim in self.numbers.items() if normalize_handle(handle) == line), None)

    def line_of(self, sim: object, own_number: str | None = None) -> str | None:
        """Give the line of a SIM, of a number, or the only one; None if that is open."""
        for handle, number in self.numbers.items():
            if number == sim and not isinstance(sim, bool):
                return normalize_handle(handle)
        mine = [line for line in self.lines if own_number and normalize_handle(own_number) == line]
        if mine:
            return mine[0]
        return self.lines[0] if len(self.lines) == 1 else None


def read_event(body: Mapping[str, Any], sims: Sims, *, now_ms: int) -> tuple[Observation, ...] | str:
    """Read one webhook; a text that says why it tells nothing."""
    event, payload = tame(body.get("event"), 64) or "", mapping_in(body.get("payload"))
    if event == "system:ping":
        return unused("the phone says that it is there")
    reader = _READERS.get(event)
    if reader is None:
        why = f"this kind of event is not used ({event or 'none'})"
        return unused(why) if event in _UNUSED else unknown(why)
    line = sims.line_of(payload.get("simNumber"), handle_in(payload.get(_OWN_NUMBER[event])))
    if line is None:
        return "it does not say by which SIM, and the bridge has several lines: set `sims`"
    return reader(event, payload, line, now_ms)


def read_listed(
    message: Mapping[str, Any], sims: Sims, *, now_ms: int, sent_by: str | None = None
) -> tuple[Observation, ...] | str:
    """Read one message of the phone's list; nothing for one that the hub did not ask for, a text for what it lacks.

    Args:
        message: As listed.
        sims: Which line is whose.
        now_ms: Unix ms.
        sent_by: The line, where it is remembered: the list does not tell the SIM.
    """
    recipient = mapping_in(next(iter(list_in(message.get("recipients"))), None))
    own_id, state = id_in(message.get("id")), str(message.get("state"))
    attempt_id = attempt_id_in(own_id or "")
    contact, line = handle_in(recipient.get("phoneNumber")), sent_by or sims.line_of(message.get("simNumber"))
    if own_id is None:
        return "it names no message"
    if attempt_id is None or line is None:
        return ()  # after a restart nobody knows the SIM: webhooks tell it
    if contact is None:
        return "it names nobody"
    if state not in _KINDS:
        return unknown(f"this state of a message is not known ({state[:32]})")
    at = date_in(mapping_in(message.get("states")).get(state)) or now_ms
    own = _Own(own_id, attempt_id, contact, state, min(at, now_ms), tame(recipient.get("error"), 1024))
    return (_own(own, line),)


@dataclass(frozen=True, slots=True)
class _Own:
    """How an own message stands."""

    id: str
    attempt_id: str
    contact: str
    state: str
    at: int
    reason: str | None


def _read_own(
    event: str, payload: Mapping[str, Any], line: str, now_ms: int
) -> tuple[Observation, ...] | str:
    own_id = id_in(payload.get("messageId"))
    contact = handle_in(payload.get("recipient")) or handle_in(payload.get("phoneNumber"))
    if own_id is None or contact is None:
        return "it names no message, or nobody"
    attempt_id, state = attempt_id_in(own_id), STATES[event]
    if attempt_id is None:
        return unused("the message is one that another program sent")
    dated = (payload.get(name) for name in ("deliveredAt", "failedAt", "cancelledAt", "sentAt"))
    at = next((found for each in dated if (found := date_in(each)) is not None), now_ms)
    own = _Own(own_id, attempt_id, contact, state, min(at, now_ms), tame(payload.get("reason"), 1024))
    return (_own(own, line),)


def _own(own: _Own, line: str) -> Observation:
    kind = _KINDS[own.state]
    error = ObservedError(code=_code(own), raw=own.reason) if kind == "status.failed" else None
    message = ObservedMessage(
        provider_id=own.id,
        is_from_me=True,
        service="SMS",
        attempt_id=own.attempt_id,
        part=0,
        delivered_at=own.at if own.state == "Delivered" else None,
        error=error,
    )
    chat = ObservedChat(key=direct_chat_key(own.contact), service="SMS")
    return Observation(v=1, line=line, kind=kind, at=own.at, chat=chat, message=message, error=error)


def _code(own: _Own) -> str:
    if own.state == "Cancelled":
        return "canceled"
    return next((code for words, code in _FAILURES.items() if words in (own.reason or "")), "send_failed")


def _read_sms(
    event: str, payload: Mapping[str, Any], line: str, now_ms: int
) -> tuple[Observation, ...] | str:
    text = tame(payload.get("message"))
    return _received(payload, line, (Part(type="text", text=text),) if text else (), now_ms)


def _read_mms(
    event: str, payload: Mapping[str, Any], line: str, now_ms: int
) -> tuple[Observation, ...] | str:
    text, message_id = tame(payload.get("body")), id_in(payload.get("messageId"))
    files = list_in(payload.get("attachments"))[:MOST_FILES]
    found = [part for each in files if (part := _file(message_id or "", mapping_in(each))) is not None]
    words = (Part(type="text", text=text),) if text else ()
    return _received(payload, line, (*words, *found), now_ms, service="MMS")


def _received(
    payload: Mapping[str, Any], line: str, parts: tuple[Part, ...], now_ms: int, *, service: str = "SMS"
) -> tuple[Observation, ...] | str:
    known_as, at = id_in(payload.get("messageId")), date_in(payload.get("receivedAt"))
    contact = handle_in(payload.get("sender")) or handle_in(payload.get("phoneNumber"))
    if known_as is None or contact is None:
        return "it names no message, or nobody"
    # The phone's id is a short hash of the message: beside the date, two messages cannot meet in one.
    guid = known_as if at is None else f"{known_as[:480]}.{at // 1000}"
    at = now_ms if at is None else min(at, now_ms)
    message = ObservedMessage(
        provider_id=guid,
        parts=parts,
        is_from_me=False,
        service=service,
        subject=tame(payload.get("subject"), 4096),
        sent_at=at,
    )
    seen = Observation(
        v=1,
        line=line,
        kind="message.received",
        at=at,
        chat=ObservedChat(key=direct_chat_key(contact), service=service),
        actor=normalize_handle(contact),
        message=message,
    )
    return (seen,)


def _file(message_id: str, given: Mapping[str, Any]) -> Part | None:
    """Name a file by where the phone has it. SMIL only says how to lay out the others."""
    part_id, mime_type = tame(given.get("partId"), 20), tame(given.get("contentType"), 255)
    if not part_id or not part_id.isdigit() or mime_type == "application/smil" or len(message_id) > 400:
        return None
    size = given.get("size")
    return Part(
        type="audio" if mime_type and mime_type.startswith("audio/") else "attachment",
        ref=f"{message_id}/{part_id}",
        filename=tame(given.get("name"), 1024),
        mime_type=mime_type,
        size=size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else None,
    )


_Reader = Callable[[str, Mapping[str, Any], str, int], tuple[Observation, ...] | str]
_READERS: Final[dict[str, _Reader]] = {
    "mms:downloaded": _read_mms,
    "sms:cancelled": _read_own,
    "sms:delivered": _read_own,
    "sms:failed": _read_own,
    "sms:received": _read_sms,
    "sms:sent": _read_own,
}
#: The text of an MMS comes with its files (`mms:downloaded`); data messages are for programs.
_UNUSED: Final = frozenset({"mms:received", "sms:data-received"})
#: Which field of an event is the number of our SIM.
_OWN_NUMBER: Final = {event: "sender" if event in STATES else "recipient" for event in _READERS}
