"""Call back at an instant of the hub's clock, never earlier.

The event loop counts by another clock than the one that stamps due times: a timer of the loop alone can ring a
moment too early, and whoever then looks at the clock would find nothing due and wait for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from hub.flow.ports import Clock

#: The clock is looked at again at least so often: it may have been set.
LONGEST_WAIT_SECONDS = 60.0


class Timers(Protocol):
    """Rings when it is time."""

    def call_at(self, at_ms: int, callback: Callable[[], None]) -> None:
        """Call back once, soon after the clock has reached `at_ms` (Unix ms)."""
        ...


class LoopTimers:
    """Timers of the running event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def call_at(self, at_ms: int, callback: Callable[[], None]) -> None:
        wait_seconds = max(0, at_ms - self._clock.now_ms()) / 1000
        loop = asyncio.get_running_loop()
        loop.call_later(min(wait_seconds, LONGEST_WAIT_SECONDS), self._ring, at_ms, callback)

    def _ring(self, at_ms: int, callback: Callable[[], None]) -> None:
        if self._clock.now_ms() < at_ms:
            self.call_at(at_ms, callback)
        else:
            callback()
