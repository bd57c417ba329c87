"""Wait until an outbox item is finished, for a caller who would rather wait than ask again.

The store is asked with growing pauses: it alone knows what any worker has done, and a lost note delays nobody for
long. How many may wait at a time is bounded, so that waiting never becomes a load of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from hub.model.outbox import OutboxItem

#: A send over a quick bridge is done within some ten milliseconds; what is not done after seconds is not urgent.
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5
_GROWTH = 1.5
#: In one process. Whoever comes when so many wait is answered at once.
MOST_WAITING = 512


class Items(Protocol):
    """The part of the outbox that is asked."""

    async def get(self, outbox_id: int) -> OutboxItem | None: ...


class Verdicts:
    """Waits for outbox items."""

    def __init__(
        self,
        *,
        outbox: Items,
        sleep: Callable[[float], Awaitable[None]],
        monotonic: Callable[[], float],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._outbox = outbox
        self._sleep = sleep
        self._monotonic = monotonic
        self._most_waiting = most_waiting
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._waiting

    async def wait(self, outbox_id: int, *, seconds: float) -> tuple[OutboxItem | None, bool]:
        """Wait until the item is finished, at most so long.

        Returns:
            The item as it stands, or None if there is none; and whether anybody was ready to wait at all.
        """
        if self._waiting >= self._most_waiting:
            return await self._outbox.get(outbox_id), False
        self._waiting += 1
        try:
            return await self._poll(outbox_id, self._monotonic() + seconds), True
        finally:
            self._waiting -= 1

    async def _poll(self, outbox_id: int, until: float) -> OutboxItem | None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            item = await self._outbox.get(outbox_id)
            left = until - self._monotonic()
            if item is None or item.is_finished or left <= 0:
                return item
            await self._sleep(min(pause, left))
            pause = min(pause * _GROWTH, LONGEST_PAUSE_SECONDS)
