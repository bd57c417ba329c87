"""One lane's memory in its owner: what waits, what runs, and whether it may.

No input or output here; the dispatcher moves lanes. Everything in a lane can be rebuilt from SQL.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hub.flow.rows import DueDelivery
from hub.model.webhook import Webhook
from hub.rules.breaker import BreakerState

#: A lane that fails this often in a row posts one at a time, so that dead receivers hold few places.
SUSPECT_AFTER = 2


@dataclass(slots=True)
class Lane:
    """The deliveries of one webhook, as its owner holds them."""

    webhook_id: int
    shard: int
    concurrency: int
    #: Least milliseconds between two starts; 0 for no pace.
    gap_ms: float
    is_ordered: bool
    #: As stored: since when it fails.
    failing_since: int | None
    queue: deque[DueDelivery] = field(default_factory=deque)
    #: Deliveries here, being posted, or waiting for their commit: not to be taken from SQL again.
    known: set[int] = field(default_factory=set)
    running: int = 0
    #: SQL may hold more than is here.
    is_behind: bool = False
    is_reading: bool = False
    breaker: BreakerState = field(default_factory=BreakerState)
    #: Unix ms before which nothing starts (throttled, or an ordered lane waiting for its head).
    blocked_until: int = 0
    #: Unix ms before which the pace forbids a start.
    next_start_at: float = 0
    #: The earliest deferred wake-up that was asked for, Unix ms.
    woken_at: int | None = None
    #: Waits in the dispatcher's line for a place.
    is_parked: bool = False

    def shape(self, webhook: Webhook, default_concurrency: int) -> None:
        """Take over what the webhook says about its lane."""
        self.is_ordered = webhook.is_ordered
        self.concurrency = 1 if webhook.is_ordered else webhook.concurrency or default_concurrency
        self.gap_ms = 1000 / webhook.rate_per_second if webhook.rate_per_second else 0

    @property
    def places(self) -> int:
        """How many may run at once just now."""
        return 1 if self.breaker.consecutive_failures >= SUSPECT_AFTER else self.concurrency

    @property
    def is_idle(self) -> bool:
        return not (self.known or self.running or self.is_behind)

    def offer(self, due: DueDelivery, most_queued: int) -> bool:
        """Queue a delivery unless it is here already; without room, remember that SQL holds more."""
        if due.id in self.known:
            return False
        if len(self.queue) >= most_queued:
            self.is_behind = True
            return False
        self.known.add(due.id)
        self.queue.append(due)
        return True

    def drop_queue(self) -> None:
        """Forget what waits here; SQL still has it."""
        self.known.difference_update(due.id for due in self.queue)
        self.queue.clear()
