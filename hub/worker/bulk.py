"""Feeds bulk sends of the lines in this worker's shards: round after round while there is one, else asleep.

Losing a wake-up only delays: the sweep wakes it, too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from hub.flow.ports import Clock
from hub.model.bulk import BulkJob
from hub.rules.lanes import shard_of

log = structlog.get_logger("bulk")

#: Between two looks at a job whose messages are under way: a line sends about one a second.
LOOK_SECONDS = 0.25

Feed = Callable[[BulkJob], Awaitable[int | None]]


class BulkRounds:
    """Goes round the jobs."""

    def __init__(
        self,
        *,
        running: Callable[[], Awaitable[Sequence[BulkJob]]],
        cut_off: Callable[[], Awaitable[Sequence[BulkJob]]],
        feed: Feed,
        shards: Callable[[], frozenset[int]],
        clock: Clock,
    ) -> None:
        self._running = running
        #: Gives jobs that were cancelled and have something queued still.
        self._cut_off = cut_off
        self._feed = feed
        self._shards = shards
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be a job."""
        self._woken.set()

    async def run(self) -> None:
        """Go round for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while (look_at := await self.go_round()) is not None:
                await self._rest(max((look_at - self._clock.now_ms()) / 1000, LOOK_SECONDS))

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until somebody wakes us."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    async def go_round(self) -> int | None:
        """Feed each job of ours once; one that cannot be fed does not keep the others waiting.

        Returns:
            Unix ms at which to go round again; None when no job of ours runs.
        """
        shards = self._shards()
        look_at: list[int] = []
        try:
            all_jobs = [*await self._cut_off(), *await self._running()]
            jobs = [job for job in all_jobs if shard_of(job.line_id) in shards]
        except Exception as error:
            log.warning("bulk.unread", error=str(error), reason="the next sweep reads them")
            return None
        for job in jobs:
            try:
                due_at = await self._feed(job)
            except Exception as error:
                log.warning("bulk.unfed", job_id=job.id, error=str(error), reason="the next round feeds it")
                due_at = self._clock.now_ms() + 1000
            if due_at is not None:
                look_at.append(due_at)
        return min(look_at, default=None)
