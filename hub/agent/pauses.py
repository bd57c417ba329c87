"""How long an agent waits after a failure: doubling, with jitter, up to half a minute."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0


class Pauses:
    """The pauses of one loop."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], draw: Callable[[], float]) -> None:
        self._sleep = sleep
        self._draw = draw
        self._next = FIRST_SECONDS

    def over(self) -> None:
        """It works again."""
        self._next = FIRST_SECONDS

    async def take(self) -> None:
        """Wait; between half and all of what doubles each time, so that many agents do not come at once."""
        seconds, self._next = self._next, min(self._next * 2, LONGEST_SECONDS)
        await self._sleep(seconds * (0.5 + self._draw() / 2))
