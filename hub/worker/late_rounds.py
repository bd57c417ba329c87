"""Runs routes from when there is a first one; until then it only asks whether there is (decision 28).

Events of before that are nobody's: installing the first route notes where it begins.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final

import structlog

from hub.flow.route_store import Routes

if TYPE_CHECKING:
    from hub.worker.runs import RouteRounds

log = structlog.get_logger("runs")

#: A first route is noticed after this time even if nobody tells of it.
_REST_SECONDS: Final = 1.0


class LateRounds:
    """What a worker does for routes.

    Args:
        routes: Tell whether one was ever installed.
        open_rounds: Gives what does the work.
    """

    def __init__(self, routes: Routes, *, open_rounds: Callable[[], Awaitable[RouteRounds]]) -> None:
        self._routes = routes
        self._open_rounds = open_rounds
        self._rounds: RouteRounds | None = None
        self._shards: frozenset[int] = frozenset()
        self._woken = asyncio.Event()
        self._is_draining = False

    @property
    def in_hand(self) -> int:
        """The number of runs under way."""
        return 0 if self._rounds is None else self._rounds.runs.in_hand

    def own(self, shards: Iterable[int]) -> None:
        """Work on these shards from now on, and no others."""
        self._shards = frozenset(shards)
        if self._rounds is not None:
            self._rounds.own(self._shards)

    def wake(self) -> None:
        """There may be a run whose time has come."""
        self._woken.set()
        if self._rounds is not None:
            self._rounds.runs.wake()

    def wake_triage(self) -> None:
        """Routes changed."""
        self._woken.set()
        if self._rounds is not None:
            self._rounds.triage.wake()

    async def run(self) -> None:
        """Work for ever."""
        while not await self._is_wanted():
            await self._rest()
        rounds = await self._open_rounds()
        if self._is_draining:
            await rounds.runs.drain()
        rounds.own(self._shards)
        self._rounds = rounds
        await asyncio.gather(
            rounds.runs.run(), rounds.triage.run(), rounds.moments.run(), rounds.connections.run()
        )

    async def drain(self) -> None:
        """Take no more runs, and let those in hand come to where they can be left."""
        self._is_draining = True
        if self._rounds is not None:
            await self._rounds.runs.drain()

    async def stop(self) -> None:
        """Leave runs in hand where they are."""
        self._is_draining = True
        if self._rounds is not None:
            await self._rounds.runs.stop()

    async def _is_wanted(self) -> bool:
        self._woken.clear()
        try:
            return await self._routes.version() > 0
        except Exception as error:
            log.warning("routes.unread", error=str(error) or type(error).__name__)
            return False

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REST_SECONDS):
                await self._woken.wait()
