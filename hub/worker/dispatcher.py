"""Moves deliveries from SQL through lanes to receivers, and their results back, in batches.

    wake-ups, sweeps ─▶ one reader ─▶ lanes ─▶ posts ─▶ one committer
                         (one read at a time)   (places)  (one transaction a batch)

A lane is drained by the worker that leases its shard, so concurrency, pace, order and breaker are exact without
asking anyone. What does not fit here stays in SQL. Nothing here is irreplaceable: a crash loses only what was
being posted, which is then posted again.
Not here: what a result means for its lane (verdict), how much lanes hold (lanebook), when to post (posts).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from hub.flow.deliver import Deliverer, Finished
from hub.flow.directory import DirectoryHolder
from hub.flow.ports import Clock, HotStore, WakeUps
from hub.flow.rows import DueDelivery
from hub.model.webhook import Webhook
from hub.rules.breaker import BreakerPolicy
from hub.rules.lanes import shard_of
from hub.rules.retry import RetryAt
from hub.worker.committer import Committer
from hub.worker.lane import Lane
from hub.worker.lanebook import LaneBook
from hub.worker.posts import Posts
from hub.worker.reader import Found, FoundLane, LaneRequest, Reader
from hub.worker.receivers import ReceiverBook
from hub.worker.timers import Timers
from hub.worker.verdict import judge

log = structlog.get_logger("worker")

#: A busy lane whose earliest delivery has been due for so long is read again: its wake-up may be lost.
OVERLOOKED_MS = 1000
#: A lane whose attempt failed by a fault of ours rests so long.
FAULT_MS = 5000

Disable = Callable[[Webhook, str], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class DispatchLimits:
    """How much one worker holds at once, and its patience."""

    lane_concurrency: int
    #: Deliveries waiting in memory in one lane.
    lane_queue: int
    #: Posts under way in the whole process.
    most_in_flight: int
    #: Deliveries in memory in the whole process; beyond it lanes read again from SQL.
    most_queued: int
    breaker: BreakerPolicy
    #: How long a webhook may do nothing but fail before it is disabled; 0 for ever.
    disable_after_ms: int


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
        timers: Timers,
        limits: DispatchLimits,
        disable: Disable,
    ) -> None:
        self._directory = directory
        self._deliverer = deliverer
        self._receivers = receivers
        self._committer = committer
        self._wake_ups = wake_ups
        self._clock = clock
        self._timers = timers
        self._limits = limits
        self._disable = disable
        #: The webhooks as the lanes know them.
        self._webhooks: Mapping[int, Webhook] = directory.current.webhooks
        self._changed = directory.watch_webhooks()
        self._owned: frozenset[int] = frozenset()
        self._lanes = LaneBook(lane_queue=limits.lane_queue, most_queued=limits.most_queued)
        self._reader = Reader(store, clock, describe=self._describe, on_found=self._on_found)
        self._posts = Posts(
            clock=clock,
            lanes=self._lanes,
            most_in_flight=limits.most_in_flight,
            is_full=lambda: committer.is_full,
            work=self._work,
            rest=self._rest,
            on_low=self._refill,
        )
        self._disabling: dict[int, asyncio.Task[None]] = {}
        #: Told of each lane whose breaker opens.
        self.on_opened: Callable[[], None] = lambda: None
        committer.on_committed = self._on_committed

    # ---- what others tell

    def deliveries_recorded(self, first_id: int, last_id: int) -> None:
        """Read new deliveries of our shards in the range."""
        self._reader.want_range(first_id, last_id)

    def lane_due(self, webhook_id: int) -> None:
        """Read what is due in a lane, if it is ours."""
        lane = self._open_lane(webhook_id)
        if lane is not None:
            lane.woken_at = None
            lane.is_behind = True
            self._refill(lane)

    def sweep(self) -> None:
        """Look in SQL for everything that is due in our shards."""
        self._reader.sweep(self._owned)

    def own(self, shards: Iterable[int]) -> None:
        """Take over the lanes of these shards, and let go of all others."""
        self._owned = frozenset(shards)
        for lane in self._lanes:
            if lane.shard not in self._owned:
                self._lanes.close(lane)
        self._reader.own(self._owned)

    def configuration_changed(self) -> None:
        """Take over what changed in the directory: paces, places, URLs; webhooks disabled, enabled, deleted."""
        before, after = self._webhooks, self._directory.current.webhooks
        self._webhooks = after
        while self._changed:
            webhook_id = self._changed.pop()
            webhook = after.get(webhook_id)
            if webhook is None:
                self._receivers.forget(webhook_id)
                if (lane := self._lanes.get(webhook_id)) is not None:
                    self._lanes.close(lane)
            elif webhook != before.get(webhook_id):
                self._take_over(webhook)

    @property
    def in_flight(self) -> int:
        return self._posts.count

    @property
    def queued(self) -> int:
        return self._lanes.queued

    @property
    def is_reading(self) -> bool:
        return self._reader.is_busy

    @property
    def lanes(self) -> LaneBook:
        return self._lanes

    async def run(self) -> None:
        """Read and deliver, for ever."""
        await self._reader.run()

    async def drain(self) -> None:
        """Start nothing more; return when all posts have ended and are recorded."""
        await self._posts.drain()
        await asyncio.gather(*self._disabling.values())
        await self._committer.flush()

    # ---- lanes

    def _open_lane(self, webhook_id: int) -> Lane | None:
        """The lane of an active webhook in our shards; opened at need."""
        lane = self._lanes.get(webhook_id)
        if lane is not None and not lane.is_closed:
            return lane
        webhook = self._directory.current.webhooks.get(webhook_id)
        if webhook is None or not webhook.is_active or shard_of(webhook_id) not in self._owned:
            return None
        lane = lane or self._lanes.add(webhook_id)
        lane.open(webhook, self._limits.lane_concurrency)
        if lane.is_ordered and lane.known:
            # What was posted before the lane was let go may have to come again, before all others.
            lane.hold(0)
        return lane

    def _take_over(self, webhook: Webhook) -> None:
        """Let a lane follow its webhook's change."""
        lane = self._lanes.get(webhook.id)
        if not webhook.is_active:
            if lane is not None:
                self._lanes.close(lane)
            return
        if lane is not None and not lane.is_closed:
            was_ordered = lane.is_ordered
            lane.shape(webhook, self._limits.lane_concurrency)
            if lane.is_ordered and not was_ordered:
                self._lanes.drop_queue(lane)
                lane.is_stale = True
        self.lane_due(webhook.id)

    def _refill(self, lane: Lane) -> None:
        """Read on in a lane that is behind, where there is room; one that rests waits in SQL."""
        is_open = not (lane.is_closed or lane.is_held or lane.is_reading)
        if not is_open or not lane.is_behind or not self._lanes.room(lane):
            return
        until = lane.may_start(self._clock.now_ms())
        if until is not True:
            self._rest(lane, until)
            return
        lane.is_reading = True
        self._reader.want_lane(lane.webhook_id)

    def _rest(self, lane: Lane, until_ms: int) -> None:
        """Look at a lane again at an instant."""
        if lane.rings_at is None or until_ms < lane.rings_at:
            lane.rings_at = until_ms
            self._timers.call_at(until_ms, partial(self._rung, lane, until_ms))

    def _rung(self, lane: Lane, at_ms: int) -> None:
        if lane.rings_at == at_ms:
            lane.rings_at = None
        if lane.is_closed:
            return
        self._release(lane)
        self._posts.pump(lane)
        if not lane.queue:
            self._refill(lane)

    def _hold(self, lane: Lane, until_ms: int) -> None:
        """Take nothing in the lane before an instant; then read it anew."""
        self._lanes.drop_queue(lane)
        lane.hold(until_ms)
        self._rest(lane, until_ms)

    def _release(self, lane: Lane) -> None:
        """End a hold that is over; in a strict order not before the head's result is committed."""
        if not lane.is_held or (lane.is_ordered and lane.known):
            return
        if lane.held_until > self._clock.now_ms():
            self._rest(lane, lane.held_until)
            return
        lane.is_held = False
        self._refill(lane)

    def _schedule(self, lane: Lane, at_ms: int) -> None:
        """Ask for a deferred wake-up unless an earlier one is on its way."""
        if lane.woken_at is None or lane.woken_at <= self._clock.now_ms() or at_ms < lane.woken_at:
            lane.woken_at = at_ms
            self._wake_ups.lane_due(lane.webhook_id, at_ms)

    # ---- into lanes

    def _describe(self, webhook_id: int) -> LaneRequest:
        """A lane's read begins: what is told from now on may be missing in it."""
        lane = self._lanes.get(webhook_id)
        if lane is None:
            return LaneRequest(1, False)
        lane.is_behind = lane.is_stale = False
        return LaneRequest(max(1, self._lanes.room(lane) + len(lane.known)), lane.is_ordered)

    def _on_found(self, found: Found) -> None:
        # Lanes first: in a strict order what was behind comes before the news.
        for found_lane in found.lanes:
            self._offer_read(found_lane)
        for due in found.new:
            self._offer_new(due)
        for webhook_id, at_ms in found.pending:
            self._offer_pending(webhook_id, at_ms, found.read_at)

    def _offer_new(self, due: DueDelivery) -> None:
        lane = self._open_lane(due.webhook_id)
        if lane is None or due.id in self._reader.committed:
            return
        if lane.is_held or (lane.is_ordered and lane.is_behind):
            lane.is_behind = True
            self._refill(lane)
            return
        self._lanes.offer(lane, due)
        self._posts.pump(lane)

    def _offer_read(self, found: FoundLane) -> None:
        lane = self._lanes.get(found.webhook_id)
        if lane is None:
            return
        lane.is_reading = False
        if lane.is_closed or lane.is_held or (lane.is_ordered and lane.is_stale):
            lane.is_behind = True
            self._refill(lane)
            return
        lane.is_behind |= found.is_cut
        now_ms, committed = self._clock.now_ms(), self._reader.committed
        for due_at, due in found.dated:
            if due_at > now_ms:  # only in a strict order: the next one waits, and so does all behind it
                self._wait_for_head(lane, due_at)
                break
            if due.id not in committed:
                self._lanes.offer(lane, due)
        self._posts.pump(lane)

    def _wait_for_head(self, lane: Lane, due_at: int) -> None:
        lane.is_behind = True
        if not lane.known:
            self._hold(lane, due_at)
            self._schedule(lane, due_at)

    def _offer_pending(self, webhook_id: int, at_ms: int, now_ms: int) -> None:
        lane = self._open_lane(webhook_id)
        if lane is None:
            return
        if at_ms > now_ms:
            self._schedule(lane, at_ms)
        elif lane.is_behind or lane.is_ordered or not lane.known or at_ms <= now_ms - OVERLOOKED_MS:
            lane.is_behind = True
            self._refill(lane)

    # ---- out of lanes

    async def _work(self, lane: Lane, due: DueDelivery) -> None:
        """Make one attempt and let its result speak."""
        webhook = self._directory.current.webhooks.get(due.webhook_id)
        if webhook is None or not webhook.is_active:
            lane.known.discard(due.id)
            self._lanes.close(lane)
            return
        try:
            finished = await self._deliverer.attempt(self._receivers.get(due.webhook_id), due)
        except Exception:
            log.exception("delivery.faulted", webhook_id=due.webhook_id, delivery_id=due.id)
            lane.known.discard(due.id)
            self._hold(lane, self._clock.now_ms() + FAULT_MS)
            return
        self._settle(lane, finished)
        if lane.is_ordered:
            await self._committer.flush()

    def _settle(self, lane: Lane, finished: Finished) -> None:
        """Remember a result, and let it speak for its lane."""
        limits = self._limits
        verdict = judge(lane, finished, policy=limits.breaker, disable_after_ms=limits.disable_after_ms)
        self._committer.add(finished, failing=verdict.failing, recovered=verdict.recovered)
        if verdict.has_opened:
            self.on_opened()
        if lane.is_closed:
            return
        if verdict.hold_until is not None:
            self._hold(lane, verdict.hold_until)
        elif not finished.is_success and lane.queue:
            self._spare_memory(lane)
        if verdict.disable_reason is not None:
            self._turn_off(lane.webhook_id, verdict.disable_reason)

    def _spare_memory(self, lane: Lane) -> None:
        """A lane that rests, because it failed or was asked to, waits in SQL."""
        until = lane.may_start(self._clock.now_ms())
        if until is not True:
            self._lanes.drop_queue(lane)
            self._rest(lane, until)

    def _turn_off(self, webhook_id: int, reason: str) -> None:
        webhook = self._directory.current.webhooks.get(webhook_id)
        if webhook is not None and webhook.is_active and webhook_id not in self._disabling:
            task = asyncio.get_running_loop().create_task(self._disable_now(webhook, reason))
            self._disabling[webhook_id] = task
            task.add_done_callback(lambda _: self._disabling.pop(webhook_id))

    async def _disable_now(self, webhook: Webhook, reason: str) -> None:
        try:
            await self._disable(webhook, reason)
            await self._directory.refresh()
        except Exception as error:  # the next failure disables it
            log.warning("webhook.not_disabled", webhook_id=webhook.id, error=str(error))
        self.configuration_changed()

    def _on_committed(self, batch: Sequence[Finished]) -> None:
        self._reader.is_committed(finished.due.id for finished in batch)
        for finished in batch:
            lane = self._lanes.get(finished.due.webhook_id)
            if lane is None:
                continue
            lane.known.discard(finished.due.id)
            if lane.is_closed:
                self._lanes.tidy(lane)
                continue
            if lane.is_held:
                self._release(lane)
            if isinstance(finished.decision, RetryAt):
                self._schedule(lane, finished.decision.at_ms)
        self._posts.serve_parked()
