"""Reads due deliveries out of SQL, one read at a time, whatever the number of wake-ups.

One read at a time is what keeps a delivery from being taken twice: while a read is under way, the ids committed
meanwhile are remembered, and what the read still shows as pending is told apart from them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import structlog

from hub.flow.ports import Clock, HotStore, HotTransaction
from hub.flow.rows import DueDelivery
from hub.rules.lanes import shard_of

log = structlog.get_logger("worker")

#: Rows of one range read; a longer range is read on in the next turn.
MOST_ROWS = 1000
#: Lanes refilled in one read.
MOST_LANES = 64
AFTER_ERROR_SECONDS = 0.5


class LaneRequest(NamedTuple):
    """How much of which lane to read."""

    limit: int
    is_ordered: bool


class Found(NamedTuple):
    """What one read showed."""

    #: Never attempted, from the ranges.
    new: list[DueDelivery]
    #: By lane: (due at, delivery); and whether the limit cut the list.
    lanes: list[tuple[int, list[tuple[int, DueDelivery]], bool]]
    #: Webhooks with pending deliveries in the swept shards, and when the earliest is due.
    pending: list[tuple[int, int]]
    #: Unix ms of the read's start.
    read_at: int


class Reader:
    """Collects what is to be read, and reads it."""

    def __init__(
        self,
        store: HotStore,
        clock: Clock,
        *,
        describe: Callable[[int], LaneRequest],
        on_found: Callable[[Found], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._describe = describe
        self._on_found = on_found
        self._ranges: deque[tuple[int, int]] = deque()
        self._lanes: dict[int, None] = {}
        self._sweeps: set[int] = set()
        self._wanted = asyncio.Event()
        self._owned: frozenset[int] = frozenset()
        #: Committed since the read under way began.
        self.committed: set[int] = set()

    def own(self, shards: frozenset[int]) -> None:
        """Read these shards only, and look into the new ones at once."""
        self.sweep(shards - self._owned)
        self._owned = shards

    def want_range(self, first_id: int, last_id: int) -> None:
        self._ranges.append((first_id, last_id))
        self._wanted.set()

    def want_lane(self, webhook_id: int) -> None:
        self._lanes[webhook_id] = None
        self._wanted.set()

    def sweep(self, shards: Iterable[int]) -> None:
        """Look for everything pending in these shards."""
        self._sweeps |= set(shards)
        self._wanted.set()

    async def run(self) -> None:
        """Read whenever something is wanted, for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._read_once()
            except Exception as error:  # the database is away: the next sweep finds what was wanted
                log.warning("deliveries.unread", error=str(error))
                await asyncio.sleep(AFTER_ERROR_SECONDS)
                self.sweep(self._owned)

    async def _read_once(self) -> None:
        ranges = joined([self._ranges.popleft() for _ in range(len(self._ranges))])
        lanes = {
            webhook_id: self._describe(webhook_id)
            for webhook_id in [self._lanes.popitem()[0] for _ in range(min(MOST_LANES, len(self._lanes)))]
        }
        sweeps, self._sweeps = self._sweeps & self._owned, set()
        self.committed.clear()
        found = await self._store.read(lambda tx: self._read(tx, ranges, lanes, sweeps))
        self._on_found(found)
        if self._ranges or self._lanes or self._sweeps:
            self._wanted.set()

    async def _read(
        self,
        tx: HotTransaction,
        ranges: Sequence[tuple[int, int]],
        lanes: dict[int, LaneRequest],
        sweeps: set[int],
    ) -> Found:
        owned, read_at = sorted(self._owned), self._clock.now_ms()
        new: list[DueDelivery] = []
        for first_id, last_id in ranges if owned else ():
            rows = await tx.deliveries_between(first_id, last_id, owned, MOST_ROWS)
            new += rows
            if len(rows) == MOST_ROWS:
                self._ranges.append((rows[-1].id + 1, last_id))
        refilled = []
        for webhook_id, (limit, is_ordered) in lanes.items():
            if is_ordered:
                dated = await tx.ordered_deliveries(webhook_id, shard_of(webhook_id), limit)
            else:
                due = await tx.due_deliveries(webhook_id, shard_of(webhook_id), read_at, limit)
                dated = [(read_at, row) for row in due]
            refilled.append((webhook_id, dated, len(dated) >= limit))
        pending = [entry for shard in sweeps for entry in await tx.pending_lanes(shard)]
        return Found(new, refilled, pending, read_at)


def joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge overlapping ranges; a hundred wake-ups are often a few ranges."""
    merged: list[tuple[int, int]] = []
    for first_id, last_id in sorted(ranges):
        if merged and first_id <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last_id))
        else:
            merged.append((first_id, last_id))
    return merged
