"""When attachments are fetched from bridges: on a wake-up, and whenever the worker sweeps.

Not here: how one is fetched (hub.flow.attachments).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger("worker")


class Fetches:
    """Runs what is due, one round at a time; a call during a round asks for one more."""

    def __init__(self, run_due: Callable[[], Awaitable[int]]) -> None:
        #: Fetches a page of what is due; gives how many were tried.
        self._run_due = run_due
        self._is_wanted = False
        self._is_draining = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look for what is due."""
        self._is_wanted = True
        if not self._is_draining and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def drain(self) -> None:
        """Begin no further round; wait for the one under way, or cut it: its files are due again later."""
        self._is_draining = True
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def stop(self) -> None:
        """Cut the round under way."""
        self._is_draining = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _run(self) -> None:
        try:
            while self._is_wanted and not self._is_draining:
                self._is_wanted = False
                while await self._run_due() and not self._is_draining:
                    pass
        except Exception as error:
            log.warning("files.unfetched", error=str(error), reason="the next sweep looks again")
