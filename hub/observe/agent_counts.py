"""Counts what happens to calls to agents (hub.flow.agent_store.CallCounts)."""

from __future__ import annotations

from hub.flow.agent_store import CallStep
from hub.model.outbox import Disposition
from hub.observe.metrics import Metrics


class AgentCounts:
    """Tells the metrics of one process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def stepped(self, step: CallStep, count: int = 1) -> None:
        if count:
            self._metrics.agent_calls.labels(step).inc(count)

    def answered(self, disposition: Disposition) -> None:
        self._metrics.agent_outcomes.labels(disposition).inc()
