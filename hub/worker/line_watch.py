"""Looks after the lines in this worker's shards again and again, shows how they fare in the metrics, and sends the
automatic replies that are owed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from hub.flow.consent_replies import ConsentReplies
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
#: Whoever asks for help waits no longer than this for the outbox.
REPLY_SECONDS = 2.0
_STATES = list(LineState)


class LineWatch:
    """Looks after lines."""

    def __init__(
        self,
        health: LineHealth,
        replies: ConsentReplies,
        *,
        directory: DirectoryHolder,
        shards: Callable[[], frozenset[int]],
        metrics: Metrics,
    ) -> None:
        self._health = health
        self._replies = replies
        self._directory = directory
        self._shards = shards
        self._metrics = metrics

    async def run(self) -> None:
        """Go round for ever."""
        await asyncio.gather(self._look_for_ever(), self._answer_for_ever())

    async def _look_for_ever(self) -> None:
        while True:
            await self.go_round()
            await asyncio.sleep(ROUND_SECONDS)

    async def _answer_for_ever(self) -> None:
        while True:
            await self.answer()
            await asyncio.sleep(REPLY_SECONDS)

    async def answer(self) -> None:
        """Send the replies that are owed; one worker does it, and another that does too sends none twice."""
        if 0 in self._shards():
            try:
                await self._replies.run()
            except Exception as error:
                log.warning("help.unread", error=str(error), reason="the next turn answers")

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
