"""Counts and tells what happens, a batch at a time, around parts that know nothing of it.

Whole batches, because a log line or a histogram's lock for each of thousands of deliveries a second would cost more
than signing them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from hub.flow.deliver import Finished
from hub.flow.ingest import BridgeRequest, ObservationResult
from hub.flow.ports import BridgeAdapter
from hub.flow.rows import DueOutbox
from hub.flow.sandbox import Ingesting
from hub.flow.send import Sending
from hub.model.delivery import Outcome
from hub.model.ids import id_time_ms
from hub.model.line import Line
from hub.observe.metrics import Metrics
from hub.rules.retry import DeadLetter, RetryAt
from hub.rules.sending import NextStep
from hub.worker.committer import Committer

log = structlog.get_logger("deliveries")

#: Successes are told together, at most once in so many seconds.
SUMMARY_SECONDS = 1.0


class DeliveryReport:
    """Tells of committed attempts: each failure in a line of its own, successes in a sum."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._counters = {outcome: metrics.attempts.labels(outcome.name.lower()).inc for outcome in Outcome}
        self._succeeded = 0
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, committer: Committer) -> None:
        """Listen to what is committed, after whoever listens already."""
        before: Callable[[Sequence[Finished]], None] = committer.on_committed

        def both(batch: Sequence[Finished]) -> None:
            before(batch)
            self.take(batch)

        committer.on_committed = both

    def take(self, batch: Sequence[Finished]) -> None:
        """Count a batch and tell of it."""
        by_outcome = dict.fromkeys(Outcome, 0)
        for finished in batch:
            by_outcome[Outcome(finished.attempt.outcome)] += 1
            if not finished.is_success:
                _tell_failure(finished)
        for outcome, count in by_outcome.items():
            if count:
                self._counters[outcome](count)
        self._metrics.post_seconds.add(finished.attempt.duration_us / 1_000_000 for finished in batch)
        self._metrics.delay_seconds.add(
            max(0, finished.attempt.started_at - id_time_ms(finished.due.id)) / 1000
            for finished in batch
            if finished.attempt.number == 1
        )
        self._sum_up(by_outcome[Outcome.SUCCESS])

    def flush(self) -> None:
        """Tell of the successes that were not told yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._succeeded:
            log.info("deliveries.succeeded", count=self._succeeded)
            self._succeeded = 0

    def _sum_up(self, count: int) -> None:
        self._succeeded += count
        if self._succeeded and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SUMMARY_SECONDS, self.flush)


def _tell_failure(finished: Finished) -> None:
    due, attempt, decision = finished.due, finished.attempt, finished.decision
    is_dead = isinstance(decision, DeadLetter)
    (log.warning if is_dead else log.info)(
        "delivery.dead" if is_dead else "delivery.failed",
        delivery_id=due.id,
        event_id=due.event_id,
        webhook_id=due.webhook_id,
        attempt_number=attempt.number,
        status=attempt.status,
        error=attempt.error,
        reason=finished.finish.reason,
        duration_ms=attempt.duration_us // 1000,
        next_attempt_at=decision.at_ms if isinstance(decision, RetryAt) else None,
    )


class CountedSending(Sending):
    """Sends, and counts what became of each step."""

    def __init__(self, metrics: Metrics, **parts: Any) -> None:
        super().__init__(**parts)
        self._metrics = metrics

    async def step(self, item: DueOutbox, line: Line, adapter: BridgeAdapter) -> NextStep | None:
        """Do what `Sending.step` does."""
        following = await super().step(item, line, adapter)
        if following is not None:
            self._metrics.sends.labels(following.state.name.lower()).inc()
        return following


def counted(ingest: Ingesting, metrics: Metrics) -> Ingesting:
    """Count what comes in on other ways than POST /v1/bridge/events, which counts for itself."""

    async def take(request: BridgeRequest) -> tuple[ObservationResult, ...]:
        results = await ingest(request)
        for result in results:
            metrics.observations.labels(result.status).inc()
        return results

    return take
