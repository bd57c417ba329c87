"""Which shards of the lanes this worker drains: leased in SQL, renewed by heartbeat, shared out evenly.

The lease is on the shard, not on each row: taking work writes nothing, and a dead worker's work is free for
others when its lease runs out (docs/decisions/0004).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from hub.flow.ports import Clock
from hub.flow.repositories import Processes
from hub.rules.lanes import SHARD_COUNT

log = structlog.get_logger("worker")

#: A lease that is not renewed is let go one such part of its length before it is over.
MARGIN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """Who we are among the processes."""

    node: int
    name: str


class Ownership:
    """Keeps the lease and tells when it changes."""

    def __init__(
        self,
        processes: Processes,
        membership: Membership,
        *,
        clock: Clock,
        lease_ms: int,
        on_change: Callable[[Iterable[int]], None],
    ) -> None:
        self._processes = processes
        self._membership = membership
        self._clock = clock
        self._lease_ms = lease_ms
        self._on_change = on_change
        self._owned: dict[int, int] = {}
        self._lease_until = 0
        self._is_leaving = False
        #: Renewals that failed in a row.
        self._failures = 0
        self._renewing = asyncio.Lock()

    @property
    def shards(self) -> frozenset[int]:
        return frozenset(self._owned)

    @property
    def has_joined(self) -> bool:
        """Whether our presence, at the latest renewal, still counts."""
        return self._clock.now_ms() < self._lease_until

    async def run(self) -> None:
        """Renew at a third of the lease, until we leave. A lease that could not be renewed is let go in time."""
        while not self._is_leaving:
            is_renewed = await self.try_to_renew()
            # A failed renewal is tried again soon: two more before the lease is over would be few.
            await asyncio.sleep(self._lease_ms / (3000 if is_renewed else 10_000))

    async def try_to_renew(self) -> bool:
        """Renew, or let go of everything if that does not succeed before others may take over."""
        last_moment = self._lease_until - self._lease_ms // MARGIN if self._owned else None
        try:
            async with asyncio.timeout(self._seconds_until(last_moment)):
                await self.renew()
        except Exception as error:
            self._failures += 1
            if self._failures.bit_count() == 1:  # the first, second, fourth, eighth …: not a line a second
                log.warning(
                    "lease.renewal_failed",
                    error=str(error) or type(error).__name__,
                    failures=self._failures,
                )
            if last_moment is not None and self._clock.now_ms() >= last_moment - self._lease_ms // MARGIN:
                self._take({})
            return False
        self._failures = 0
        return True

    def _seconds_until(self, at_ms: int | None) -> float:
        wait_ms = self._lease_ms if at_ms is None else at_ms - self._clock.now_ms()
        return max(0.0, wait_ms / 1000)

    async def renew(self) -> None:
        """Say that we live, and take or give back shards so that every worker has its fair part."""
        async with self._renewing:
            if not self._is_leaving:
                await self._renew()

    async def _renew(self) -> None:
        now_ms = self._clock.now_ms()
        await self._processes.seen(self._membership.node, now=now_ms)
        workers = await self._processes.workers(seen_after=now_ms - self._lease_ms)
        count = max(1, len(set(workers) | {self._membership.name}))
        owned = await self._processes.take_shards(
            owner=self._membership.name,
            shard_count=SHARD_COUNT,
            want=-(-SHARD_COUNT // count),
            now=now_ms,
            lease_until=now_ms + self._lease_ms,
        )
        self._lease_until = now_ms + self._lease_ms
        self._take({} if self._is_leaving else owned)

    async def leave(self) -> None:
        """Free our shards for others at once; nothing is renewed any more."""
        self._is_leaving = True
        self._take({})
        async with self._renewing:  # a renewal under way would take them again
            await self._processes.release_shards(self._membership.name)
            await self._processes.leave(self._membership.node)

    def _take(self, owned: dict[int, int]) -> None:
        if owned.keys() != self._owned.keys():
            log.info("lease.changed", shards=sorted(owned))
            self._owned = owned
            self._on_change(owned)
