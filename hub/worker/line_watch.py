"""Looks after the lines in this worker's shards again and again, and shows how they fare in the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.line_health import HealthReport, LineHealth
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.observe.metrics import Metrics
from hub.rules.lanes import shard_of
from hub.rules.line_health import LineState

log = structlog.get_logger("lines")

#: Between two rounds. A change is told after it has lasted for a minute, so more often would say nothing sooner.
ROUND_SECONDS = 30.0
_STATES = list(LineState)


class LineWatch:
    """Looks after lines."""

    def __init__(
        self,
        health: LineHealth,
        *,
        directory: DirectoryHolder,
        shards: Callable[[], frozenset[int]],
        metrics: Metrics,
    ) -> None:
        self._health = health
        self._directory = directory
        self._shards = shards
        self._metrics = metrics

    async def run(self) -> None:
        """Go round for ever."""
        while True:
            await self.go_round()
            await asyncio.sleep(ROUND_SECONDS)

    async def go_round(self) -> None:
        """Look after each line of ours once; one that cannot be looked after does not keep the others waiting."""
        shards = self._shards()
        lines = [line for line in self._directory.current.lines_by_id.values() if shard_of(line.id) in shards]
        reports: list[tuple[Line, HealthReport]] = []
        for line in lines:
            try:
                reports.append((line, await self._health.look_after(line)))
            except Exception as error:
                log.warning("line.unseen", line_id=id_text(Prefix.LINE, line.id), error=str(error))
        self._show(reports)
        try:
            await self._health.forget()
        except Exception as error:
            log.warning("line.kept", error=str(error), reason="the next round deletes what is old")

    def _show(self, reports: list[tuple[Line, HealthReport]]) -> None:
        """Show the lines of this round and no others: another worker may have taken some over."""
        metrics = self._metrics
        gauges = (metrics.line_state, metrics.line_sent, metrics.line_opened, metrics.line_unanswered)
        for gauge in gauges:
            gauge.clear()
        for line, report in reports:
            values = (
                _STATES.index(report.standing.state),
                report.today.sent,
                report.today.new_conversations,
                report.unanswered,
            )
            for gauge, value in zip(gauges, values, strict=True):
                gauge.labels(id_text(Prefix.LINE, line.id)).set(value)
