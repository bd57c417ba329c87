"""One lane's memory in its owner: what waits, what is in hand, and whether it may start.

No input or output here; the dispatcher moves lanes. Everything in a lane can be rebuilt from SQL.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from hub.flow.rows import DueDelivery
from hub.model.webhook import Webhook
from hub.rules.breaker import BreakerState, admits
from hub.rules.pacing import Pace, reserve_start

#: A lane that fails this often in a row posts one at a time, so that dead receivers hold few places.
SUSPECT_AFTER = 2
#: Seconds of a pace that may start at once: timers ring by the millisecond, fast paces need several in one.
BURST_SECONDS = 0.02


@dataclass(slots=True)
class Lane:
    """The deliveries of one webhook, as its owner holds them."""

    webhook_id: int
    shard: int
    concurrency: int = 1
    pace: Pace | None = None
    is_ordered: bool = False
    queue: deque[DueDelivery] = field(default_factory=deque)
    #: Waiting here, being posted, or waiting for their commit: not to be taken from SQL again.
    known: set[int] = field(default_factory=set)
    #: Posts under way.
    running: int = 0
    #: Since when it fails, Unix ms; None while it does not.
    failing_since: int | None = None
    #: A success was seen since the lane was opened here.
    has_succeeded: bool = False
    #: The webhook is inactive or its shard is another worker's: nothing is taken.
    is_closed: bool = False
    #: SQL may hold more than is here.
    is_behind: bool = False
    #: A read of it was asked for.
    is_reading: bool = False
    #: What a read under way brings is too old to keep the order.
    is_stale: bool = False
    #: Nothing is taken before `held_until` (Unix ms): an ordered lane's head waits for its retry.
    is_held: bool = False
    held_until: int = 0
    breaker: BreakerState = field(default_factory=BreakerState)
    #: The pace's state (hub.rules.pacing).
    idle_at_us: int = 0
    #: The earliest timer that was set and has not rung, Unix ms.
    rings_at: int | None = None
    #: The earliest deferred wake-up that was asked for, Unix ms.
    woken_at: int | None = None
    #: Waits in the dispatcher's line for a place.
    is_parked: bool = False

    def open(self, webhook: Webhook, default_concurrency: int) -> None:
        """Begin afresh with what SQL says, which is yet to be read; what is still in hand stays known."""
        self.is_closed = self.is_held = self.is_reading = self.has_succeeded = False
        self.is_stale = self.is_behind = True
        self.breaker = BreakerState()
        self.woken_at, self.failing_since = None, None
        self.shape(webhook, default_concurrency)

    def shape(self, webhook: Webhook, default_concurrency: int) -> None:
        """Take over what the webhook says about its lane."""
        self.is_ordered = webhook.is_ordered
        self.concurrency = 1 if webhook.is_ordered else webhook.concurrency or default_concurrency
        rate = webhook.rate_per_second
        self.pace = (
            Pace(rate_per_second=rate, burst=max(1, math.ceil(rate * BURST_SECONDS))) if rate else None
        )
        if webhook.failing_since is not None and not self.has_succeeded:
            self.failing_since = min(webhook.failing_since, self.failing_since or webhook.failing_since)

    @property
    def places(self) -> int:
        """How many may run at once just now: after a rest one trial, and few for a suspect."""
        breaker = self.breaker
        if breaker.open_until_ms is not None or breaker.consecutive_failures >= SUSPECT_AFTER:
            return 1
        return self.concurrency

    def may_start(self, now_ms: int) -> Literal[True] | int:
        """Return True if an attempt may start now, else the Unix ms from which one may; compare with `is True`."""
        if (until := admits(self.breaker, now_ms)) is not True:
            return until
        if self.pace is not None:
            at_ms = reserve_start(self.pace, idle_at_us=self.idle_at_us, now_ms=now_ms).at_ms
            return True if at_ms <= now_ms else at_ms
        return True

    def started(self, now_ms: int) -> None:
        """Count a start for the pace."""
        if self.pace is not None:
            self.idle_at_us = reserve_start(self.pace, idle_at_us=self.idle_at_us, now_ms=now_ms).idle_at_us

    def hold(self, until_ms: int) -> None:
        """Take nothing before an instant; whatever was read until now is too old by then."""
        self.is_held = self.is_stale = self.is_behind = True
        self.held_until = until_ms
