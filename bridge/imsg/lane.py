"""A lane to imsg: a child process that is started when it is needed, and again after it ended or hung.

Long-lived children have wedged (openclaw/openclaw #90850), so watching and sending have a lane each, and whoever does
not answer in time is ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from bridge.imsg.rpc import NotAsked, RpcChild, Sleep, Unanswered
from bridge.macos.tallies import Tallies
from hub.flow.ports import Clock

log = structlog.get_logger("bridge")

#: For questions; sends may take three minutes: bridges of imsg have stalled for 124 s.
PROBE_SECONDS: Final = 10.0
SEND_SECONDS: Final = 180.0
_FIRST_WAIT_MS: Final = 1_000
_LONGEST_WAIT_MS: Final = 60_000


class Lane:
    """Asks imsg.

    Args:
        name: `watch` or `send`, for the log.
        command: Starts it.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, clock: Clock, sleep: Sleep, tallies: Tallies
    ) -> None:
        self._name = name
        self._command = tuple(command)
        self._clock = clock
        self._sleep = sleep
        self._tallies = tallies
        self._child: RpcChild | None = None
        self._starting = asyncio.Lock()
        self._failures = 0
        self._not_before = 0
        self._is_closed = False

    async def request(
        self, method: str, params: Mapping[str, Any] | None = None, *, seconds: float = PROBE_SECONDS
    ) -> dict[str, Any]:
        """Ask; start a child if there is none.

        Raises:
            NotAsked: There is none, and it is too early for another; nothing was asked.
            Refused: It said no.
            Unanswered: No answer; the child was ended.
        """
        child = await self.child()
        try:
            result = await child.request(method, params or {}, seconds=seconds)
        except Unanswered as error:
            log.warning("imsg.unanswered", lane=self._name, method=method, code=error.code)
            await self.restart()
            raise
        self._failures = 0
        return result

    async def child(self) -> RpcChild:
        """Give the running child.

        Raises:
            NotAsked: There is none, and it is too early for another.
        """
        async with self._starting:
            if self._child is not None and self._child.is_alive:
                return self._child
            if self._child is not None:
                await self._drop()
            now_ms = self._clock.now_ms()
            # Farther ahead than any wait: the clock was set back.
            is_early = now_ms < self._not_before <= now_ms + _LONGEST_WAIT_MS
            if self._is_closed or is_early:
                raise NotAsked("imsg has ended, and is started again in a moment")
            self._not_before = now_ms + self._next_wait()
            self._child = await RpcChild.start(self._command, sleep=self._sleep, tallies=self._tallies)
            return self._child

    async def restart(self) -> None:
        """End the child; the next question starts another."""
        async with self._starting:
            await self._drop()

    async def aclose(self) -> None:
        self._is_closed = True
        async with self._starting:
            if self._child is not None:
                await self._child.aclose()
                self._child = None

    async def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            self._failures += 1
            self._tallies.note("restarted")
            self._not_before = max(self._not_before, self._clock.now_ms() + self._next_wait())
            child.kill()
            await child.aclose()

    def _next_wait(self) -> int:
        """Give the wait before another child: none after a first failure, then longer and longer."""
        again = self._failures - 2
        return min(_FIRST_WAIT_MS * 2 ** min(again, 10), _LONGEST_WAIT_MS) if again >= 0 else 0
