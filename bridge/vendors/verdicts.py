"""What a vendor's refusal means for an operation: our code, what to do, and whether to try again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bridge.http_api import USUAL_WAIT_MS, Answer, put_off, rejected, unanswered, unknown
from bridge.taming import tame
from hub.flow.calling import CallFailed
from hub.model.outbox import Disposition, OperationKind, OperationOutcome

#: When a day's limit is used up.
LIMIT_WAIT_MS: Final = 3_600_000
#: To do these again does no harm: the second time changes nothing.
HARMLESS: Final = frozenset(
    {
        OperationKind.CHECK,
        OperationKind.EDIT,
        OperationKind.GROUP_ICON,
        OperationKind.GROUP_RENAME,
        OperationKind.REACT,
        OperationKind.READ,
        OperationKind.TYPING,
        OperationKind.UNSEND,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One word of refusal that a vendor has."""

    code: str
    advice: str
    #: It passes by itself: tried again after a while.
    is_passing: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """The words of one vendor."""

    title: str
    #: The vendor's code → what it means.
    known: Mapping[str, Fault]
    #: HTTP status → what it means, where no code says more.
    by_status: Mapping[int, Fault]

    def verdict(self, answer: Answer, *, may_repeat: bool) -> OperationOutcome:
        """Read an answer that is not good.

        Args:
            answer: The vendor's.
            may_repeat: Whether the same request may be sent again whatever became of this one.
        """
        code, words = said_in(answer)
        fault = self.known.get(code or "") or self.by_status.get(answer.status)
        detail = _detail(self.title, answer.status, fault, code, words)
        wait_ms = answer.retry_after_ms
        if answer.status == 429 or (fault is not None and fault.is_passing and answer.status < 500):
            usual = LIMIT_WAIT_MS if fault is not None and fault.is_passing else USUAL_WAIT_MS
            name = fault.code if fault is not None else "rate_limited"
            return put_off(name, detail, wait_ms=usual if wait_ms is None else wait_ms)
        if answer.status >= 500 or answer.status == 408:  # whoever gave up on it may have passed it on before
            name = fault.code if fault is not None else "network_error"
            return put_off(name, detail, wait_ms=wait_ms) if may_repeat else unknown(name, detail)
        if not 400 <= answer.status < 500:
            return rejected("unexpected_answer", f"{detail} Is api_url right?")
        return rejected(fault.code if fault is not None else "refused", detail)


#: What every vendor means by it.
BY_STATUS: Final[Mapping[int, Fault]] = {
    400: Fault("invalid_request", "A field of it is wrong."),
    401: Fault("bad_credentials", "The API key is not known; set the bridge's settings anew."),
    403: Fault("forbidden", "The API key may not do this."),
    404: Fault("not_found", "There is no such thing in this account."),
    408: Fault("network_error", "It took too long."),
    413: Fault("too_large", "It is larger than the vendor takes."),
    422: Fault("invalid_request", "A field of it is wrong."),
}


def said_in(answer: Answer) -> tuple[str | None, str | None]:
    """Give the code and the words of a refusal, wherever the vendor has them."""
    error = answer.body.get("error")
    if isinstance(error, dict):
        return tame(error.get("code"), 64), tame(error.get("message"), 300)
    code = tame(answer.body.get("code"), 64) or tame(error, 300)
    words = tame(answer.body.get("message"), 300)
    return code, words if words != code else None


def lost(error: CallFailed, *, may_repeat: bool) -> OperationOutcome:
    """Say what a call without an answer means."""
    outcome = unanswered(error)
    if outcome.disposition is Disposition.MAY_HAVE_COMPLETED and may_repeat:
        return put_off("no_answer", error.detail, wait_ms=None)
    return outcome


def _detail(title: str, status: int, fault: Fault | None, code: str | None, words: str | None) -> str:
    said = ": ".join(filter(None, (code, words)))
    advice = f"{fault.advice} " if fault is not None else ""
    return f"{advice}({title} answered {status}{f', {said}' if said else ''})"
