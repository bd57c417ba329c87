"""What it means that a provider gave no answer: the class, and the words of a run."""

from __future__ import annotations

from hub.flow.calling import CallFailed
from hub.model.actions import ErrorClass


def unanswered(title: str, fault: CallFailed) -> tuple[ErrorClass, str]:
    """Give class and words.

    Args:
        title: The provider's name.
        fault: Why there is no answer.
    """
    detail = fault.detail.rstrip(".")
    match fault.kind:
        case "not_sent":
            return "retryable", f"{title} cannot be reached, and nothing was sent: {detail}."
        case "unknown":
            return "timeout_unknown", f"{title} gave no whole answer, so it may have happened: {detail}."
        case "no_http":
            return "server", f"{title} gave an answer that is no HTTP: {detail}."
        case "refused":
            return "invalid", f"The request was not sent: {detail}."
