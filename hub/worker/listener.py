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
#: After trouble; doubles up to the longest.
SHORTEST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 2.0


class Listener:
    """Reads wake-ups for ever; reconnects for ever."""

    def __init__(
        self,
        redis: Redis,
        *,
        on_range: Callable[[int, int], None],
        on_note: Callable[[str, str], None],
        on_gap: Callable[[], None],
        block_ms: int = BLOCK_MS,
    ) -> None:
        self._redis = redis
        self._on_range = on_range
        self._on_note = on_note
        self._on_gap = on_gap
        self._block_ms = block_ms
        #: The last entry heard; None before the first and when it may no longer count.
        self._last_id: bytes | None = None

    async def run(self) -> None:
        """Read; after any trouble say that wake-ups may have been missed."""
        delay, failures = SHORTEST_WAIT_SECONDS, 0
        while True:
            try:
                await self._read()
                delay, failures = SHORTEST_WAIT_SECONDS, 0
            except (RedisError, OSError) as error:
                failures += 1
                if failures.bit_count() == 1:  # the first, second, fourth, eighth …: a night is a page
                    log.warning(
                        "wakeups.unheard", error=str(error), retry_in_seconds=delay, failures=failures
                    )
                self._last_id = None
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_WAIT_SECONDS)
                self._on_gap()

    async def _read(self) -> None:
        """Read on; where to begin is asked anew at the start and after any trouble or silence.

        A stream that was emptied may number its entries from the start again, and we would hear nothing.
        """
        if self._last_id is None:
            newest: Any = await self._redis.xrevrange(STREAM, count=1)
            self._last_id = newest[0][0] if newest else b"0-0"
            self._on_gap()
        answer: Any = await self._redis.xread(
            {STREAM: self._last_id}, count=MOST_ENTRIES, block=self._block_ms
        )
        if not answer:
            await self._check_that_it_goes_on()
        for _, entries in answer or ():
            for entry_id, fields in entries:
                self._last_id = entry_id
                self._hear(fields)

    async def _check_that_it_goes_on(self) -> None:
        newest: Any = await self._redis.xrevrange(STREAM, count=1)
        if newest and _order(newest[0][0]) < _order(self._last_id or b"0-0"):
            self._last_id = None

    def _hear(self, fields: dict[bytes, bytes]) -> None:
        try:
            self._tell(fields)
        except ValueError as error:
            log.warning("wakeups.unreadable", error=str(error))

    def _tell(self, fields: dict[bytes, bytes]) -> None:
        for text in filter(None, fields.get(b"r", b"").split(b",")):
            first, _, last = text.partition(b"-")
            self._on_range(int(first), int(last))
        for text in filter(None, fields.get(b"n", b"").split(b",")):
            kind, _, subject = text.decode().partition(":")
            self._on_note(kind, subject)


def _order(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition(b"-")
    return int(milliseconds), int(sequence)
