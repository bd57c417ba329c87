"""Keeps limits of providers for all processes together: who would have to wait long is given a place and comes back.

A place is kept under the attempt's key, so that a run that was told to wait does not queue again when it returns.
The arithmetic is that of hub.rules.pacing. While Redis is away each process counts for itself.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.rules.connectors.limiting import Bucket

log = structlog.get_logger("connectors")

#: Nobody is given a place later than this.
LONGEST_PLACE_MS: Final = 3_600_000
#: Buckets and places that one process remembers; the longest unused go first.
MOST_KEPT: Final = 10_000
_PATIENCE_SECONDS: Final = 0.25
_REST_MS: Final = 1_000

_TAKE: Final = """
local now, soon, latest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count = #KEYS - 2
local function kept(key) return tonumber(redis.call('GET', key) or '0') end
local rest = kept(KEYS[count + 1])
local start = kept(KEYS[count + 2])
if start > 0 then
  if rest > start then start = rest end
  if start - now <= soon then
    redis.call('DEL', KEYS[count + 2])
    return {1, string.format('%.0f', math.max(0, start - now))}
  end
  return {0, string.format('%.0f', start - now)}
end
start = math.max(now, rest)
for i = 1, count do
  start = math.max(start, kept(KEYS[i]) - tonumber(ARGV[3 + 2 * i]))
end
local wait = start - now
if wait > latest then return {0, string.format('%.0f', latest)} end
for i = 1, count do
  local idle = math.max(kept(KEYS[i]), start) + tonumber(ARGV[2 + 2 * i])
  redis.call('SET', KEYS[i], string.format('%.0f', idle), 'PX', math.max(1, math.ceil((idle - now) / 1000)))
end
if wait <= soon then return {1, string.format('%.0f', wait)} end
redis.call('SET', KEYS[count + 2], string.format('%.0f', start), 'PX', math.ceil(wait / 1000) + 3600000)
return {0, string.format('%.0f', wait)}
"""


@dataclass(frozen=True, slots=True)
class Wait:
    """When a request may start."""

    #: Whether it may after this short wait; if not, to come back after it.
    is_soon: bool
    ms: int


class Paces(Protocol):
    """Gives starts."""

    async def take(
        self, buckets: Sequence[Bucket], *, owner: str, place: str, now_ms: int, soon_ms: int
    ) -> Wait:
        """Take a start from all buckets, or a place in the queue for them.

        Args:
            buckets: What the request counts in.
            owner: Whose rest it heeds (`rest`).
            place: The same for each attempt at the same request.
            now_ms: Unix ms.
            soon_ms: The longest wait that is worth staying for.
        """
        ...

    async def rest(self, owner: str, *, until_ms: int, now_ms: int) -> None:
        """Let nothing of an owner start before an instant."""
        ...


class LocalPaces:
    """Counts in this process alone."""

    def __init__(self) -> None:
        #: Microseconds: when a bucket is idle again, an owner's rest is over, a place comes up.
        self._kept: OrderedDict[str, int] = OrderedDict()

    async def take(
        self, buckets: Sequence[Bucket], *, owner: str, place: str, now_ms: int, soon_ms: int
    ) -> Wait:
        now, soon = now_ms * 1000, soon_ms * 1000
        rest = self._kept.get(f"rest:{owner}", 0)
        start = self._kept.get(f"place:{place}", 0)
        if start:
            start = max(start, rest)
            if start - now <= soon:
                del self._kept[f"place:{place}"]
            return _wait(start - now, soon)
        start = max(now, rest)
        for bucket in buckets:
            start = max(start, self._kept.get(bucket.name, 0) - _tolerance_us(bucket))
        if start - now > LONGEST_PLACE_MS * 1000:
            return Wait(is_soon=False, ms=LONGEST_PLACE_MS)
        for bucket in buckets:
            idle = max(self._kept.get(bucket.name, 0), start) + _interval_us(bucket)
            self._keep(bucket.name, idle)
        if start - now > soon:
            self._keep(f"place:{place}", start)
        return _wait(start - now, soon)

    async def rest(self, owner: str, *, until_ms: int, now_ms: int) -> None:
        del now_ms
        self._keep(f"rest:{owner}", until_ms * 1000)

    def _keep(self, name: str, value: int) -> None:
        self._kept[name] = value
        self._kept.move_to_end(name)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


class RedisPaces:
    """Counts for all processes; falls back to counting alone while Redis is away."""

    def __init__(self, redis: Redis, *, prefix: str = "hub:pace") -> None:
        self._redis = redis
        self._prefix = prefix
        self._take: Any = redis.register_script(_TAKE)
        self._fallback = LocalPaces()
        self._rests_until = 0

    async def take(
        self, buckets: Sequence[Bucket], *, owner: str, place: str, now_ms: int, soon_ms: int
    ) -> Wait:
        names = [each.name for each in buckets] + [f"rest:{owner}", f"place:{place}"]
        spans = [span for each in buckets for span in (_interval_us(each), _tolerance_us(each))]
        arguments = [now_ms * 1000, soon_ms * 1000, LONGEST_PLACE_MS * 1000, *spans]
        if now_ms >= self._rests_until:
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    is_soon, wait = await self._take(
                        keys=[f"{self._prefix}:{name}" for name in names], args=arguments
                    )
                return Wait(is_soon=bool(is_soon), ms=math.ceil(int(wait) / 1000))
            except (RedisError, OSError, TimeoutError) as error:
                self._alone(error, now_ms)
        return await self._fallback.take(buckets, owner=owner, place=place, now_ms=now_ms, soon_ms=soon_ms)

    async def rest(self, owner: str, *, until_ms: int, now_ms: int) -> None:
        await self._fallback.rest(owner, until_ms=until_ms, now_ms=now_ms)
        if until_ms <= now_ms or now_ms < self._rests_until:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._redis.set(f"{self._prefix}:rest:{owner}", until_ms * 1000, px=until_ms - now_ms)
        except (RedisError, OSError, TimeoutError) as error:
            self._alone(error, now_ms)

    def _alone(self, error: Exception, now_ms: int) -> None:
        self._rests_until = now_ms + _REST_MS
        log.warning("connectors.paced_alone", error=str(error) or type(error).__name__)


def _wait(wait_us: int, soon_us: int) -> Wait:
    return Wait(is_soon=wait_us <= soon_us, ms=max(0, math.ceil(wait_us / 1000)))


def _interval_us(bucket: Bucket) -> int:
    return math.ceil(1_000_000 / bucket.pace.rate_per_second)


def _tolerance_us(bucket: Bucket) -> int:
    return (bucket.pace.burst - 1) * _interval_us(bucket)
