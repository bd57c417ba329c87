"""Has connections looked after by the worker that owns the first shard, and shows how they stand in the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

import structlog

from hub.flow.connection_states import ConnectionStanding
from hub.observe.metrics import Metrics

log = structlog.get_logger("connectors")

_FIRST_SHARD: Final = 0
#: Between two rounds: how late a test may be.
ROUND_SECONDS: Final = 60.0


class Watch(Protocol):
    """What a round does."""

    async def go_round(self, is_ours: Callable[[], bool]) -> Sequence[ConnectionStanding]:
        """Test what is due; say how all stand."""
        ...

    def rest(self) -> None:
        """It is another's."""
        ...


class ConnectionRounds:
    """Looks after connections, while this worker owns the first shard."""

    def __init__(
        self, watch: Watch, *, metrics: Metrics, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._watch = watch
        self._metrics = metrics
        self._sleep = sleep
        self._is_ours = asyncio.Event()

    def own(self, shards: Iterable[int]) -> None:
        """Look after them, or leave them to the worker that owns the first shard."""
        if _FIRST_SHARD in shards:
            self._is_ours.set()
            return
        self._is_ours.clear()
        self._watch.rest()
        self._metrics.connection_works.clear()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._is_ours.wait()
            await self.go_round()
            await self._sleep(ROUND_SECONDS)

    async def go_round(self) -> None:
        """Look once; what fails is looked at again in the next round."""
        try:
            found = await self._watch.go_round(self._is_ours.is_set)
        except Exception as error:
            log.warning("connections.unwatched", error=str(error) or type(error).__name__)
            return
        gauge = self._metrics.connection_works
        gauge.clear()
        if self._is_ours.is_set():
            for each in found:
                if each.state != "ok" or each.works is not None:
                    gauge.labels(each.name).set(each.state == "ok")
