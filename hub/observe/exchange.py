"""Brings the metrics of all processes together over Redis."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.observe.metrics import Metrics, render

log = structlog.get_logger("metrics")

KEY = "hub:metrics"
PUBLISH_SECONDS = 5.0
#: A process that has not published for so long is gone.
LIFETIME_SECONDS = 20


class MetricsExchange:
    """Publishes this process's metrics and renders everyone's."""

    def __init__(self, metrics: Metrics, redis: Redis, *, process: str) -> None:
        self._metrics = metrics
        self._redis = redis
        self._process = process

    async def publish_for_ever(self) -> None:
        """Publish every few seconds; Redis being away loses only the page's share of this process."""
        while True:
            try:
                await self._redis.set(f"{KEY}:{self._process}", self._metrics.snapshot(), ex=LIFETIME_SECONDS)
            except (RedisError, OSError) as error:
                log.debug("metrics.unpublished", error=str(error))
            await asyncio.sleep(PUBLISH_SECONDS)

    async def render(self) -> bytes:
        """The page: this process as it is now, the others as they last said."""
        snapshots = {}
        try:
            keys: list[Any] = [key async for key in self._redis.scan_iter(match=f"{KEY}:*", count=100)]
            values: list[Any] = await self._redis.mget(keys) if keys else []
            for key, value in zip(keys, values, strict=True):
                if value is not None:
                    snapshots[key.decode().removeprefix(f"{KEY}:")] = value
        except (RedisError, OSError) as error:
            log.warning("metrics.partial", error=str(error))
        snapshots[self._process] = self._metrics.snapshot()
        return render(snapshots)
