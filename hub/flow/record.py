"""Record events together with the deliveries that they owe: one transaction, so accepted means attempted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from hub.flow.directory import Directory, StaleDirectory
from hub.flow.ports import HotTransaction
from hub.flow.rows import DeliveryRow, EventRow
from hub.model.delivery import DeliveryState
from hub.rules.lanes import shard_of

TakeIds = Callable[[int], list[int]]


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
    """
    inserted = await tx.insert_events(events)
    wanted = [
        (event.id, webhook_id)
        for event in events
        if event.id in inserted
        for webhook_id in directory.table.match(event.type, event.line_id, _payload(event))
    ]
    deliveries = [
        _delivery(delivery_id, event_id, webhook_id, directory, now_ms)
        for delivery_id, (event_id, webhook_id) in zip(take_ids(len(wanted)), wanted, strict=True)
    ]
    await tx.insert_deliveries(deliveries)
    return inserted, deliveries


def _payload(event: EventRow) -> Callable[[], dict[str, object]]:
    """Give conditions the payload as receivers see it; parsed only if a condition asks."""
    return lambda: {"event": event.type, "data": msgspec.json.decode(event.data)}


def _delivery(
    delivery_id: int, event_id: int, webhook_id: int, directory: Directory, now_ms: int
) -> DeliveryRow:
    is_active = directory.webhooks[webhook_id].is_active
    state = DeliveryState.PENDING if is_active else DeliveryState.HELD
    return DeliveryRow(delivery_id, event_id, webhook_id, shard_of(webhook_id), state, now_ms)
