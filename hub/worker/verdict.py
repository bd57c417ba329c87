"""What a finished attempt means for its lane and its webhook: breaker, failing since, order, and whether to give up.

The delivery itself was decided in hub.rules.retry. No input or output here.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog

from hub.flow.deliver import Finished
from hub.rules.breaker import BreakerPolicy, admits, on_result
from hub.rules.retry import DeadLetter, RetryAt
from hub.worker.lane import Lane

log = structlog.get_logger("worker")

DAY_MS = 86_400_000


class Verdict(NamedTuple):
    """What follows from an attempt, beside its own record."""

    #: Since when the webhook fails, if that began now (Unix ms).
    failing: int | None = None
    #: The webhook may be marked as failing and is not.
    recovered: bool = False
    #: Its lane must not go on before (Unix ms): the head of a strict order waits.
    hold_until: int | None = None
    #: Why the webhook is to be disabled.
    disable_reason: str | None = None
    #: The lane's breaker opened.
    has_opened: bool = False


def judge(lane: Lane, finished: Finished, *, policy: BreakerPolicy, disable_after_ms: int) -> Verdict:
    """Let a result speak for its lane, and say what follows.

    Args:
        lane: Its breaker and its failing time are moved on.
        finished: The attempt.
        policy: Of the breaker.
        disable_after_ms: How long a webhook may do nothing but fail; 0 for ever.
    """
    ended_at = finished.attempt.started_at + finished.attempt.duration_us // 1000
    has_opened = _move_breaker(lane, finished, ended_at, policy)
    if finished.is_success:
        may_be_marked = lane.failing_since is not None or not lane.has_succeeded
        lane.failing_since, lane.has_succeeded = None, True
        return Verdict(recovered=may_be_marked, has_opened=has_opened)
    begins = lane.failing_since is None
    failing_since = ended_at if lane.failing_since is None else lane.failing_since
    lane.failing_since = failing_since
    decision = finished.decision
    return Verdict(
        failing=ended_at if begins else None,
        hold_until=decision.at_ms if lane.is_ordered and isinstance(decision, RetryAt) else None,
        disable_reason=_reason_to_disable(finished, ended_at - failing_since, disable_after_ms),
        has_opened=has_opened,
    )


def _move_breaker(lane: Lane, finished: Finished, ended_at: int, policy: BreakerPolicy) -> bool:
    """Tell whether it opened."""
    throttled_until = getattr(finished.decision, "throttle_lane_until_ms", None)
    before = lane.breaker
    lane.breaker = on_result(before, finished.is_success, ended_at, policy, throttled_until)
    if lane.breaker is not before and admits(before, ended_at) is True:
        until = admits(lane.breaker, ended_at)
        if until is not True:
            log.warning("lane.opened", webhook_id=lane.webhook_id, until_ms=until)
            return True
    return False


def _reason_to_disable(finished: Finished, failing_ms: int, disable_after_ms: int) -> str | None:
    decision = finished.decision
    if isinstance(decision, DeadLetter) and decision.disable_endpoint:
        return "The receiver answered 410 Gone."
    if disable_after_ms and failing_ms > disable_after_ms:
        days = disable_after_ms / DAY_MS
        return f"Every delivery failed for more than {days:g} days. Last: {finished.finish.reason}"
    return None
