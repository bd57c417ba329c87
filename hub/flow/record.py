"""Record events together with the deliveries that they owe: one transaction, so accepted means attempted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from hub.flow.directory import Directory, DirectoryHolder, StaleDirectory
from hub.flow.ports import Clock, HotStore, HotTransaction, WakeUps
from hub.flow.rows import DeliveryRow, EventRow
from hub.model.delivery import DeliveryState
from hub.rules.lanes import shard_of

TakeIds = Callable[[int], list[int]]
Result = TypeVar("Result")
#: Hot work, and the events that follow from it; their ids are given when they are recorded.
Telling = Callable[[HotTransaction], Awaitable[tuple[Result, Sequence[EventRow]]]]


async def require_current(tx: HotTransaction, directory: Directory) -> None:
    """Raise StaleDirectory when lines, bridges or webhooks changed since the snapshot."""
    if await tx.revision() != directory.revision:
        raise StaleDirectory


async def record_events(
    tx: HotTransaction, directory: Directory, events: Sequence[EventRow], *, take_ids: TakeIds, now_ms: int
) -> tuple[set[int], list[DeliveryRow]]:
    """Insert the events that are new, and a delivery for each webhook that wants one.

    Returns:
        The ids of the new events, and the deliveries.

    Raises:
        StaleDirectory: Lines, bridges or webhooks changed since the snapshot.
    """
    wanted = [
        (event.id, webhook_id)
        for event in events
        for webhook_id in directory.table.match(event.type, event.line_id, _payload(event))
    ]
    deliveries = [
        _delivery(delivery_id, event_id, webhook_id, directory, now_ms)
        for delivery_id, (event_id, webhook_id) in zip(take_ids(len(wanted)), wanted, strict=True)
    ]
    revision, inserted = await tx.record(events, deliveries)
    if revision != directory.revision:
        raise StaleDirectory
    return inserted, [row for row in deliveries if row.event_id in inserted]


def _payload(event: EventRow) -> Callable[[], dict[str, object]]:
    """Give conditions the payload as receivers see it; parsed only if a condition asks."""
    return lambda: {"event": event.type, "data": msgspec.json.decode(event.data)}


def _delivery(
    delivery_id: int, event_id: int, webhook_id: int, directory: Directory, now_ms: int
) -> DeliveryRow:
    is_active = directory.webhooks[webhook_id].is_active
    state = DeliveryState.PENDING if is_active else DeliveryState.HELD
    return DeliveryRow(delivery_id, event_id, webhook_id, shard_of(webhook_id), state, now_ms)


class Recorder:
    """Runs work that has something to tell: its rows, its events and what they owe are one transaction."""

    def __init__(
        self,
        *,
        store: HotStore,
        directory: DirectoryHolder,
        take_ids: TakeIds,
        wake_ups: WakeUps,
        clock: Clock,
    ) -> None:
        self._store = store
        self._directory = directory
        self._wake_ups = wake_ups
        self._clock = clock
        self._take_ids = take_ids

    async def write(self, work: Telling[Result]) -> Result:
        """Run the work, again if lines or webhooks changed meanwhile, and wake the lanes of what it owes."""
        while True:
            directory = self._directory.current
            try:
                result, deliveries = await self._store.write(
                    lambda tx: self._write_in(tx, directory, work)  # noqa: B023 - used within the turn
                )
            except StaleDirectory:
                await self._directory.refresh()
                continue
            pending = [row.id for row in deliveries if row.state == DeliveryState.PENDING]
            if pending:
                self._wake_ups.deliveries_recorded(pending[0], pending[-1])
            return result

    async def _write_in(
        self, tx: HotTransaction, directory: Directory, work: Telling[Result]
    ) -> tuple[Result, list[DeliveryRow]]:
        result, told = await work(tx)
        if not told:
            return result, []
        ids = self._take_ids(len(told))
        events = [event._replace(id=number) for number, event in zip(ids, told, strict=True)]
        _, deliveries = await record_events(
            tx, directory, events, take_ids=self._take_ids, now_ms=self._clock.now_ms()
        )
        return result, deliveries
