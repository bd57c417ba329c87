"""Keeps idle connections, by scheme, host name, port and vetted address, within bounds.

Two names on one address never share a connection: what was verified for one name says nothing about the other.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from hub.outbound.connection import Connection
from hub.outbound.limits import OutboundLimits
from hub.outbound.messages import PoolKey


class IdlePool:
    """Connections between two requests, the longest idle one first in line to go."""

    def __init__(self, limits: OutboundLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._by_age: OrderedDict[Connection, None] = OrderedDict()
        self._by_key: dict[PoolKey, list[Connection]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._by_age)

    def take(self, key: PoolKey, addresses: tuple[str, ...], now: float) -> Connection | None:
        """Take the connection used last, if it is young enough and its address is one of those vetted now."""
        idle = self._by_key.get(key)
        while idle:
            connection = idle.pop()
            del self._by_age[connection]
            if (
                connection.is_open
                and now < connection.idle_until
                and connection.address in addresses
                and now - connection.created_at < self._limits.max_age_seconds
            ):
                return connection
            connection.close()
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection for the next request, or close it where there is no use or room for it."""
        limits = self._limits
        now = self._clock()
        kept_seconds = limits.idle_seconds
        if connection.keep_alive_seconds is not None:
            kept_seconds = min(kept_seconds, connection.keep_alive_seconds - 1.0)
        idle = self._by_key.setdefault(connection.key, [])
        if kept_seconds <= 0 or len(idle) >= limits.max_idle_per_pool:
            connection.close()
            return
        connection.idle_until = now + kept_seconds
        idle.append(connection)
        self._by_age[connection] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(limits.idle_sweep_seconds, self._sweep)

    def discard(self, connection: Connection) -> None:
        """Forget a connection that was lost; nothing happens if it is not kept."""
        if connection in self._by_age:
            del self._by_age[connection]
            self._by_key[connection.key].remove(connection)

    def evict_longest_idle(self) -> None:
        """Close the connection that was idle longest, to make room."""
        if self._by_age:
            connection = next(iter(self._by_age))
            self.discard(connection)
            connection.abort()

    def close_all(self) -> None:
        """Close every idle connection and stop the timer."""
        for connection in list(self._by_age):
            self.discard(connection)
            connection.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        now = self._clock()
        for connection in [c for c in self._by_age if now >= c.idle_until]:
            self.discard(connection)
            connection.close()
        self._by_key = {key: idle for key, idle in self._by_key.items() if idle}
        self._timer = None
        if self._by_key:
            self._timer = asyncio.get_running_loop().call_later(self._limits.idle_sweep_seconds, self._sweep)
