"""Remember when each bridge was last heard, to the minute: often enough for people, seldom enough for a hot path."""

from __future__ import annotations

from typing import Final

import structlog

from hub.flow.bridge_store import Bridges
from hub.flow.ports import Clock
from hub.model.errors import StoreError

log = structlog.get_logger("bridges")

#: How often one process notes the same bridge.
NOTED_EVERY_MS: Final = 60_000


class Heartbeats:
    """Notes that bridges are there."""

    def __init__(self, bridges: Bridges, clock: Clock) -> None:
        self._bridges = bridges
        self._clock = clock
        self._noted: dict[int, int] = {}

    async def heard(self, bridge_id: int) -> None:
        """Note that a bridge spoke just now."""
        now_ms = self._clock.now_ms()
        if now_ms - self._noted.get(bridge_id, -NOTED_EVERY_MS) < NOTED_EVERY_MS:
            return
        self._noted[bridge_id] = now_ms
        try:
            await self._bridges.heard(bridge_id, at=now_ms)
        except (
            StoreError
        ) as error:  # what it said is recorded; that alone must not be answered with a failure
            log.warning("bridge.unnoted", bridge_id=bridge_id, error=str(error))
