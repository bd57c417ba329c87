"""The queue as people see it: what waits, what is stuck, how old it is, a webhook and a line at a time.

Counting walks all that waits, so callers at the same time share one count, and it is believed for a second.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hub.flow.event_store import LaneStanding, Queue
from hub.flow.ports import Clock

BELIEVED_MS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """All that waits, at one moment."""

    #: Unix ms.
    counted_at: int
    deliveries: list[LaneStanding]
    outbox: list[LaneStanding]


class QueueBook:
    """Counts what waits."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._believed: Standing | None = None
        self._counting = asyncio.Lock()

    async def standing(self) -> Standing:
        """Give what waits, as it was a second ago at the most."""
        async with self._counting:
            now = self._clock.now_ms()
            if self._believed is None or not 0 <= now - self._believed.counted_at < BELIEVED_MS:
                self._believed = Standing(
                    counted_at=now,
                    deliveries=await self._queue.deliveries(now=now),
                    outbox=await self._queue.outbox(now=now),
                )
            return self._believed


def total_of(lanes: list[LaneStanding]) -> LaneStanding:
    """Add up lanes; the id of the sum is 0."""
    others: dict[int, int] = {}
    for lane in lanes:
        for state, number in lane.others.items():
            others[state] = others.get(state, 0) + number
    return LaneStanding(
        lane_id=0,
        due=sum(lane.due for lane in lanes),
        scheduled=sum(lane.scheduled for lane in lanes),
        oldest_id=min((lane.oldest_id for lane in lanes if lane.oldest_id is not None), default=None),
        others=others,
        retrying=sum(lane.retrying for lane in lanes),
    )
