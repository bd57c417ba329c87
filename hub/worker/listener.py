"""Listens to the wake-up stream and tells the parts of a worker what to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.worker.wakeups import STREAM

log = structlog.get_logger("worker")

BLOCK_MS = 5000
MOST_ENTRIES = 512


class Listener:
    """Reads wake-ups for ever; reconnects for ever."""

    def __init__(
        self,
        redis: Redis,
        *,
        on_range: Callable[[int, int], None],
        on_note: Callable[[str, str], None],
        on_gap: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._on_range = on_range
        self._on_note = on_note
        self._on_gap = on_gap
        self._last_id = "$"

    async def run(self) -> None:
        """Read; after any trouble say that wake-ups may have been missed."""
        delay = 0.05
        while True:
            try:
                await self._read()
                delay = 0.05
            except (RedisError, OSError) as error:
                log.warning("wakeups.unheard", error=str(error), retry_in_seconds=delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
                self._on_gap()

    async def _read(self) -> None:
        if self._last_id == "$":
            newest: Any = await self._redis.xrevrange(STREAM, count=1)
            self._last_id = newest[0][0].decode() if newest else "0-0"
            self._on_gap()
        answer: Any = await self._redis.xread({STREAM: self._last_id}, count=MOST_ENTRIES, block=BLOCK_MS)
        for _, entries in answer or ():
            for entry_id, fields in entries:
                self._last_id = entry_id.decode()
                self._hear(fields)

    def _hear(self, fields: dict[bytes, bytes]) -> None:
        for text in filter(None, fields.get(b"r", b"").split(b",")):
            first, _, last = text.partition(b"-")
            self._on_range(int(first), int(last))
        for text in filter(None, fields.get(b"n", b"").split(b",")):
            kind, _, subject = text.decode().partition(":")
            self._on_note(kind, subject)
