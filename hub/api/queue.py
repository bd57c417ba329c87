"""/v1/queue: what waits to be delivered and sent, what is stuck, and how old the oldest of it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, Reply
from hub.api.events_shapes import LineText
from hub.flow.event_store import LaneStanding
from hub.flow.queue import total_of
from hub.model.delivery import DeliveryState
from hub.model.ids import Prefix, id_text, id_time_ms
from hub.model.outbox import OutboxState

MOST_LANES = 1000


class QueueQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which line, and how many webhooks and lines to tell apart."""

    from_: LineText | None = msgspec.field(name="from", default=None)
    limit: Annotated[
        int,
        Meta(ge=1, le=MOST_LANES, description="Webhooks, and lines, shown at the most; the oldest first."),
    ] = 100


class DeliveryCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries that are not over, and those that wait for a person."""

    #: Due and scheduled together; what is being attempted now is among them.
    pending: int
    due: int
    #: For a later try.
    scheduled: int
    #: The webhook is disabled.
    held: int
    #: Dead letters: out of attempts, or refused for good.
    dead: int
    #: Unix ms at which the oldest pending one was recorded; null without any.
    oldest_pending_at: int | None
    oldest_pending_age_ms: int | None


class WebhookCounts(DeliveryCounts, frozen=True, kw_only=True):
    """The deliveries of one webhook."""

    webhook_id: str


class OutboxCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Sends that are not over, and those that failed."""

    #: Due and scheduled together; not what is at its bridge.
    pending: int
    due: int
    #: Planned for later (`send_at`), or for its next try.
    scheduled: int
    #: Of those that are pending: tried already, and to be tried again.
    retrying: int
    #: At its bridge.
    processing: int
    #: Nobody can say whether it went out; it is looked up.
    unknown: int
    #: Within the days of retention.
    failed: int
    oldest_pending_at: int | None
    oldest_pending_age_ms: int | None


class LineCounts(OutboxCounts, frozen=True, kw_only=True):
    """The sends of one line."""

    line_id: str


class QueueReply(msgspec.Struct, frozen=True, kw_only=True):
    """What waits. Sums are of all that the key may see; the lists are cut at `limit`."""

    #: Unix ms; a second ago at the most.
    counted_at: int
    deliveries: DeliveryCounts
    webhooks: list[WebhookCounts]
    outbox: OutboxCounts
    lines: list[LineCounts]
    request_id: str


async def _show(call: Call[QueueQuery, NoBody]) -> Reply:
    standing = await call.uses.queue.standing()
    sees_webhook, sees_line = await _visible(call)
    webhooks = [each for each in standing.deliveries if sees_webhook(each.lane_id)]
    lines = [each for each in standing.outbox if sees_line(each.lane_id)]
    now, limit = standing.counted_at, call.query.limit
    content = QueueReply(
        counted_at=now,
        deliveries=DeliveryCounts(**_delivery_counts(total_of(webhooks), now)),
        webhooks=[
            WebhookCounts(webhook_id=id_text(Prefix.WEBHOOK, each.lane_id), **_delivery_counts(each, now))
            for each in _oldest(webhooks)[:limit]
        ],
        outbox=OutboxCounts(**_outbox_counts(total_of(lines), now)),
        lines=[
            LineCounts(line_id=id_text(Prefix.LINE, each.lane_id), **_outbox_counts(each, now))
            for each in _oldest(lines)[:limit]
        ],
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _visible(call: Call[QueueQuery, NoBody]) -> tuple[Callable[[int], bool], Callable[[int], bool]]:
    """Tell which webhooks and lines to count: those of a line that is named, or all that the key may see."""
    named = call.query.from_
    if named is None and call.key.line_ids is None:
        return (lambda _: True), (lambda _: True)
    if named is not None:
        line_ids = {(await call.line(named)).id}
    else:
        line_ids = {line.id for line in await call.uses.lines.visible(call.key)}
    webhook_ids = {each.id for each in await call.uses.webhooks.all() if each.line_id in line_ids}
    return webhook_ids.__contains__, line_ids.__contains__


def _oldest(lanes: Iterable[LaneStanding]) -> list[LaneStanding]:
    """What has waited longest first; then what is stuck."""
    return sorted(lanes, key=lambda each: (each.oldest_id is None, each.oldest_id or 0, each.lane_id))


def _counts(lane: LaneStanding, now: int) -> dict[str, Any]:
    oldest_at = None if lane.oldest_id is None else id_time_ms(lane.oldest_id)
    return {
        "pending": lane.due + lane.scheduled,
        "due": lane.due,
        "scheduled": lane.scheduled,
        "oldest_pending_at": oldest_at,
        "oldest_pending_age_ms": None if oldest_at is None else max(0, now - oldest_at),
    }


def _delivery_counts(lane: LaneStanding, now: int) -> dict[str, Any]:
    return {
        **_counts(lane, now),
        "held": lane.others.get(DeliveryState.HELD, 0),
        "dead": lane.others.get(DeliveryState.DEAD, 0),
    }


def _outbox_counts(lane: LaneStanding, now: int) -> dict[str, Any]:
    return {
        **_counts(lane, now),
        "retrying": lane.retrying,
        "processing": lane.others.get(OutboxState.DISPATCHED, 0),
        "unknown": lane.others.get(OutboxState.UNKNOWN, 0),
        "failed": lane.others.get(OutboxState.FAILED, 0),
    }


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/queue",
        name="show_queue",
        summary="Count what waits: deliveries by webhook, sends by line, dead letters, the age of the oldest.",
        description="A key that is restricted to lines sees those lines and their own webhooks.",
        tag="deliveries",
        scope="deliveries:read",
        query=QueueQuery,
        body=NoBody,
        reply=QueueReply,
        errors=("line_not_found", "line_not_accessible"),
        handle=_show,
    ),
)
