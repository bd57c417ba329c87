"""All lanes of one worker, and the bounds on what they hold in memory.

Every move of a delivery into or out of a lane's queue goes through here, so that the count of all queued ones is
exact. Not here: when to post (hub.worker.dispatcher).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hub.flow.rows import DueDelivery
from hub.rules.lanes import shard_of
from hub.worker.lane import Lane

#: However full the memory is, each lane may hold so many: dead lanes must not keep a healthy one out.
ALWAYS_QUEUED = 4


class LaneBook:
    """Lanes by their webhook's id.

    Args:
        lane_queue: Deliveries waiting in one lane at the most.
        most_queued: Deliveries waiting in all lanes at the most, beside `ALWAYS_QUEUED` in each.
    """

    def __init__(self, *, lane_queue: int, most_queued: int) -> None:
        self._lane_queue = lane_queue
        self._most_queued = most_queued
        self._lanes: dict[int, Lane] = {}
        self._queued = 0

    @property
    def queued(self) -> int:
        """Deliveries waiting in all lanes."""
        return self._queued

    def __len__(self) -> int:
        return len(self._lanes)

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    def get(self, webhook_id: int) -> Lane | None:
        return self._lanes.get(webhook_id)

    def add(self, webhook_id: int) -> Lane:
        """Make a lane; the caller opens it."""
        lane = self._lanes[webhook_id] = Lane(webhook_id, shard_of(webhook_id))
        return lane

    def room(self, lane: Lane) -> int:
        """How many more deliveries the lane may take."""
        waiting = len(lane.queue)
        everywhere = max(self._most_queued - self._queued, ALWAYS_QUEUED - waiting, 0)
        return max(0, min(self._lane_queue - waiting, everywhere))

    def is_low(self, lane: Lane) -> bool:
        """Whether it is time to read on: a strictly ordered lane reads when it is empty, as its order is SQL's."""
        if lane.is_ordered:
            return not lane.queue
        return len(lane.queue) <= self._lane_queue // 2 and self.room(lane) > 0

    def offer(self, lane: Lane, due: DueDelivery) -> None:
        """Queue a delivery unless it is known; without room, remember that SQL holds more."""
        if due.id in lane.known:
            return
        if not self.room(lane):
            lane.is_behind = True
            return
        lane.known.add(due.id)
        queue = lane.queue
        if lane.is_ordered and queue and due.id < queue[-1].id:
            queue.insert(next(place for place, waiting in enumerate(queue) if due.id < waiting.id), due)
        else:
            queue.append(due)
        self._queued += 1

    def take(self, lane: Lane) -> DueDelivery:
        """Take the next delivery in hand; it stays known until it is committed."""
        self._queued -= 1
        return lane.queue.popleft()

    def drop_queue(self, lane: Lane, *, keep: int = 0) -> None:
        """Forget what waits in the lane; SQL still has it."""
        dropped = [due.id for due in islice(lane.queue, keep, None)]
        for _ in dropped:
            lane.queue.pop()
        self._queued -= len(dropped)
        lane.known.difference_update(dropped)
        if dropped:
            lane.is_behind = True

    def close(self, lane: Lane) -> None:
        """Give up a lane; it is remembered until nothing of it is in hand."""
        lane.is_closed = True
        self.drop_queue(lane)
        self.tidy(lane)

    def tidy(self, lane: Lane) -> None:
        """Forget a closed lane of which nothing is in hand."""
        if lane.is_closed and not lane.known and not lane.running:
            self._lanes.pop(lane.webhook_id, None)
