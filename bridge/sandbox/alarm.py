"""Wait for a moment or for news, whichever is first; a test hands in one that makes time pass instead."""

from __future__ import annotations

import asyncio
from typing import Protocol

from hub.flow.ports import Clock


class Alarm(Protocol):
    """Wakes whoever waits for evidence."""

    async def wait_until(self, at_ms: int) -> None:
        """Return at `at_ms` (Unix ms), or earlier when `ring` was called since the last return."""
        ...

    def ring(self) -> None:
        """There is news."""
        ...


class LoopAlarm:
    """An alarm on the running event loop, for one that waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._news = asyncio.Event()

    async def wait_until(self, at_ms: int) -> None:
        try:
            async with asyncio.timeout(max(0, at_ms - self._clock.now_ms()) / 1000):
                await self._news.wait()
        except TimeoutError:
            return  # the moment came
        finally:
            self._news.clear()

    def ring(self) -> None:
        self._news.set()
