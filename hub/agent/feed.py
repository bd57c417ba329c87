"""Tell the hub what the network shows: POST /v1/bridge/events, and the cursor only moves after the 202.

A batch that was not answered is sent again as it was, under the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final, Literal

import msgspec
import structlog

from hub.agent.journal import Journal
from hub.agent.link import HubAway, HubLink, HubRefused
from hub.agent.pauses import Pauses
from hub.agent.refused import OWN_BRIDGE
from hub.flow.ports import BridgeAdapter, Clock
from hub.flow.refused import RefusedBook, too_large, unsound
from hub.model.observation import Observation
from hub.model.refused import Origin
from hub.rules.refusals import validate

log = structlog.get_logger("agent")

SEND_SECONDS: Final = 60.0
_encode: Final = msgspec.json.Encoder().encode
#: What a batch may be refused for though most of it is sound.
_TOO_LARGE: Final = 413
_ONE_IS_WRONG: Final = frozenset({400, _TOO_LARGE, 422})


class _Result(msgspec.Struct):
    status: Literal["recorded", "duplicate", "refused"]


class _Taken(msgspec.Struct):
    results: list[_Result]


class EventFeed:
    """Pumps what the adapter sees to the hub."""

    def __init__(
        self,
        *,
        adapter: BridgeAdapter,
        link: HubLink,
        journal: Journal,
        clock: Clock,
        pauses: Callable[[], Pauses],
        draw_id: Callable[[], str],
        most_events: Callable[[], int],
        refused: RefusedBook,
    ) -> None:
        self._refused = refused
        self._adapter = adapter
        self._link = link
        self._journal = journal
        self._clock = clock
        self._pauses = pauses
        self._draw_id = draw_id
        self._most_events = most_events
        self._listening: asyncio.Task[None] | None = None

    def resume(self) -> None:
        """Begin again from the cursor: the machine slept, or the connection may be gone."""
        if self._listening is not None:
            self._listening.cancel()

    async def run(self) -> None:
        """Listen for ever."""
        pauses = self._pauses()
        while True:
            self._listening = asyncio.get_running_loop().create_task(self._listen(pauses))
            try:
                await asyncio.wait({self._listening})
            finally:
                self._listening.cancel()
                await asyncio.gather(self._listening, return_exceptions=True)
            if not self._listening.cancelled():
                log.warning("feed.ended", exc_info=self._listening.exception())
                await pauses.take()

    async def _listen(self, pauses: Pauses) -> None:
        told = self._adapter.events(self._journal.cursor)
        try:
            async for found in told:
                await self._take(found if isinstance(found, tuple) else (found,))
                pauses.over()
        finally:
            if isinstance(told, AsyncGenerator):
                with contextlib.suppress(Exception):
                    await told.aclose()

    async def _take(self, found: Sequence[Observation]) -> None:
        sound = [each for each in found if self._is_sound(each)]
        most = self._most_events()
        for first in range(0, len(sound), most):
            await self._send(sound[first : first + most])
        await self._refused.flush(OWN_BRIDGE)
        cursor = next((each.cursor for each in reversed(found) if each.cursor is not None), None)
        if cursor is not None:
            self._journal.move_cursor(cursor)

    async def _send(self, batch: Sequence[Observation]) -> None:
        """Send a batch until it is taken in; of one that is refused, each half, and pass over what is wrong."""
        body, request_id, pauses = _encode({"events": batch}), self._draw_id(), self._pauses()
        while True:
            try:
                answer = await self._link.post("events", body, request_id, timeout_seconds=SEND_SECONDS)
            except HubAway as error:
                log.warning("hub.away", error=str(error), waiting=len(batch))
                await pauses.take()
                continue
            except HubRefused as error:
                if error.status not in _ONE_IS_WRONG:
                    # The secret was turned, the bridge is off: somebody has to do something, and nothing is lost.
                    log.error("events.refused", code=error.code, reason=str(error))
                    await pauses.take()
                    continue
                await self._halve(batch, error)
                return
            self._count(answer)
            return

    async def _halve(self, batch: Sequence[Observation], error: HubRefused) -> None:
        if len(batch) == 1:
            log.error("observation.refused", kind=batch[0].kind, reason=str(error), raw_ref=batch[0].raw_ref)
            if error.status == _TOO_LARGE:  # the others are kept by the hub, which could read them
                self._refused.note(OWN_BRIDGE, too_large(batch[0]))
            return
        middle = len(batch) // 2
        await self._send(batch[:middle])
        await self._send(batch[middle:])

    def _count(self, answer: bytes) -> None:
        try:
            results = msgspec.json.decode(answer, type=_Taken).results
        except msgspec.MsgspecError:
            results = []
        statuses = [each.status for each in results]
        log.info(
            "events.told",
            recorded=statuses.count("recorded"),
            duplicate=statuses.count("duplicate"),
            refused=statuses.count("refused"),
        )

    def _is_sound(self, observation: Observation) -> bool:
        wrong = validate(observation, now_ms=self._clock.now_ms())
        if wrong is not None:
            log.warning("observation.refused", kind=observation.kind, path=wrong.path, reason=wrong.why)
            self._refused.note(OWN_BRIDGE, unsound(observation, wrong, Origin.AGENT))
        return wrong is None
