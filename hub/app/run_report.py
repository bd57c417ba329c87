"""Counts what runs do, around parts that know nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.model.ids import id_time_ms
from hub.model.run import Run, RunState, Triage
from hub.observe.metrics import Metrics
from hub.rules.runs.results import StepResult, StepStatus

#: Routes with a figure of their own; the failures of more are counted together.
MOST_ROUTES: Final = 200
OTHERS: Final = "(others)"


class RunReport:
    """Listens to the parts of a worker that run routes."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._routes: set[str] = set()

    def attempted(self, action: str, result: StepResult, duration_ms: int) -> None:
        """Count an attempt at an action, by its connector and what came of it."""
        connector = action.partition(".")[0]
        is_done = result.status is StepStatus.COMPLETED
        outcome = "completed" if is_done or result.error is None else result.error.error_class
        self._metrics.steps.labels(connector, outcome).inc()
        self._metrics.step_seconds.add([max(0, duration_ms) / 1000])

    def ended(self, run: Run) -> None:
        """Count a run that is over, and its failure by its route."""
        self._metrics.runs_ended.labels(run.state.name.lower()).inc()
        if run.state is RunState.FAILED:
            self._metrics.runs_failed.labels(self._named(run.route_id)).inc()

    def decided(self, triages: Sequence[Triage]) -> None:
        """Tell how long after they were recorded events were looked at that some route wanted."""
        self._metrics.triage_seconds.add(
            max(0, each.decided_at - id_time_ms(each.event_id)) / 1000 for each in triages
        )

    def _named(self, route_id: str) -> str:
        if route_id not in self._routes and len(self._routes) >= MOST_ROUTES:
            return OTHERS
        self._routes.add(route_id)
        return route_id
