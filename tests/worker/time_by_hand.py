"""Timers that ring when a test moves the clock, and waiting for what the real world does meanwhile."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from tests.support.manual_time import ManualClock

PATIENCE_SECONDS = 20.0


class ManualTimers:
    """hub.worker.timers.Timers on a clock that a test moves; held to the suite in test_timers."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._order = count()
        self._set: list[tuple[int, int, Callable[[], None]]] = []

    def call_at(self, at_ms: int, callback: Callable[[], None]) -> None:
        heapq.heappush(self._set, (at_ms, next(self._order), callback))

    @property
    def next_at(self) -> int | None:
        return self._set[0][0] if self._set else None

    def advance(self, milliseconds: int) -> None:
        """Let the time pass, and ring for what came due on the way."""
        end = self._clock.now_ms() + milliseconds
        while self._set and self._set[0][0] <= end:
            at_ms, _, callback = heapq.heappop(self._set)
            self._clock.advance(max(0, at_ms - self._clock.now_ms()))
            callback()
        self._clock.advance(end - self._clock.now_ms())


async def eventually(is_true: Callable[[], object], why: str = "it never came about") -> None:
    """Wait for something that other tasks, threads or processes bring about."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not is_true():
        assert asyncio.get_running_loop().time() < deadline, why
        await asyncio.sleep(0.001)
