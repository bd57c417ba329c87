"""The lanes of the outbox: one a line, in turn (hub.rules.turns), one in flight, paced.

Each line has two errands: what is to be sent, and what is to be looked up because its outcome is unknown. They run
beside each other: a network that cannot say what became of one message does not hold up the next. Only what a crash
left between hand-over and answer is looked up once before the next is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial

import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.ports import BridgeAdapter, Clock, HotStore, HotTransaction, WakeUps
from hub.flow.rows import DueOutbox
from hub.flow.send import Sending
from hub.model.line import Line
from hub.model.outbox import OperationKind, OutboxState
from hub.rules.lanes import shard_of
from hub.rules.pacing import Pace, Start, reserve_start
from hub.rules.sending import UNPACED, NextStep
from hub.rules.turns import Turn, next_turn
from hub.worker.fallback import adapter_of
from hub.worker.timers import Timers

log = structlog.get_logger("worker")

#: Items under way that are looked at in one read; more, if that many are.
MOST_ITEMS = 50
MOST_ITEMS_AT_ALL = 3200


class Errand(Enum):
    """What a line does beside the other."""

    SENDS = "sends"
    LOOK_UPS = "look_ups"


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
        timers: Timers,
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
        self._timers = timers
        self._draw = draw
        self._jitter_ratio = jitter_ratio
        self._owned: frozenset[int] = frozenset()
        self._running: dict[tuple[int, Errand], asyncio.Task[None]] = {}
        self._again: set[tuple[int, Errand]] = set()
        #: The item being performed now, by line: dispatched, and not to be looked up yet.
        self._performing: dict[int, int] = {}
        #: The next start of each line: reserved when the one before it was made.
        self._starts: dict[int, Start] = {}
        self._rings_at: dict[int, int] = {}
        self._look: asyncio.Task[None] | None = None
        self._is_draining = False

    @property
    def is_busy(self) -> bool:
        """Whether a step or a look into SQL is under way."""
        return bool(self._running) or (self._look is not None and not self._look.done())

    def own(self, shards: Iterable[int]) -> None:
        """Serve the lines of these shards only; a step under way is finished."""
        gained, self._owned = frozenset(shards) - self._owned, frozenset(shards)
        if gained:
            self.look_everywhere()

    def line_due(self, line_id: int) -> None:
        """Look at a line's outbox, if it is ours."""
        for errand in Errand:
            self._start(line_id, errand)

    def look_everywhere(self) -> None:
        """Look in SQL for unfinished items in our shards, unless that is being done."""
        if not self._is_draining and (self._look is None or self._look.done()):
            self._look = asyncio.get_running_loop().create_task(self._sweep())

    async def drain(self) -> None:
        """Start nothing more; wait for the steps under way."""
        self._is_draining = True
        if self._look is not None:
            self._look.cancel()
        if self._running:
            await asyncio.wait(self._running.values())

    async def _sweep(self) -> None:
        now_ms = self._clock.now_ms()
        try:
            for shard in sorted(self._owned):
                for line_id, at_ms in await self._store.read(partial(_pending_lines, shard)):
                    if at_ms <= now_ms:
                        self.line_due(line_id)
        except Exception as error:
            log.warning("lines.unread", error=str(error), reason="the next sweep reads them")

    def _start(self, line_id: int, errand: Errand) -> None:
        key = (line_id, errand)
        if shard_of(line_id) not in self._owned or self._is_draining:
            return
        if key in self._running:
            self._again.add(key)
            return
        task = asyncio.get_running_loop().create_task(self._run(line_id, errand))
        self._running[key] = task
        task.add_done_callback(lambda _: self._ended(key))

    def _ended(self, key: tuple[int, Errand]) -> None:
        task = self._running.pop(key)
        if not task.cancelled() and task.exception() is not None:
            log.error("line.stalled", line_id=key[0], errand=key[1].value, exc_info=task.exception())
        if key in self._again:
            self._again.discard(key)
            self._start(*key)

    async def _run(self, line_id: int, errand: Errand) -> None:
        """Take step after step while something is due."""
        while shard_of(line_id) in self._owned and not self._is_draining:
            line = self._directory.current.lines_by_id.get(line_id)
            adapter = adapter_of(line, self._adapters) if line else None
            if line is None or adapter is None:
                return
            items = await self._items(line_id, errand)
            now_ms = self._clock.now_ms()
            turn = next_turn(items, now_ms) if errand is Errand.SENDS else next_look_up(items, now_ms)
            item = turn.item
            if item is None:
                if turn.look_at is not None:
                    self._wake_ups.line_due(line_id, turn.look_at)
                return
            if errand is Errand.LOOK_UPS:
                await self._sending.step(item, line, adapter)
                self._start(line_id, Errand.SENDS)
            else:
                before = self._starts.get(line.id)
                if not self._may_start(line, item, now_ms):
                    return
                step = await self._perform(item, line, adapter)
                if step is not None and step.is_untried:
                    self._give_back(line.id, before)

    async def _items(self, line_id: int, errand: Errand) -> Sequence[DueOutbox]:
        """The line's items of an errand that may be next."""
        limit = MOST_ITEMS
        while True:
            items = await self._store.read(partial(_due_outbox, line_id, limit))
            performing = self._performing.get(line_id)
            if errand is Errand.SENDS and any(item.state == OutboxState.DISPATCHED for item in items):
                return []  # left by a crash: it is looked up once before the next one may overtake it
            mine = [item for item in items if errand_of(item) is errand and item.id != performing]
            has_all = sum(1 for item in items if item.attempt_count) < limit
            if has_all or (mine and errand is Errand.LOOK_UPS) or limit >= MOST_ITEMS_AT_ALL:
                return mine
            limit *= 4

    async def _perform(self, item: DueOutbox, line: Line, adapter: BridgeAdapter) -> NextStep | None:
        self._performing[line.id] = item.id
        try:
            step = await self._sending.step(item, line, adapter)
        finally:
            del self._performing[line.id]
        if step is not None and step.state == OutboxState.UNKNOWN:
            self._start(line.id, Errand.LOOK_UPS)
        return step

    def _give_back(self, line_id: int, start: Start | None) -> None:
        """Let the next one start as if nothing had been reserved."""
        if start is None:
            self._starts.pop(line_id, None)
        else:
            self._starts[line_id] = start

    def _may_start(self, line: Line, item: DueOutbox, now_ms: int) -> bool:
        """Keep the line's pace; if it must wait, look again when it may."""
        if not line.pace_ms or OperationKind(item.kind) in UNPACED:
            return True
        start = self._starts.get(line.id)
        if start is not None and start.at_ms > now_ms:
            if self._rings_at.get(line.id) != start.at_ms:
                self._rings_at[line.id] = start.at_ms
                self._timers.call_at(start.at_ms, partial(self._start, line.id, Errand.SENDS))
            return False
        own = line.safety.jitter_ratio
        pace = Pace(
            rate_per_second=1000 / line.pace_ms, jitter_ratio=self._jitter_ratio if own is None else own
        )
        begun = reserve_start(pace, idle_at_us=0, now_ms=now_ms)
        self._starts[line.id] = reserve_start(
            pace, idle_at_us=begun.idle_at_us, now_ms=now_ms, jitter=self._draw()
        )
        return True


async def _pending_lines(shard: int, tx: HotTransaction) -> list[tuple[int, int]]:
    return await tx.pending_lines(shard)


async def _due_outbox(line_id: int, limit: int, tx: HotTransaction) -> list[DueOutbox]:
    return await tx.due_outbox(line_id, shard_of(line_id), limit)


def errand_of(item: DueOutbox) -> Errand:
    """What has to be done next for an unfinished item."""
    return Errand.SENDS if item.state == OutboxState.PENDING else Errand.LOOK_UPS


def next_look_up(items: Sequence[DueOutbox], now_ms: int) -> Turn[DueOutbox]:
    """Pick what is looked up next: look-ups have no order, the one due first comes first."""
    first = min(items, key=lambda item: (item.next_attempt_at, item.id), default=None)
    if first is None or first.next_attempt_at <= now_ms:
        return Turn(item=first, look_at=None)
    return Turn(item=None, look_at=first.next_attempt_at)
