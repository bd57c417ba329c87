"""The places for posts in one worker, and which lane gets the next one.

A lane has few places of its own, and all lanes together have a limit. While some lane waits for a place, whoever
ends a post gives its place to the one that waits longest: a flood in many lanes does not keep another one out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from hub.flow.ports import Clock
from hub.flow.rows import DueDelivery
from hub.worker.lane import Lane
from hub.worker.lanebook import LaneBook

Work = Callable[[Lane, DueDelivery], Awaitable[None]]


class Posts:
    """Runs posts.

    Args:
        lanes: Where deliveries are taken from.
        most_in_flight: Posts under way at the most.
        is_full: Whether results wait to be recorded in such numbers that nothing new is to be started.
        work: Makes one attempt; must not raise.
        rest: Called with a lane that may go on at an instant, Unix ms.
        on_low: Called with a lane that has room and more in SQL.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        lanes: LaneBook,
        most_in_flight: int,
        is_full: Callable[[], bool],
        work: Work,
        rest: Callable[[Lane, int], None],
        on_low: Callable[[Lane], None],
    ) -> None:
        self._clock = clock
        self._lanes = lanes
        self._most_in_flight = most_in_flight
        self._is_full = is_full
        self._work = work
        self._rest = rest
        self._on_low = on_low
        self._parked: deque[Lane] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_draining = False
        #: Posts under way.
        self.count = 0

    def pump(self, lane: Lane) -> None:
        """Start posts while the lane and the process have places."""
        while lane.running < lane.places and self._may_take(lane):
            if self.count >= self._most_in_flight or self._is_full():
                self._park(lane)
                return
            lane.running += 1
            self.count += 1
            task = asyncio.get_running_loop().create_task(self._run(lane, self._take(lane)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def serve_parked(self) -> None:
        """Give free places to those who wait, each in its turn."""
        for _ in range(len(self._parked)):
            if self.count >= self._most_in_flight or self._is_full():
                return
            lane = self._parked.popleft()
            lane.is_parked = False
            self.pump(lane)

    async def drain(self) -> None:
        """Start nothing more; return when all posts have ended."""
        self._is_draining = True
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, lane: Lane, due: DueDelivery) -> None:
        """Post one delivery after another while the lane has some and may."""
        following: DueDelivery | None = due
        try:
            while following is not None:
                await self._work(lane, following)
                following = self._following(lane)
        finally:
            lane.running -= 1
            self.count -= 1
            self._lanes.tidy(lane)
            self.serve_parked()
            self.pump(lane)
            if not lane.queue:
                self._on_low(lane)

    def _following(self, lane: Lane) -> DueDelivery | None:
        """Take the lane's next delivery into the place that became free, unless another lane waits for it."""
        if lane.running > lane.places or not self._may_take(lane):
            return None
        if self._is_full() or (self._parked and self.count >= self._most_in_flight):
            self._park(lane)
            return None
        due = self._take(lane)
        if lane.queue and lane.running < lane.places:
            self.pump(lane)  # the lane has recovered: it has more places than before
        return due

    def _may_take(self, lane: Lane) -> bool:
        if not lane.queue or lane.is_held or self._is_draining:
            return False
        until = lane.may_start(self._clock.now_ms())
        if until is True:
            return True
        self._rest(lane, until)
        return False

    def _take(self, lane: Lane) -> DueDelivery:
        due = self._lanes.take(lane)
        lane.started(self._clock.now_ms())
        if lane.is_behind and self._lanes.is_low(lane):
            self._on_low(lane)
        return due

    def _park(self, lane: Lane) -> None:
        if not lane.is_parked:
            lane.is_parked = True
            self._parked.append(lane)
