"""Write a send as Twilio's form, and read what Twilio answers to it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from bridge.http_api import USUAL_WAIT_MS, Answer, accepted, put_off, rejected, unknown
from bridge.sent_words import sent_words
from bridge.taming import date_in, id_in
from bridge.twilio.errors import BUSY, detail_of, fault_of, number_in
from bridge.twilio.reading import MOST_FILES
from bridge.twilio.settings import TwilioSettings
from hub.model.outbox import Operation, OperationOutcome
from hub.rules.chatkeys import normalize_handle

#: Names the send in the address to which its statuses are told.
ATTEMPT: Final = "attempt"
#: A trial account's messages begin so (from memory).
TRIAL: Final = "Sent from your Twilio trial account - "
#: How far Twilio's clock may be behind ours when a send is looked for.
SLACK_MS: Final = 10_000

Form = list[tuple[str, str]]


def form_of(
    operation: Operation,
    settings: TwilioSettings,
    *,
    hook_url: str | None,
    address_of: Callable[[str], str | None],
) -> Form | OperationOutcome:
    """Write the form of a send, or say why it cannot be one.

    Args:
        operation: A SEND.
        settings: The bridge's.
        hook_url: Where statuses are told.
        address_of: Gives a public address for a file, by its id.
    """
    said = sent_words(operation.payload)
    if said.handle is None:
        return rejected("groups_unsupported", "SMS knows no groups: send to each member.")
    if len(said.files) > MOST_FILES:
        return rejected("too_many_files", f"Twilio takes {MOST_FILES} files in one message.")
    form: Form = [("To", said.handle), ("From", operation.line_handle)]
    if settings.messaging_service_sid is not None:
        form.append(("MessagingServiceSid", settings.messaging_service_sid))
    if said.text is not None:
        form.append(("Body", said.text))
    for part in said.files:
        address = address_of(part.ref or "")
        if address is None:
            return rejected(
                "public_address_needed",
                "Twilio fetches files from the hub: set web.base_url to an https address that the internet reaches.",
            )
        form.append(("MediaUrl", address))
    if hook_url is not None:
        form.append(("StatusCallback", status_address(hook_url, operation.attempt_id)))
    if settings.validity_seconds is not None:
        form.append(("ValidityPeriod", str(settings.validity_seconds)))
    return form


def status_address(hook_url: str, attempt_id: str) -> str:
    """Give the address to which the statuses of one send are told: Twilio carries no word of ours but this."""
    return f"{hook_url}{'&' if '?' in hook_url else '?'}{urlencode({ATTEMPT: attempt_id})}"


def verdict_of(answer: Answer) -> OperationOutcome:
    """Read the answer to a send."""
    number = number_in(answer.body.get("code"))
    said = answer.body.get("message")
    words = said[:500] if isinstance(said, str) else None
    if answer.is_good:
        sid = id_in(answer.body.get("sid"))
        if sid is None:
            return unknown("unreadable_answer", "Twilio took it and named no message.")
        return accepted(sid)
    if answer.status == 429 or number in BUSY:
        wait_ms = USUAL_WAIT_MS if answer.retry_after_ms is None else answer.retry_after_ms
        code = fault_of(number).code if number in BUSY else "rate_limited"
        return put_off(code, detail_of(number or 20429, words), wait_ms=wait_ms)
    if answer.status >= 500:
        return unknown("network_error", f"Twilio answered with status {answer.status}.")
    if not 400 <= answer.status < 500:
        return rejected(
            "unexpected_answer", f"Twilio answered with status {answer.status}; is api_url right?"
        )
    if number is None and answer.status in (401, 403):
        number = 20003
    return rejected(fault_of(number).code, detail_of(number, words))


def looked_for(operation: Operation) -> str:
    """Give the query that lists what may be the send: to whom, from whom, and since when."""
    said = sent_words(operation.payload)
    query = {"To": said.handle or "", "From": operation.line_handle, "PageSize": "100"}
    return urlencode(query)


def why_not_comparable(message: Mapping[str, Any]) -> str | None:
    """Say why a listed message cannot be told from others when a send is looked for; None for one that can."""
    is_named = id_in(message.get("sid")) is not None and date_in(message.get("date_created")) is not None
    return None if is_named else "it names no message, or not when it was made"


def found_in(
    messages: Sequence[Mapping[str, Any]], operation: Operation, *, attempts: Mapping[str, str]
) -> OperationOutcome:
    """Say which of these messages is the send: the same words, at the time, and no other send's.

    Args:
        messages: As the API lists them.
        operation: The send.
        attempts: Which messages are known to be of which attempt.
    """
    said = sent_words(operation.payload)
    fitting = []
    for message in messages:
        sid, made_at = id_in(message.get("sid")), date_in(message.get("date_created"))
        is_late_enough = made_at is not None and made_at >= operation.dispatched_at - SLACK_MS
        if sid is None or not is_late_enough or message.get("direction") == "inbound":
            continue
        if sid in operation.taken or attempts.get(sid, operation.attempt_id) != operation.attempt_id:
            continue
        to, body = normalize_handle(str(message.get("to") or "")), str(message.get("body") or "")
        is_same = body.removeprefix(TRIAL).strip() == (said.text or "").strip()
        if to == said.handle and is_same and _count(message.get("num_media")) == len(said.files):
            fitting.append(sid)
    if len(fitting) == 1:
        return accepted(fitting[0])
    if fitting:
        return unknown("several_found", f"Twilio shows {len(fitting)} messages like this one.")
    return unknown("not_found", "Twilio shows no such message, and may be late with it.")


def _count(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
