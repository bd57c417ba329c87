"""Moves deliveries from SQL through lanes to receivers, and their results back, in batches.

    wake-ups, sweeps ─▶ one reader ─▶ lanes ─▶ posts ─▶ one committer
                         (one read at a time)   (places)  (one transaction a batch)

A lane is drained by the worker that leases its shard, so concurrency, pace, order and breaker are exact without
asking anyone. What does not fit here stays in SQL. Nothing here is irreplaceable: a crash loses only what was
being posted, which is then posted again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from hub.flow.deliver import Deliverer, Finished
from hub.flow.directory import DirectoryHolder
from hub.flow.ports import Clock, HotStore, WakeUps
from hub.flow.rows import DueDelivery
from hub.model.webhook import Webhook
from hub.rules.breaker import BreakerPolicy, admits, on_result
from hub.rules.lanes import shard_of
from hub.rules.retry import DeadLetter, RetryAt
from hub.worker.committer import Committer
from hub.worker.lane import Lane
from hub.worker.reader import Found, LaneRequest, Reader
from hub.worker.receivers import ReceiverBook

log = structlog.get_logger("worker")

#: A busy lane whose earliest delivery has been due for so long is read again: its wake-up may be lost.
OVERLOOKED_MS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class DispatchLimits:
    """How much one worker holds at once."""

    lane_concurrency: int
    #: Deliveries waiting in memory in one lane.
    lane_queue: int
    #: Posts under way in the whole process.
    most_in_flight: int
    #: Deliveries in memory in the whole process; beyond it lanes read again from SQL.
    most_queued: int
    breaker: BreakerPolicy


class Dispatcher:
    """Owns the lanes of this worker's shards."""

    def __init__(
        self,
        *,
        store: HotStore,
        directory: DirectoryHolder,
        deliverer: Deliverer,
        receivers: ReceiverBook,
        committer: Committer,
        wake_ups: WakeUps,
        clock: Clock,
        limits: DispatchLimits,
        disable: Callable[[Webhook, str], Awaitable[None]],
        disable_after_ms: int,
    ) -> None:
        self._directory = directory
        self._deliverer = deliverer
        self._receivers = receivers
        self._committer = committer
        self._wake_ups = wake_ups
        self._clock = clock
        self._limits = limits
        self._disable = disable
        self._disable_after_ms = disable_after_ms
        self._lanes: dict[int, Lane] = {}
        self._owned: frozenset[int] = frozenset()
        self._reader = Reader(store, clock, describe=self._describe, on_found=self._on_found)
        self._parked: deque[Lane] = deque()
        self._posting = 0
        self._queued = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_draining = False
        committer.on_committed = self._on_committed

    # ---- what others tell

    def deliveries_recorded(self, first_id: int, last_id: int) -> None:
        """Read new deliveries of our shards in the range."""
        self._reader.want_range(first_id, last_id)

    def lane_due(self, webhook_id: int) -> None:
        """Read what is due in a lane, if it is ours."""
        if shard_of(webhook_id) in self._owned:
            lane = self._lanes.get(webhook_id)
            if lane is not None:
                lane.woken_at = None
            self._refill(webhook_id)

    def sweep(self) -> None:
        """Look in SQL for everything that is due in our shards."""
        self._reader.sweep(self._owned)

    def own(self, shards: Iterable[int]) -> None:
        """Take over the lanes of these shards, and let go of all others."""
        owned = frozenset(shards)
        for lane in [lane for lane in self._lanes.values() if lane.shard not in owned]:
            self._queued -= len(lane.queue)
            lane.drop_queue()
            del self._lanes[lane.webhook_id]
        self._owned = owned
        self._reader.own(owned)

    def configuration_changed(self) -> None:
        """Take over changes of webhooks: paces, places, URLs, disabled ones."""
        webhooks = self._directory.current.webhooks
        for lane in list(self._lanes.values()):
            webhook = webhooks.get(lane.webhook_id)
            if webhook is None or not webhook.is_active:
                self._queued -= len(lane.queue)
                lane.drop_queue()
                lane.is_behind = False
            else:
                lane.shape(webhook, self._limits.lane_concurrency)
                self._refill(lane.webhook_id)
        self.sweep()

    @property
    def in_flight(self) -> int:
        return self._posting

    @property
    def queued(self) -> int:
        return self._queued

    @property
    def lane_count(self) -> int:
        return len(self._lanes)

    async def run(self) -> None:
        """Read and deliver, for ever."""
        await self._reader.run()

    async def drain(self) -> None:
        """Start nothing more; return when all posts have ended and are recorded."""
        self._is_draining = True
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._committer.flush()

    # ---- into lanes

    def _describe(self, webhook_id: int) -> LaneRequest:
        lane = self._lanes.get(webhook_id)
        if lane is None:
            return LaneRequest(self._limits.lane_queue, False)
        return LaneRequest(self._limits.lane_queue + len(lane.known), lane.is_ordered)

    def _on_found(self, found: Found) -> None:
        for due in found.new:
            self._offer_new(due)
        for webhook_id, dated, is_cut in found.lanes:
            self._offer_refill(webhook_id, dated, is_cut=is_cut)
        for webhook_id, at_ms in found.pending:
            self._offer_pending(webhook_id, at_ms, found.read_at)

    def _lane(self, webhook_id: int) -> Lane | None:
        """The lane of an active webhook in our shards; made at need."""
        lane = self._lanes.get(webhook_id)
        if lane is not None:
            return lane
        webhook = self._directory.current.webhooks.get(webhook_id)
        shard = shard_of(webhook_id)
        if webhook is None or not webhook.is_active or shard not in self._owned:
            return None
        lane = Lane(webhook_id, shard, 1, 0, False, webhook.failing_since)
        lane.shape(webhook, self._limits.lane_concurrency)
        self._lanes[webhook_id] = lane
        return lane

    def _offer_new(self, due: DueDelivery) -> None:
        lane = self._lane(due.webhook_id)
        if lane is None or due.id in self._reader.committed:
            return
        if lane.is_ordered and (lane.is_behind or lane.blocked_until > self._clock.now_ms()):
            lane.is_behind = True
            return
        self._offer(lane, due)
        self._pump(lane)

    def _offer(self, lane: Lane, due: DueDelivery) -> None:
        if self._queued >= self._limits.most_queued and due.id not in lane.known:
            lane.is_behind = True
        elif lane.offer(due, self._limits.lane_queue):
            self._queued += 1

    def _offer_refill(
        self, webhook_id: int, dated: Sequence[tuple[int, DueDelivery]], *, is_cut: bool
    ) -> None:
        lane = self._lane(webhook_id)
        if lane is None:
            return
        lane.is_reading = False
        lane.is_behind = is_cut
        for due_at, due in dated:
            if due.id in self._reader.committed:
                continue
            if lane.is_ordered and due_at > self._clock.now_ms() and not lane.queue and not lane.running:
                self._block(lane, due_at)
                self._schedule(lane, due_at)
                lane.is_behind = True
                return
            self._offer(lane, due)
        self._pump(lane)

    def _offer_pending(self, webhook_id: int, at_ms: int, now_ms: int) -> None:
        lane = self._lane(webhook_id)
        if lane is None:
            return
        if at_ms <= now_ms:
            is_overlooked = at_ms <= now_ms - OVERLOOKED_MS
            if lane.is_idle or lane.is_behind or lane.is_ordered or is_overlooked:
                self._refill(webhook_id)
        else:
            self._schedule(lane, at_ms)
            if lane.is_idle and lane.failing_since is None:
                del self._lanes[webhook_id]

    def _refill(self, webhook_id: int) -> None:
        lane = self._lane(webhook_id)
        if lane is None or lane.is_reading:
            return
        lane.is_reading = True
        self._reader.want_lane(webhook_id)

    # ---- out of lanes

    def _pump(self, lane: Lane) -> None:
        """Start posts while the lane and the process have places."""
        while lane.queue and lane.running < lane.places and not self._is_draining:
            now_ms = self._clock.now_ms()
            if lane.blocked_until > now_ms:
                return  # its timer is set
            if (until := admits(lane.breaker, now_ms)) is not True:
                self._block(lane, until)
                return
            if self._posting >= self._limits.most_in_flight or self._committer.is_full:
                self._park(lane)
                return
            lane.running += 1
            self._posting += 1
            task = asyncio.get_running_loop().create_task(self._work(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, lane: Lane) -> None:
        """Post one delivery after another while the lane has some and may."""
        try:
            while (due := self._next(lane)) is not None:
                if lane.gap_ms:
                    await self._keep_pace(lane)
                finished = await self._deliverer.attempt(self._receivers.get(due.webhook_id), due)
                self._settle(lane, finished)
                if lane.is_ordered:
                    await self._committer.flush()
        finally:
            lane.running -= 1
            self._posting -= 1
            self._pump(lane)
            while self._parked and self._posting < self._limits.most_in_flight:
                parked = self._parked.popleft()
                parked.is_parked = False
                self._pump(parked)

    def _next(self, lane: Lane) -> DueDelivery | None:
        if not lane.queue or lane.running > lane.places or self._is_draining or self._committer.is_full:
            if lane.queue and self._committer.is_full:
                self._park(lane)
            return None
        now_ms = self._clock.now_ms()
        if lane.blocked_until > now_ms or admits(lane.breaker, now_ms) is not True:
            return None
        webhook = self._directory.current.webhooks.get(lane.webhook_id)
        if webhook is None or not webhook.is_active:
            return None  # configuration_changed empties the queue
        due = lane.queue.popleft()
        self._queued -= 1
        if lane.is_behind and len(lane.queue) <= self._limits.lane_queue // 2:
            self._refill(lane.webhook_id)
        return due

    async def _keep_pace(self, lane: Lane) -> None:
        now_ms = self._clock.now_ms()
        start_at = max(now_ms, lane.next_start_at)
        lane.next_start_at = start_at + lane.gap_ms
        if start_at > now_ms:
            await asyncio.sleep((start_at - now_ms) / 1000)

    def _park(self, lane: Lane) -> None:
        if not lane.is_parked:
            lane.is_parked = True
            self._parked.append(lane)

    def _block(self, lane: Lane, until_ms: int) -> None:
        """Start nothing in the lane before `until_ms`; then go on."""
        if until_ms <= lane.blocked_until:
            return
        lane.blocked_until = until_ms
        delay = max(0, until_ms - self._clock.now_ms()) / 1000
        asyncio.get_running_loop().call_later(delay, self._unblock, lane)

    def _unblock(self, lane: Lane) -> None:
        if lane.blocked_until <= self._clock.now_ms() and self._lanes.get(lane.webhook_id) is lane:
            self._pump(lane)
            self._refill(lane.webhook_id)

    # ---- results

    def _settle(self, lane: Lane, finished: Finished) -> None:
        """Remember a result, and let it speak for its lane."""
        ended_at = finished.attempt.started_at + finished.attempt.duration_us // 1000
        was_open = admits(lane.breaker, ended_at) is not True
        throttled = getattr(finished.decision, "throttle_lane_until_ms", None)
        lane.breaker = on_result(lane.breaker, finished.is_success, ended_at, self._limits.breaker, throttled)
        if not was_open and (until := admits(lane.breaker, ended_at)) is not True:
            log.warning("lane.opened", webhook_id=lane.webhook_id, until_ms=until)
        failing, recovered = self._mark(lane, finished, ended_at)
        self._committer.add(finished, failing=failing, recovered=recovered)
        decision = finished.decision
        if lane.is_ordered and isinstance(decision, RetryAt):
            self._queued -= len(lane.queue)
            lane.drop_queue()
            lane.is_behind = True
            self._block(lane, decision.at_ms)
        self._disable_if_hopeless(lane, finished, ended_at)

    def _mark(self, lane: Lane, finished: Finished, now_ms: int) -> tuple[int | None, bool]:
        """Say whether the webhook begins to fail (since when) or has recovered."""
        if finished.is_success:
            was_failing, lane.failing_since = lane.failing_since is not None, None
            return None, was_failing
        if lane.failing_since is None:
            lane.failing_since = now_ms
            return now_ms, False
        return None, False

    def _disable_if_hopeless(self, lane: Lane, finished: Finished, now_ms: int) -> None:
        decision = finished.decision
        reason = None
        if isinstance(decision, DeadLetter) and decision.disable_endpoint:
            reason = "The receiver answered 410 Gone."
        elif lane.failing_since is not None and now_ms - lane.failing_since > self._disable_after_ms:
            days = self._disable_after_ms / 86_400_000
            reason = f"Every delivery failed for more than {days:g} days. Last: {finished.finish.reason}"
        webhook = self._directory.current.webhooks.get(lane.webhook_id)
        if reason is not None and webhook is not None and webhook.is_active:
            task = asyncio.get_running_loop().create_task(self._turn_off(webhook, reason))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _turn_off(self, webhook: Webhook, reason: str) -> None:
        await self._disable(webhook, reason)
        await self._directory.refresh()
        self.configuration_changed()

    def _on_committed(self, batch: Sequence[Finished]) -> None:
        for finished in batch:
            due, decision = finished.due, finished.decision
            self._reader.committed.add(due.id)
            lane = self._lanes.get(due.webhook_id)
            if lane is None:
                continue
            lane.known.discard(due.id)
            if isinstance(decision, RetryAt):
                self._schedule(lane, decision.at_ms)
        while self._parked and not self._committer.is_full and self._posting < self._limits.most_in_flight:
            parked = self._parked.popleft()
            parked.is_parked = False
            self._pump(parked)

    def _schedule(self, lane: Lane, at_ms: int) -> None:
        """Ask for a deferred wake-up unless an earlier one is on its way."""
        if lane.woken_at is None or at_ms < lane.woken_at:
            lane.woken_at = at_ms
            self._wake_ups.lane_due(lane.webhook_id, at_ms)
