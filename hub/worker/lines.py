"""The lanes of the outbox: one a line, first in first out, one in flight, paced.

An item whose outcome is unknown is looked up beside the others; it does not hold up the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.ports import BridgeAdapter, Clock, HotStore, WakeUps
from hub.flow.rows import DueOutbox
from hub.flow.send import Sending
from hub.model.line import Line
from hub.model.outbox import OutboxState
from hub.rules.lanes import shard_of

log = structlog.get_logger("worker")

#: Items looked at in one read.
MOST_ITEMS = 50


class LineLanes:
    """Drains the outboxes of the lines in this worker's shards."""

    def __init__(
        self,
        *,
        store: HotStore,
        directory: DirectoryHolder,
        sending: Sending,
        adapters: Mapping[int, BridgeAdapter],
        wake_ups: WakeUps,
        clock: Clock,
        draw: Callable[[], float],
        jitter_ratio: float,
    ) -> None:
        self._store = store
        self._directory = directory
        self._sending = sending
        #: By bridge id; only bridges that this process can reach.
        self._adapters = adapters
        self._wake_ups = wake_ups
        self._clock = clock
        self._draw = draw
        self._jitter_ratio = jitter_ratio
        self._owned: frozenset[int] = frozenset()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._next_start_at: dict[int, float] = {}
        self._is_draining = False

    def own(self, shards: Iterable[int]) -> None:
        """Serve the lines of these shards only; a step under way is finished."""
        self._owned = frozenset(shards)

    def line_due(self, line_id: int) -> None:
        """Look at a line's outbox, if it is ours."""
        if shard_of(line_id) not in self._owned or self._is_draining:
            return
        if line_id in self._running:
            self._again.add(line_id)
            return
        task = asyncio.get_running_loop().create_task(self._drain_line(line_id))
        self._running[line_id] = task
        task.add_done_callback(lambda _: self._ended(line_id))

    async def sweep(self) -> None:
        """Look in SQL for unfinished items in our shards."""
        now_ms = self._clock.now_ms()
        for shard in sorted(self._owned):
            for line_id, at_ms in await self._store.read(lambda tx: tx.pending_lines(shard)):  # noqa: B023
                if at_ms <= now_ms:
                    self.line_due(line_id)

    async def drain(self) -> None:
        """Start nothing more; wait for the steps under way."""
        self._is_draining = True
        if self._running:
            await asyncio.wait(self._running.values())

    def _ended(self, line_id: int) -> None:
        task = self._running.pop(line_id)
        if not task.cancelled() and task.exception() is not None:
            log.error("line.stalled", line_id=line_id, exc_info=task.exception())
        if line_id in self._again:
            self._again.discard(line_id)
            self.line_due(line_id)

    async def _drain_line(self, line_id: int) -> None:
        """Take step after step while something is due."""
        while shard_of(line_id) in self._owned and not self._is_draining:
            line = self._directory.current.lines_by_id.get(line_id)
            adapter = self._adapters.get(line.bridge_id) if line else None
            if line is None or adapter is None:
                return
            items = await self._store.read(lambda tx: tx.due_outbox(line_id, shard_of(line_id), MOST_ITEMS))
            chosen = choose(items, self._clock.now_ms())
            if chosen is None:
                if (at_ms := _next_due(items)) is not None:
                    self._wake_ups.line_due(line_id, at_ms)
                return
            if chosen.state == OutboxState.PENDING:
                await self._keep_pace(line)
            await self._sending.step(chosen, line, adapter)

    async def _keep_pace(self, line: Line) -> None:
        now_ms = self._clock.now_ms()
        start_at = max(now_ms, self._next_start_at.get(line.id, 0))
        gap_ms = line.pace_ms * (1 + self._jitter_ratio * self._draw())
        self._next_start_at[line.id] = start_at + gap_ms
        if start_at > now_ms:
            await asyncio.sleep((start_at - now_ms) / 1000)


def choose(items: Iterable[DueOutbox], now_ms: int) -> DueOutbox | None:
    """Pick what to do next: a look-up that is due, else the oldest pending item if it is due.

    The oldest pending item holds up the younger ones even while it waits: a line is first in, first out.
    """
    oldest: DueOutbox | None = None
    for item in items:
        if item.state != OutboxState.PENDING:
            if item.next_attempt_at <= now_ms:
                return item
        elif oldest is None:
            oldest = item
    return oldest if oldest is not None and oldest.next_attempt_at <= now_ms else None


def _next_due(items: Iterable[DueOutbox]) -> int | None:
    """When `choose` will have something: look-ups at their time, pending items at the oldest one's."""
    times: list[int] = []
    has_pending = False
    for item in items:
        if item.state != OutboxState.PENDING:
            times.append(item.next_attempt_at)
        elif not has_pending:
            has_pending = True
            times.append(item.next_attempt_at)
    return min(times, default=None)
