"""What follows an attempt at a step: its result, another attempt at an instant, or its failure (facts: routes A2, B2).

Instants are stored with the step and outlive every process; that is why this is not tenacity.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from hub.model.actions import ActionDone, ActionFailed, Repetition
from hub.rules.routes.model import Retry
from hub.rules.runs.results import StepError, StepResult, StepStatus

#: Nothing was done: trying again is harmless.
_ALWAYS: Final = frozenset({"retryable", "rate_limited"})
#: It may have been done.
_IF_REPEATABLE: Final = frozenset({"server", "timeout_unknown"})
#: Of a step and a route that say nothing.
STANDARD: Final = Retry(
    attempts=5,
    backoff="exponential",
    first_ms=2_000,
    max_ms=600_000,
    jitter=0.2,
    within_ms=86_400_000,
    when=None,
)
_LONGEST_MESSAGE: Final = 2_000


def completed(begun: StepResult, done: ActionDone, *, now_ms: int) -> StepResult:
    """Give the result of an attempt that succeeded."""
    return replace(
        begun,
        status=StepStatus.COMPLETED,
        changed_at=now_ms,
        next_at=None,
        output=dict(done.output),
        error=None,
        requests=done.requests,
        reason=None,
    )


def failed(
    begun: StepResult,
    fault: ActionFailed,
    *,
    retry: Retry | Literal[False],
    repetition: Repetition,
    now_ms: int,
    jitter: float,
) -> StepResult:
    """Give what follows an attempt that failed.

    Args:
        begun: The attempt: `attempts` counts it.
        fault: What it met with.
        retry: The step's policy.
        repetition: What doing it again does.
        now_ms: Unix ms: when it failed.
        jitter: A fresh random draw, 0 <= jitter < 1.
    """
    error = StepError(
        error_class=fault.error_class,
        message=fault.message[:_LONGEST_MESSAGE],
        status=fault.status,
        details=dict(fault.details) or None,
    )
    ended = replace(
        begun,
        status=StepStatus.FAILED,
        changed_at=now_ms,
        next_at=None,
        error=error,
        requests=fault.requests,
    )
    if retry is False:
        return replace(ended, reason="it is not to be tried again")
    why_not = _why_not_again(error, retry, repetition)
    if why_not is not None:
        return replace(ended, reason=why_not)
    if begun.attempts >= retry.attempts:
        return replace(ended, reason=f"attempt {begun.attempts} of {retry.attempts} was the last")
    at_ms = now_ms + _pause_ms(retry, begun.attempts, fault.after_ms, jitter)
    if at_ms > begun.started_at + retry.within_ms:
        return replace(ended, reason=f"the next attempt would come after the {retry.within_ms} ms it has")
    reason = f"attempt {begun.attempts + 1} of {retry.attempts} follows"
    return replace(ended, status=StepStatus.RETRYING, next_at=at_ms, reason=reason)


def _why_not_again(error: StepError, retry: Retry, repetition: Repetition) -> str | None:
    may_have_happened = error.error_class in _IF_REPEATABLE
    if may_have_happened and repetition == "unsafe":
        return "it may have happened, and doing it twice would do harm"
    classes = _ALWAYS | _IF_REPEATABLE if retry.when is None else retry.when
    if error.error_class not in classes:
        return f"errors of class {error.error_class} do not pass by themselves"
    return None


def _pause_ms(retry: Retry, attempts: int, asked_ms: int | None, jitter: float) -> int:
    """A pause grows, is never longer than the longest, and never shorter than the provider asks."""
    grown = retry.first_ms * 2 ** min(attempts - 1, 40) if retry.backoff == "exponential" else retry.first_ms
    pause = min(grown, retry.max_ms)
    return max(round(pause * (1 + retry.jitter * jitter)), asked_ms or 0)
