"""Waiting by hand: who waits for certain times goes on when a test says so, everybody else at once."""

from __future__ import annotations

import asyncio

from tests.worker.time_by_hand import eventually


class Hourglass:
    """A `sleep` for agents.

    Args:
        held: The times, in seconds, for which somebody waits until `turn`.
    """

    def __init__(self, *held: float) -> None:
        self._waiting: dict[float, list[asyncio.Event]] = {seconds: [] for seconds in held}

    async def __call__(self, seconds: float) -> None:
        if seconds not in self._waiting:
            await asyncio.sleep(0)
            return
        over = asyncio.Event()
        self._waiting[seconds].append(over)
        await over.wait()

    async def turn(self, seconds: float) -> None:
        """Let those go on who wait for a time, once there is one."""
        await eventually(lambda: self._waiting[seconds], f"nobody waits for {seconds:g} s")
        waiting, self._waiting[seconds] = self._waiting[seconds], []
        for over in waiting:
            over.set()
