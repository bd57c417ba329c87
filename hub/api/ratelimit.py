"""How often one key may ask: a fixed window, of an hour unless a dialect counts otherwise, that begins with the key's
first request.

The vendor's promise is "requests per hour" (contracts: messages.dev §1), so request limit + 1 within the hour is
refused and the next hour begins anew. Redis counts for all processes together in one round trip; when it is away
each process counts for itself, because a counter is no reason to refuse service.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger("ratelimit")

WINDOW_MS: Final = 3_600_000
#: Keys that one process remembers; the longest unused go first.
MOST_KEYS: Final = 10_000
#: Longer than this, Redis counts as away.
_PATIENCE_SECONDS: Final = 0.25
#: After a failure Redis is left alone for so long, so that its absence does not slow every request.
_REST_MS: Final = 1_000

#: The clock is the caller's: all processes agree to within their clocks, and a test can turn it.
_TAKE: Final = """
local started = tonumber(redis.call('HGET', KEYS[1], 's'))
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not started or now >= started + window or now < started - window then
  redis.call('HSET', KEYS[1], 's', ARGV[1], 'n', 1)
  redis.call('PEXPIRE', KEYS[1], window)
  return {ARGV[1], 1}
end
local used = tonumber(redis.call('HGET', KEYS[1], 'n'))
if used <= limit then used = redis.call('HINCRBY', KEYS[1], 'n', 1) end
return {tostring(started), used}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RateDecision:
    """Whether one more request is allowed, and how the window stands."""

    is_allowed: bool
    limit: int
    remaining: int
    #: Unix ms at which the window ends.
    resets_at: int

    def retry_after_seconds(self, now_ms: int) -> int:
        """Whole seconds until the window ends, at least one."""
        return max(1, -(-(self.resets_at - now_ms) // 1000))


class RateLimiter(Protocol):
    """Counts requests."""

    async def take(self, key_id: int, limit: int, now_ms: int, *, window_ms: int = WINDOW_MS) -> RateDecision:
        """Count one request of a key; a refused one does not use anything up."""
        ...


class LocalRateLimiter:
    """Counts in this process alone."""

    def __init__(self) -> None:
        #: Key id and length of the window → (its start, requests in it).
        self._windows: OrderedDict[tuple[int, int], tuple[int, int]] = OrderedDict()

    async def take(self, key_id: int, limit: int, now_ms: int, *, window_ms: int = WINDOW_MS) -> RateDecision:
        started, used = self._windows.get((key_id, window_ms), (now_ms, 0))
        if not started - window_ms <= now_ms < started + window_ms:
            started, used = now_ms, 0
        used = min(used, limit) + 1
        self._windows[key_id, window_ms] = (started, used)
        self._windows.move_to_end((key_id, window_ms))
        if len(self._windows) > MOST_KEYS:
            self._windows.popitem(last=False)
        return _decision(started, used, limit, window_ms)


class RedisRateLimiter:
    """Counts for all processes; falls back to counting alone while Redis is away."""

    def __init__(self, redis: Redis, *, prefix: str = "hub:rate") -> None:
        self._redis = redis
        self._prefix = prefix
        self._take: Any = redis.register_script(_TAKE)
        self._fallback = LocalRateLimiter()
        self._rests_until = 0

    async def take(self, key_id: int, limit: int, now_ms: int, *, window_ms: int = WINDOW_MS) -> RateDecision:
        if now_ms < self._rests_until:
            return await self._fallback.take(key_id, limit, now_ms, window_ms=window_ms)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                started, used = await self._take(
                    keys=[f"{self._prefix}:{key_id}:{window_ms}"], args=[now_ms, window_ms, limit]
                )
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = now_ms + _REST_MS
            log.warning("ratelimit.alone", error=str(error) or type(error).__name__)
            return await self._fallback.take(key_id, limit, now_ms, window_ms=window_ms)
        return _decision(int(started), int(used), limit, window_ms)


def _decision(started: int, used: int, limit: int, window_ms: int) -> RateDecision:
    return RateDecision(
        is_allowed=used <= limit, limit=limit, remaining=max(0, limit - used), resets_at=started + window_ms
    )
