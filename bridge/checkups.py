"""How a bridge is, asked of its network once a minute at the most: the hub asks every few seconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from hub.flow.ports import Clock

#: `online`, `degraded` or `offline`, and why.
State = tuple[str, str | None]
VALID_MS: Final = 60_000


class Checkup:
    """Remembers the last answer of a network."""

    def __init__(self, ask: Callable[[], Awaitable[State]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._state: State = ("online", None)
        self._asked_at: int | None = None

    async def state(self) -> State:
        """Give the state, which may be a minute old."""
        now_ms = self._clock.now_ms()
        if self._asked_at is None or not 0 <= now_ms - self._asked_at < VALID_MS:
            self._asked_at = now_ms
            self._state = await self._ask()
        return self._state
