"""Who types, told by imsg's helper: a subscription of its own, that overflows, ends, and comes with the helper.

`bridge.events.subscribe` works only while the helper runs inside Messages, and ends by itself with
`bridge.events.overflow` or `bridge.events.error` (docs/rpc.md). What was missed is not told again, and nobody needs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog

from bridge.imsg.lane import Lane
from bridge.imsg.reading import typing_of
from bridge.imsg.rpc import Notification, Refused, RpcChild, RpcFailed, Sleep
from bridge.imsg.status import read_status
from bridge.macos.placing import Placing
from hub.flow.ports import Clock
from hub.model.observation import Observation

log = structlog.get_logger("bridge")

SUBSCRIBE: Final = "bridge.events.subscribe"
_ENDS: Final = frozenset({"bridge.events.error", "bridge.events.overflow"})
#: Between two looks whether the helper runs (again).
ASK_EVERY_MS: Final = 60_000
_TICK_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 30.0
#: Taken at once.
_MOST: Final = 200


class Ears:
    """The subscription of one child."""

    def __init__(self, lane: Lane, *, placing: Placing, clock: Clock) -> None:
        self._lane = lane
        self._placing = placing
        self._clock = clock
        self._is_open = False

    async def begin(self, methods: frozenset[str]) -> None:
        """Subscribe, unless that was done or does not work now.

        Raises:
            RpcFailed: imsg does not answer.
        """
        if self._is_open or SUBSCRIBE not in methods:
            return
        try:
            await self._lane.request(SUBSCRIBE, {})
            self._is_open = True
        except Refused as error:
            log.info("imsg.no_typing", error=str(error))

    def end(self) -> None:
        """Forget it: the child is another one."""
        self._is_open = False

    def take(self, told: Notification) -> tuple[Observation, ...] | None:
        """Give what a notification says of who types; None for one that is of something else."""
        if told.method in _ENDS:
            self._is_open = False
            return ()
        if told.method != "bridge.event":
            return None
        line, event = self._placing.line_of(None), told.params.get("event")
        if line is None or not isinstance(event, dict):
            return ()
        shown = typing_of(event, line=line, now_ms=self._clock.now_ms())
        return () if shown is None else (shown,)


async def typing_only(
    lane: Lane, *, placing: Placing, clock: Clock, sleep: Sleep
) -> AsyncIterator[tuple[Observation, ...]]:
    """Tell who types, and nothing else, for ever: messages are read from the database."""
    ears = Ears(lane, placing=placing, clock=clock)
    while True:
        try:
            async for told in _listen(lane, ears, clock=clock, sleep=sleep):
                yield told
        except RpcFailed as error:
            log.info("imsg.no_typing", error=str(error))
        await sleep(_RETRY_SECONDS)


async def _listen(
    lane: Lane, ears: Ears, *, clock: Clock, sleep: Sleep
) -> AsyncIterator[tuple[Observation, ...]]:
    """Tell until the child ends."""
    ears.end()
    child, asked_at = await lane.child(), None
    while True:
        now_ms = clock.now_ms()
        if asked_at is None or not 0 <= now_ms - asked_at < ASK_EVERY_MS:
            asked_at = now_ms
            await ears.begin(read_status(await lane.request("status")).methods)
        heard = await hear(child, sleep)
        if heard is None:
            return
        if told := [each for notification in heard for each in ears.take(notification) or ()]:
            yield tuple(told)


async def hear(child: RpcChild, sleep: Sleep, *, waits: bool = True) -> list[Notification] | None:
    """Give what has been told, at once or within a second; None when the child has ended, and told all."""
    if waits and child.notifications.empty():
        await _is_told(child, sleep)
    heard: list[Notification] = []
    while len(heard) < _MOST and not child.notifications.empty():
        notification = child.notifications.get_nowait()
        if notification is None and not heard:
            return None
        if notification is None:
            child.notifications.put_nowait(None)  # its end comes after what it told
            break
        heard.append(notification)
    return heard


async def _is_told(child: RpcChild, sleep: Sleep) -> None:
    """Wait for something to be told; not longer than a second."""
    tick = asyncio.ensure_future(sleep(_TICK_SECONDS))
    waiting = asyncio.ensure_future(child.is_heard())
    try:
        await asyncio.wait({waiting, tick}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        tick.cancel()
