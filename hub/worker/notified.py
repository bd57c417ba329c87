"""arq's worker, woken instead of polling: idle costs nothing, pick-up takes milliseconds.

arq looks into its queue every `poll_delay`; short delays burn CPU, long ones wait. This one looks when told
(the wake-up stream says that a job was added), when the next deferred job is due, and at the latest after
`LONGEST_WAIT_SECONDS`. It survives Redis going away.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker
from redis.exceptions import RedisError

log = structlog.get_logger("worker")

#: Also the resolution of cron jobs.
LONGEST_WAIT_SECONDS = 5.0
AFTER_ERROR_SECONDS = 0.5
#: While more is due than is started at once.
SHORTEST_WAIT_SECONDS = 0.02


class NotifiedWorker(Worker):
    """Runs wake-ups, crons and long jobs."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, poll_delay=LONGEST_WAIT_SECONDS, handle_signals=False, **options)
        self._notice = asyncio.Event()
        self._has_more = False
        #: Whether Redis was away at the last look.
        self.is_deaf = False

    def notify(self) -> None:
        """Look into the queue now."""
        self._notice.set()

    async def main(self) -> None:
        if self.on_startup:
            await self.on_startup(self.ctx)
        self.ctx["redis"] = self.pool
        while True:
            self._notice.clear()
            try:
                self._has_more = False
                await self._poll_iteration()
                wait_seconds = SHORTEST_WAIT_SECONDS if self._has_more else await self._until_next()
                self.is_deaf = False
            except (RedisError, OSError) as error:
                if not self.is_deaf:  # once, and not twice a second
                    log.warning(
                        "jobs.unheard", error=str(error), reason="retention and clean-up wait for Redis"
                    )
                self.is_deaf = True
                wait_seconds = AFTER_ERROR_SECONDS
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._notice.wait()
            except TimeoutError:
                continue

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start what came due, and remember whether there was more of it than is taken at once."""
        await super().start_jobs(job_ids)
        self._has_more = self.job_counter >= self.max_jobs or len(job_ids) >= self.queue_read_limit

    async def _until_next(self) -> float:
        """Seconds until the earliest job that is not already running comes due."""
        pool: ArqRedis = self.pool
        now_ms = time.time() * 1000
        later: Any = await pool.zrangebyscore(
            self.queue_name, min=now_ms, max="+inf", start=0, num=1, withscores=True
        )
        if not later:
            return LONGEST_WAIT_SECONDS
        due_ms = float(later[0][1])
        return max(0.001, min(LONGEST_WAIT_SECONDS, (due_ms - now_ms) / 1000))
