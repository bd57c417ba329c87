"""Read what Twilio tells, forms of its webhooks and messages of its API, into the normal form. Pure.

A message is told as it stands: repeats, and statuses in any order, claim nothing twice (hub.rules.facts). Webhooks
carry no date, so theirs is when they came; the API has the dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bridge.taming import date_in, handle_in, id_in, tame
from bridge.twilio.errors import number_in, observed_error
from bridge.unread import unknown
from hub.flow.opt_outs import OPTED_OUT
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    Part,
)
from hub.model.outbox import outbox_id_of
from hub.rules.chatkeys import direct_chat_key, normalize_handle

MOST_FILES: Final = 10
#: What Twilio says of an own message → what we claim of it. What is on its way claims only that Twilio has it.
STATUSES: Final[dict[str, ObservationKind]] = {
    "accepted": "message.observed",
    "canceled": "status.failed",
    "delivered": "status.delivered",
    "failed": "status.failed",
    "partially_delivered": "status.delivered",
    "queued": "message.observed",
    "read": "status.read",
    "scheduled": "message.observed",
    "sending": "message.observed",
    "sent": "status.sent",
    "undelivered": "status.failed",
}
#: Of messages that come in; `receiving` has files that are still on their way.
INBOUND: Final = frozenset({"received", "receiving"})
_OPT_OUTS: Final[dict[str, ObservationKind]] = {
    "START": "contact.opted_in",
    "STOP": "contact.opted_out",
}
_MEDIA: Final = re.compile(
    r"/2010-04-01/Accounts/AC[0-9a-fA-F]{32}/(Messages/[A-Z]{2}[0-9a-fA-F]{32}/Media/ME[0-9a-fA-F]{32})(?:\.json)?$",
    re.ASCII,
)
_REF: Final = re.compile(r"Messages/[A-Z]{2}[0-9a-fA-F]{32}/Media/ME[0-9a-fA-F]{32}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Own:
    """A status of an own message."""

    sid: str
    line: str
    contact: str
    status: str
    at: int
    attempt_id: str | None = None
    error: ObservedError | None = None
    parts: tuple[Part, ...] = ()
    sent_at: int | None = None


def read_form(
    form: Mapping[str, str], *, attempt_id: str | None, now_ms: int
) -> tuple[Observation, ...] | str:
    """Read one webhook: a message that came in, or how an own one stands; a text that says why it is neither.

    Args:
        form: By name.
        attempt_id: That stood in the address to which the status was told.
        now_ms: When it came, Unix ms.
    """
    sid = id_in(form.get("MessageSid") or form.get("SmsSid") or form.get("SmsMessageSid"))
    ours, theirs = handle_in(form.get("To")), handle_in(form.get("From"))
    status = (form.get("MessageStatus") or form.get("SmsStatus") or "").lower()
    if sid is None or ours is None or theirs is None:
        return "it names no message, or not both sides"
    if status in INBOUND or ("Body" in form and not form.get("MessageStatus")):
        return _received(form, sid=sid, line=ours, contact=theirs, now_ms=now_ms)
    if status not in STATUSES:
        return unknown(f"its status is none that is known ({tame(status, 40) or 'none'})")
    known = attempt_id if outbox_id_of(attempt_id) is not None else None
    number = number_in(form.get("ErrorCode"))
    own = _Own(
        sid=sid,
        line=theirs,
        contact=ours,
        status=status,
        at=now_ms,
        attempt_id=known,
        error=_error(status, number, tame(form.get("ErrorMessage"), 1024)),
    )
    return _own(own, kind=STATUSES[status])


def read_message(
    message: Mapping[str, Any], media: Sequence[Mapping[str, Any]]
) -> tuple[Observation, ...] | str:
    """Read one message of `Messages.json`; a text that says why it cannot be read.

    Args:
        message: As the API shows it.
        media: Of one that came in: what `Media.json` shows, as far as that was asked for.
    """
    sid, status = id_in(message.get("sid")), str(message.get("status") or "").lower()
    source, target = handle_in(message.get("from")), handle_in(message.get("to"))
    at = date_in(message.get("date_sent")) or date_in(message.get("date_created"))
    if sid is None or source is None or target is None or at is None:
        return "it names no message, no time, or not both sides"
    words = _words(message.get("body"))
    if message.get("direction") == "inbound":
        parts = (*words, *(_listed_file(sid, each) for each in media[:MOST_FILES] if _file_sid(each)))
        return (_inbound(sid, line=target, contact=source, parts=parts, at=at),)
    if status not in STATUSES:
        return unknown(f"its status is none that is known ({tame(status, 40) or 'none'})")
    updated = date_in(message.get("date_updated")) or at
    number = number_in(message.get("error_code"))
    own = _Own(
        sid=sid,
        line=source,
        contact=target,
        status=status,
        at=updated,
        error=_error(status, number, tame(message.get("error_message"), 1024)),
        parts=words,
        sent_at=at,
    )
    kind = STATUSES[status]
    # A whole message: it was sent, whoever asked for it, and the rest stands in its fields.
    return _own(own, kind=kind if kind in {"message.observed", "status.failed"} else "message.sent")


def media_path(ref: str) -> str | None:
    """Give the place of a file below the account, from the `ref` of a part; None for what is none of ours."""
    return f"/{ref}" if _REF.fullmatch(ref) else None


def _received(
    form: Mapping[str, str], *, sid: str, line: str, contact: str, now_ms: int
) -> tuple[Observation, ...]:
    files = [
        part
        for index in range(_count(form.get("NumMedia")))
        if (part := _file(form.get(f"MediaUrl{index}"), form.get(f"MediaContentType{index}"))) is not None
    ]
    seen = _inbound(sid, line=line, contact=contact, parts=(*_words(form.get("Body")), *files), at=now_ms)
    kind = _OPT_OUTS.get((form.get("OptOutType") or "").upper())
    if kind is None:
        return (seen,)
    return (
        seen,
        _consent(kind, line=line, contact=contact, sid=sid, at=now_ms, reason="OptOutType of Twilio"),
    )


def _inbound(sid: str, *, line: str, contact: str, parts: tuple[Part, ...], at: int) -> Observation:
    message = ObservedMessage(
        provider_id=sid, parts=parts, is_from_me=False, service=_service(sid), sent_at=at
    )
    return Observation(
        v=1,
        line=normalize_handle(line),
        kind="message.received",
        at=at,
        chat=ObservedChat(key=direct_chat_key(contact), service=_service(sid)),
        actor=normalize_handle(contact),
        message=message,
    )


def _own(own: _Own, *, kind: ObservationKind) -> tuple[Observation, ...]:
    is_delivered = own.status in {"delivered", "partially_delivered", "read"}
    message = ObservedMessage(
        provider_id=own.sid,
        parts=own.parts,
        is_from_me=True,
        service=_service(own.sid),
        attempt_id=own.attempt_id,
        part=None if own.attempt_id is None else 0,
        sent_at=own.sent_at,
        # What is read has arrived, whether we were told or not.
        delivered_at=own.at if is_delivered else None,
        read_at=own.at if own.status == "read" else None,
        error=own.error,
    )
    line, contact = normalize_handle(own.line), normalize_handle(own.contact)
    seen = Observation(
        v=1,
        line=line,
        kind=kind,
        at=own.at,
        chat=ObservedChat(key=direct_chat_key(contact), service=_service(own.sid)),
        message=message,
        error=own.error,
    )
    if own.error is None or own.error.code != OPTED_OUT:
        return (seen,)
    told = _consent(
        "contact.opted_out", line=line, contact=contact, sid=own.sid, at=own.at, reason=own.error.raw or ""
    )
    return (seen, told)


def _consent(
    kind: ObservationKind, *, line: str, contact: str, sid: str, at: int, reason: str
) -> Observation:
    return Observation(
        v=1,
        line=normalize_handle(line),
        kind=kind,
        at=at,
        chat=ObservedChat(key=direct_chat_key(contact)),
        target=sid,
        error=ObservedError(code=OPTED_OUT if kind == "contact.opted_out" else "opted_in", raw=reason),
    )


def _error(status: str, number: int | None, said: str | None) -> ObservedError | None:
    if STATUSES[status] != "status.failed":
        return None
    return ObservedError(code="canceled") if status == "canceled" else observed_error(number, said)


def _words(body: object) -> tuple[Part, ...]:
    text = tame(body)
    return (Part(type="text", text=text),) if text else ()


def _file(url: object, content_type: object) -> Part | None:
    """Name a file by where it is below the account: Twilio gives its bytes to who knows the account's key."""
    found = _MEDIA.search(tame(url, 4096) or "")
    return None if found is None else _part(found[1], content_type)


def _file_sid(media: Mapping[str, Any]) -> str | None:
    sid = media.get("sid") if isinstance(media, dict) else None
    return sid if isinstance(sid, str) and re.fullmatch("ME[0-9a-fA-F]{32}", sid, re.ASCII) else None


def _listed_file(message_sid: str, media: Mapping[str, Any]) -> Part:
    return _part(f"Messages/{message_sid}/Media/{_file_sid(media)}", media.get("content_type"))


def _part(ref: str, content_type: object) -> Part:
    mime_type = tame(content_type, 255)
    is_audio = bool(mime_type and mime_type.startswith("audio/"))
    return Part(type="audio" if is_audio else "attachment", ref=ref, mime_type=mime_type)


def _count(text: str | None) -> int:
    return min(int(text), MOST_FILES) if text and text.isascii() and text.isdigit() and len(text) < 4 else 0


def _service(sid: str) -> str:
    return "MMS" if sid.startswith("MM") else "SMS"
