"""The bell between processes (hub.flow.agent_store.Bell), over Redis. Disposable, like wake-ups: callers never wait.

Nothing is subscribed to before somebody waits; from then on this process listens, and reconnects for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.flow.agent_store import Waiting
from hub.flow.bells import LocalBell

log = structlog.get_logger("bell")

CHANNEL: Final = "hub:bell"
LISTEN_SECONDS: Final = 5.0
#: After trouble; doubles up to the longest.
SHORTEST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 2.0


class RedisBell:
    """Rings in every process."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._local = LocalBell()
        self._names: dict[str, None] = {}
        self._telling: asyncio.Task[None] | None = None
        self._hearing: asyncio.Task[None] | None = None

    @property
    def is_closed(self) -> bool:
        return self._local.is_closed

    def ring(self, name: str) -> None:
        self._local.ring(name)
        self._names[name] = None
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    @contextlib.contextmanager
    def waiting(self, *names: str) -> Iterator[Waiting]:
        if self._hearing is None:
            self._hearing = asyncio.get_running_loop().create_task(self._hear_for_ever())
        with self._local.waiting(*names) as ear:
            yield ear

    def close(self) -> None:
        """Send everybody home."""
        self._local.close()

    async def aclose(self) -> None:
        """Say what is left to say, and listen no more."""
        self.close()
        if self._telling is not None:
            await self._telling
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)

    async def _tell(self) -> None:
        while self._names:
            names, self._names = self._names, {}
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for name in names:
                        pipeline.publish(CHANNEL, name)
                    await pipeline.execute()
            except (RedisError, OSError) as error:
                log.debug("bell.unrung", error=str(error))  # who waits looks into SQL, too

    async def _hear_for_ever(self) -> None:
        delay = SHORTEST_WAIT_SECONDS
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    self._local.ring_all()
                    delay = SHORTEST_WAIT_SECONDS
                    await self._hear(pubsub)
            except (RedisError, OSError) as error:
                log.debug("bell.unheard", error=str(error))
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_WAIT_SECONDS)

    async def _hear(self, pubsub: Any) -> None:
        while True:
            message = await pubsub.get_message(timeout=LISTEN_SECONDS)
            if message is not None:
                self._local.ring(message["data"].decode("utf-8", "replace"))
