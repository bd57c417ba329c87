"""How a bridge is, asked of its network once a minute at the most: the hub asks every few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from hub.flow.ports import Clock

#: `online`, `degraded` or `offline`, and why.
State = tuple[str, str | None]
VALID_MS: Final = 60_000
#: How long who asks waits for a newer state than the one before.
WAIT_SECONDS: Final = 5.0
#: Why, where something else answers at an address.
NO_API: Final = (
    "What answers at `api_url` (status {status}) is not {title}'s API: the address is another one, or lacks its "
    "path or its https://."
)


class Checkup:
    """Remembers the last answer of a network.

    Args:
        ask: Asks it; it may take its time.
        clock: Tells how old an answer is.
        wait_seconds: How long for a newer answer than the one that is known.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[State]], clock: Clock, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._state: State | None = None
        self._asked_at = 0
        self._asking: asyncio.Future[State] | None = None

    async def state(self) -> State:
        """Give the state, which may be a minute old; older only while the network takes its time.

        Who asks may give up before the network answers, which goes on being asked: the next one hears of it.
        """
        now_ms = self._clock.now_ms()
        if self._asking is None:
            if self._state is not None and 0 <= now_ms - self._asked_at < VALID_MS:
                return self._state
            self._asked_at = now_ms
            self._asking = asyncio.ensure_future(self._ask())
        asking, known = self._asking, self._state
        await asyncio.wait({asking}, timeout=None if known is None else self._wait_seconds)
        if known is not None and not asking.done():
            return known
        if self._asking is asking:
            self._asking = None
        self._state = asking.result()
        return self._state
