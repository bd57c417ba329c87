"""Somebody who listens to a bridge while a test does something else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from hub.model.observation import Observation

#: No news for so long, in real seconds, and the bridge has told everything.
QUIET_SECONDS: Final = 0.25
#: For what comes for certain, however slow the machine is.
_LONG_SECONDS: Final = 30.0


class Listening:
    """Somebody who listens to a bridge while a test writes."""

    def __init__(self, events: AsyncIterator[Observation | tuple[Observation, ...]]) -> None:
        self._events = events
        self._heard: asyncio.Queue[Observation] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._listen())
        #: Everything that was heard.
        self.all: list[Observation] = []

    async def _listen(self) -> None:
        async for told in self._events:
            for observation in told if isinstance(told, tuple) else (told,):
                self._heard.put_nowait(observation)

    async def until_quiet(self, seconds: float = QUIET_SECONDS, *, at_least: int = 0) -> list[Observation]:
        """Give what comes until nothing has come for a while; so many come for certain, if it takes long."""
        heard = [await asyncio.wait_for(self._next(), _LONG_SECONDS) for _ in range(at_least)]
        with contextlib.suppress(TimeoutError):
            while True:
                heard.append(await asyncio.wait_for(self._next(), seconds))
        self.all += heard
        return heard

    async def next(self) -> Observation:
        """Give the next one, whenever it comes."""
        observation = await asyncio.wait_for(self._next(), _LONG_SECONDS)
        self.all.append(observation)
        return observation

    @property
    def cursor(self) -> str | None:
        """The last one heard."""
        return next((each.cursor for each in reversed(self.all) if each.cursor is not None), None)

    async def stop(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _next(self) -> Observation:
        getting = asyncio.ensure_future(self._heard.get())
        try:
            await asyncio.wait({getting, self._task}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
        finally:
            getting.cancel()
        self._task.result()  # raises what ended it
        raise AssertionError("the events of a bridge never end")
