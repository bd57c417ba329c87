"""Wake-ups over Redis: a small stream for what is due now, arq for what is due later.

A wake-up says where to look, never what to do, so losing or repeating one is harmless. Callers never wait:
wake-ups collect while one round trip is under way and go together in the next. Redis being away costs
latency (the next sweep), not deliveries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import structlog
from arq.connections import ArqRedis

from hub.flow.ports import Clock

log = structlog.get_logger("wakeups")

STREAM = "hub:wake"
#: Entries kept; a worker that missed more finds its work by sweeping.
STREAM_LENGTH = 10_000
QUEUE = "hub:jobs"
#: Later than this, a wake-up is left to the sweeps: arq keeps a deferred job for a day only.
MOST_DEFERRED_MS = 20 * 3_600_000
#: Ranges so close to each other become one: ids of one process and millisecond.
NEAR = 4096


class RedisWakeUps:
    """Sends wake-ups to all workers."""

    def __init__(self, redis: ArqRedis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._ranges: list[tuple[int, int]] = []
        self._notes: dict[str, None] = {}
        self._deferred: dict[tuple[str, int], int] = {}
        self._task: asyncio.Task[None] | None = None

    def deliveries_recorded(self, first_id: int, last_id: int) -> None:
        if self._ranges and self._ranges[-1][0] <= first_id <= self._ranges[-1][1] + NEAR:
            first_id, known_last = self._ranges.pop()
            last_id = max(last_id, known_last)
        self._ranges.append((first_id, last_id))
        self._start()

    def lane_due(self, webhook_id: int, at_ms: int) -> None:
        self._due("lane", webhook_id, at_ms)

    def line_due(self, line_id: int, at_ms: int) -> None:
        self._due("line", line_id, at_ms)

    def configuration_changed(self) -> None:
        self._notes["config"] = None
        self._start()

    def runs_due(self) -> None:
        self._notes["runs"] = None
        self._start()

    def routes_changed(self) -> None:
        self._notes["routes"] = None
        self._start()

    def files_due(self) -> None:
        self._notes["files"] = None
        self._start()

    def job_added(self) -> None:
        """A long job (a replay, a purge) waits to be run."""
        self._deferred["run_jobs", 0] = self._clock.now_ms()
        self._start()

    async def flush(self) -> None:
        """Wait until what was said so far is sent or given up."""
        if self._task is not None:
            await self._task

    def _due(self, kind: str, lane_id: int, at_ms: int) -> None:
        now_ms = self._clock.now_ms()
        if at_ms <= now_ms:
            self._notes[f"{kind}:{lane_id}"] = None
        elif at_ms - now_ms <= MOST_DEFERRED_MS:
            earlier = self._deferred.get((kind, lane_id))
            self._deferred[kind, lane_id] = at_ms if earlier is None else min(earlier, at_ms)
        else:
            return
        self._start()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._ranges or self._notes or self._deferred:
            ranges, self._ranges = self._ranges, []
            notes, self._notes = self._notes, {}
            deferred, self._deferred = self._deferred, {}
            try:
                await self._send_once(ranges, list(notes), deferred)
            except Exception as error:
                log.warning("wakeups.lost", error=str(error), reason="Redis is away; sweeps find the work")
                await asyncio.sleep(0.1)

    async def _send_once(
        self, ranges: list[tuple[int, int]], notes: list[str], deferred: dict[tuple[str, int], int]
    ) -> None:
        for (kind, lane_id), at_ms in deferred.items():
            await self._defer(kind, lane_id, at_ms)
        if deferred:
            notes.append("jobs")
        fields: dict[str, str] = {}
        if ranges:
            fields["r"] = ",".join(f"{first}-{last}" for first, last in ranges)
        if notes:
            fields["n"] = ",".join(notes)
        sent: Awaitable[Any] = self._redis.xadd(STREAM, fields, maxlen=STREAM_LENGTH, approximate=True)  # type: ignore[arg-type] # redis-py types the mapping invariantly
        await sent

    async def _defer(self, kind: str, lane_id: int, at_ms: int) -> None:
        """Enqueue an arq job; one id a lane and second, so that repeats collapse and none blocks a later one."""
        if kind == "run_jobs":
            await self._redis.enqueue_job("run_jobs", _queue_name=QUEUE)
            return
        second = -(-at_ms // 1000)
        await self._redis.enqueue_job(
            "wake",
            f"{kind}:{lane_id}",
            _job_id=f"{kind}:{lane_id}:{second}",
            _queue_name=QUEUE,
            _defer_until=datetime.fromtimestamp(at_ms / 1000, UTC),
        )
