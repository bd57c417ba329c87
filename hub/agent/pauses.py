"""How long an agent waits after a failure: doubling, with jitter, up to half a minute by default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0


class Pauses:
    """The pauses of one loop."""

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]],
        draw: Callable[[], float],
        *,
        first_seconds: float = FIRST_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._sleep = sleep
        self._draw = draw
        self._first = self._next = first_seconds
        self._longest = longest_seconds

    def over(self) -> None:
        """It works again."""
        self._next = self._first

    async def take(self) -> None:
        """Wait; between half and all of what doubles each time, so that many agents do not come at once."""
        seconds, self._next = self._next, min(self._next * 2, self._longest)
        await self._sleep(seconds * (0.5 + self._draw() / 2))
