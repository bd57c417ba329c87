"""What the server's answers mean: its envelopes, and which of its refusals say for certain that nothing happened. Pure.

Evidence: api/v1/responses/{types,errors,success}.ts, routers/messageRouter.ts, middleware/privateApiMiddleware.ts.
The rule is careful: what may have been sent is `may_have_completed`, and is looked up (bridge.bluebubbles.proof).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from bridge.bluebubbles.shapes import JSON, cut, mapping, number, text
from hub.flow.calling import CallFailed
from hub.model.outbox import Disposition, OperationOutcome

#: chat.db's errors that have a known meaning (index.ts emitMessageError; bluebubbles-app issue 486).
ERROR_CODES: Final = {4: "timed out at Apple", 22: "not an iMessage address"}
#: What proxies and tunnels say in place of a server that never got the request.
_UNREACHED: Final = frozenset({521, 523, 530})
_CODES: Final = {400: "invalid_request", 404: "not_found"}
#: Words of 500s that mean: refused before anything was done.
_PRIVATE_API_AWAY: Final = ("private api is not enabled", "helper is not connected")
_CERTAIN: Final = (
    "-1700",
    "-1728",
    "-1743",
    "cannot create group chats",
    "cannot rename a non-group",
    "chat does not exist",
    "is not a group",
    "is required when",
    "only supported on macos",
    "selected message does not exist",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer, read."""

    status: int
    #: None also where the answer is none of the server's.
    data: Any = field(repr=False, default=None)
    is_envelope: bool = False
    #: `Validation Error`, `iMessage Error`, …
    error_type: str | None = None
    #: For people, without the password.
    words: str = ""
    #: Of an answer that is none of the server's: who it is from, and what to do.
    sender: str = ""

    @property
    def is_ok(self) -> bool:
        return self.is_envelope and 200 <= self.status < 300

    @property
    def message(self) -> JSON:
        """The Message in it, where that is what it holds."""
        return mapping(self.data)


def read_answer(status: int, body: Any, *, secret: str) -> Answer:
    """Read an answer.

    Args:
        status: Of HTTP.
        body: As decoded; anything.
        secret: Is taken out of all words.
    """
    envelope = mapping(body)
    error = mapping(envelope.get("error"))
    words = ": ".join(
        dict.fromkeys(filter(None, (cut(envelope, "message", most=200), cut(error, "message", most=200))))
    )
    return Answer(
        status=status,
        data=envelope.get("data"),
        is_envelope=_is_envelope(envelope),
        error_type=text(error, "type", most=64),
        words=redacted(words, secret),
    )


def _is_envelope(body: JSON) -> bool:
    """Whether it is the server's own: others answer in JSON, too, and have a `status`."""
    status = body.get("status")
    return isinstance(status, int) and not isinstance(status, bool) and isinstance(body.get("message"), str)


def redacted(words: str, secret: str) -> str:
    """Take a secret out of words for people."""
    return words.replace(secret, "…") if secret else words


def outcome_of(answer: Answer) -> OperationOutcome:
    """Say what became of an operation by the answer to its request."""
    row = answer.message
    code = number(row, "error") or 0
    guid = text(row, "guid", most=512)
    if code and guid:
        return rejected(str(code), ERROR_CODES.get(code, "the network refused it"), provider_id=guid)
    if answer.is_ok:
        return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id=guid)
    if answer.is_envelope and (verdict := _refusal(answer)) is not None:
        return verdict
    if answer.status in _UNREACHED:
        return not_started("unreachable", f"the way to the server is broken ({answer.status})")
    return unknown("no_verdict", answer.sender or answer.words or f"the server answered {answer.status}")


def _refusal(answer: Answer) -> OperationOutcome | None:
    """What the server itself refuses; None where it may have been done all the same."""
    words = answer.words.lower()
    if answer.status == 400 and "already queued" in words:
        return OperationOutcome(disposition=Disposition.STILL_IN_FLIGHT, code="queued", detail=answer.words)
    if answer.status in (401, 403):
        return not_started("unauthorized", "the server does not know the password")
    if any(each in words for each in _PRIVATE_API_AWAY):
        return not_started("private_api_away", answer.words)
    if answer.status in _CODES or any(each in words for each in _CERTAIN):
        return rejected(_CODES.get(answer.status, "refused"), answer.words)
    return None


def outcome_of_failure(failure: CallFailed) -> OperationOutcome:
    """Say what became of an operation whose request has no answer."""
    match failure.kind:
        case "not_sent":
            return not_started("unreachable", failure.detail)
        case "refused":
            return rejected("address_refused", failure.detail)
    return unknown("timeout", failure.detail)


def rejected(code: str, detail: str, *, provider_id: str | None = None) -> OperationOutcome:
    return OperationOutcome(
        disposition=Disposition.REJECTED, code=code, detail=detail, provider_id=provider_id
    )


def not_started(code: str, detail: str) -> OperationOutcome:
    return OperationOutcome(disposition=Disposition.NOT_STARTED, code=code, detail=detail, is_retry_safe=True)


def unknown(code: str, detail: str) -> OperationOutcome:
    return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code=code, detail=detail)
