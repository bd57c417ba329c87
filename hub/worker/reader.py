"""Reads due deliveries out of SQL, one read at a time, whatever the number of wake-ups.

One read at a time is what keeps a delivery from being taken twice: while a read is under way, the ids committed
meanwhile are remembered, and what the read still shows as pending is told apart from them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import structlog

from hub.flow.ports import Clock, HotStore, HotTransaction
from hub.flow.rows import DueDelivery
from hub.rules.lanes import shard_of

log = structlog.get_logger("worker")

#: Rows of new deliveries in one read; longer ranges are read on in the next turn.
MOST_ROWS = 1000
#: Ranges remembered while the database is slow; beyond it a sweep finds what they meant.
MOST_RANGES = 1000
#: Lanes refilled in one read.
MOST_LANES = 64
AFTER_ERROR_SECONDS = 0.5

Range = tuple[int, int]


class LaneRequest(NamedTuple):
    """How much of which lane to read."""

    limit: int
    is_ordered: bool


class FoundLane(NamedTuple):
    """What a read showed of one lane."""

    webhook_id: int
    #: Each with its due time, Unix ms; of a strictly ordered lane also what is not due yet.
    dated: list[tuple[int, DueDelivery]]
    #: The limit cut the list.
    is_cut: bool


class Found(NamedTuple):
    """What one read showed."""

    #: Never attempted, from the ranges.
    new: list[DueDelivery]
    #: What was not read of the ranges, for the next turn.
    rest: list[Range]
    lanes: list[FoundLane]
    #: Webhooks with pending deliveries in the swept shards, and when the earliest is due.
    pending: list[tuple[int, int]]
    #: Unix ms of the read's start.
    read_at: int


class _Wanted(NamedTuple):
    ranges: list[Range]
    lanes: dict[int, LaneRequest]
    sweeps: frozenset[int]


class Reader:
    """Collects what is to be read, and reads it.

    Args:
        describe: Called for each lane when its read begins.
        on_found: Called with what a read showed.
    """

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
        self._ranges: list[Range] = []
        self._lanes: dict[int, None] = {}
        self._sweeps: frozenset[int] = frozenset()
        self._wanted = asyncio.Event()
        self._owned: frozenset[int] = frozenset()
        self._is_reading = False
        #: Committed since the read under way began: what it shows of them is out of date.
        self.committed: set[int] = set()

    @property
    def is_busy(self) -> bool:
        """Whether a read is under way or wanted."""
        return self._is_reading or self._wanted.is_set()

    def own(self, shards: frozenset[int]) -> None:
        """Read these shards only, and look into the new ones at once."""
        gained, self._owned = shards - self._owned, shards
        if gained:
            self.sweep(gained)

    def want_range(self, first_id: int, last_id: int) -> None:
        """Read new deliveries with an id in the range."""
        self._ranges.append((first_id, last_id))
        if len(self._ranges) > MOST_RANGES:
            self._ranges = []
            self.sweep(self._owned)
        self._wanted.set()

    def want_lane(self, webhook_id: int) -> None:
        """Read what is due in a lane."""
        self._lanes[webhook_id] = None
        self._wanted.set()

    def sweep(self, shards: Iterable[int]) -> None:
        """Look for everything pending in these shards."""
        self._sweeps |= frozenset(shards)
        self._wanted.set()

    def is_committed(self, delivery_ids: Iterable[int]) -> None:
        """Remember what a read under way cannot know."""
        if self._is_reading:
            self.committed.update(delivery_ids)

    async def run(self) -> None:
        """Read whenever something is wanted, for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._read_once()

    async def _read_once(self) -> None:
        wanted = self._take_wanted()
        self.committed.clear()
        self._is_reading = True
        try:
            found = await self._store.read(lambda tx: self._read(tx, wanted))
        except Exception as error:  # the database is away
            log.warning("deliveries.unread", error=str(error))
            self._want_again(wanted)
            await asyncio.sleep(AFTER_ERROR_SECONDS)
            return
        finally:
            self._is_reading = False
        self._ranges += found.rest
        self._on_found(found)
        if self._ranges or self._lanes or self._sweeps:
            self._wanted.set()

    def _take_wanted(self) -> _Wanted:
        ranges, self._ranges = joined(self._ranges), []
        # The longest waiting first: however many lanes ask, each has its turn.
        lanes = {webhook_id: self._describe(webhook_id) for webhook_id in list(self._lanes)[:MOST_LANES]}
        for webhook_id in lanes:
            del self._lanes[webhook_id]
        sweeps, self._sweeps = self._sweeps & self._owned, frozenset()
        return _Wanted(ranges, lanes, sweeps)

    def _want_again(self, wanted: _Wanted) -> None:
        """Ask for the same once more; what ranges meant, a sweep finds as well."""
        for webhook_id in wanted.lanes:
            self.want_lane(webhook_id)
        self.sweep(self._owned if wanted.ranges else wanted.sweeps)

    async def _read(self, tx: HotTransaction, wanted: _Wanted) -> Found:
        owned, read_at = sorted(self._owned), self._clock.now_ms()
        new, rest = await _read_ranges(tx, wanted.ranges if owned else [], owned)
        lanes = [
            await _read_lane(tx, webhook_id, request, read_at) for webhook_id, request in wanted.lanes.items()
        ]
        pending = [entry for shard in sorted(wanted.sweeps) for entry in await tx.pending_lanes(shard)]
        return Found(new, rest, lanes, pending, read_at)


async def _read_ranges(
    tx: HotTransaction, ranges: Sequence[Range], shards: Sequence[int]
) -> tuple[list[DueDelivery], list[Range]]:
    new: list[DueDelivery] = []
    for place, (first_id, last_id) in enumerate(ranges):
        most = MOST_ROWS - len(new)
        rows = await tx.deliveries_between(first_id, last_id, shards, most)
        new += rows
        if len(rows) == most:
            return new, [(rows[-1].id + 1, last_id), *ranges[place + 1 :]]
    return new, []


async def _read_lane(tx: HotTransaction, webhook_id: int, request: LaneRequest, read_at: int) -> FoundLane:
    shard, limit = shard_of(webhook_id), request.limit
    if request.is_ordered:
        dated = await tx.ordered_deliveries(webhook_id, shard, limit)
    else:
        due = await tx.due_deliveries(webhook_id, shard, read_at, limit)
        dated = [(read_at, row) for row in due]
    return FoundLane(webhook_id, dated, len(dated) >= limit)


def joined(ranges: Sequence[Range]) -> list[Range]:
    """Merge overlapping ranges; a hundred wake-ups are often a few ranges."""
    merged: list[Range] = []
    for first_id, last_id in sorted(ranges):
        if merged and first_id <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last_id))
        else:
            merged.append((first_id, last_id))
    return merged
