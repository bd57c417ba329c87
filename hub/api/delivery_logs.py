"""/v1/events/{id}/deliveries and /v1/webhooks/{id}/deliveries: logs, each delivery with its last attempt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply, path_id
from hub.api.delivery_shapes import (
    AttemptReply,
    DeliveryReply,
    EventTypeName,
    attempt_fields,
    delivery_fields,
)
from hub.api.events import find_event
from hub.api.paging import (
    DEFAULT_LIMIT,
    CursorText,
    IncludeTotal,
    Limit,
    Offset,
    read_id_cursor,
    read_offset,
    split_page,
    write_cursor,
)
from hub.flow.jobs import id_range
from hub.flow.repositories import DeliveryFilter
from hub.model.delivery import Delivery, DeliveryState
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_time_ms
from hub.model.observation import Instant

_END_OF_TIME: Final = 32_503_680_000_000
_STATES: Final = {state.name.lower(): state for state in DeliveryState}
_CLASS: Final = re.compile(r"([1-5])xx")
_CODE: Final = re.compile(r"[1-5][0-9]{2}")

Sort = Literal["asc", "desc"]
StatusText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=16,
        description=(
            "How it stands (`pending`, `succeeded`, `dead`, `held`, `cancelled`), or its last answer: a class "
            "(`5xx`), a code (`404`), or `none` for an attempt without one."
        ),
    ),
]
HttpStatus = Annotated[int, Meta(ge=100, le=599)]


class EventDeliveriesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries of the event."""

    status: StatusText | None = None
    sort: Sort = "desc"
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False


class WebhookDeliveriesQuery(EventDeliveriesQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries of the webhook."""

    #: Of the last answer, both included.
    min_status: HttpStatus | None = None
    max_status: HttpStatus | None = None
    event_type: EventTypeName | None = None
    #: Unix ms; by the time at which the delivery was recorded.
    since: Instant | None = None
    until: Instant | None = None
    #: `event`: each delivery with what it carries.
    include: Literal["event"] | None = None


class DeliveredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery carries."""

    type: str
    occurred_at: int
    #: As a webhook of the native form gets it.
    data: Any


class DeliveryLog(DeliveryReply, frozen=True, kw_only=True):
    """A delivery with its last attempt."""

    #: Unix ms.
    recorded_at: int
    #: Null before the first, and once its days of retention are over.
    last_attempt: AttemptReply | None
    #: With `include=event`; null once its days of retention are over.
    event: DeliveredEvent | msgspec.UnsetType | None = UNSET


async def _of_event(call: Call[EventDeliveriesQuery, NoBody]) -> Reply:
    event = await find_event(call)
    wanted = _with_status(DeliveryFilter(event_id=event.id), call.query.status)
    return await _page(call, replace(wanted, webhook_ids=await visible_webhooks(call)))


async def _of_webhook(call: Call[WebhookDeliveriesQuery, NoBody]) -> Reply:
    query = call.query
    webhook = await call.uses.webhooks.get(path_id(call, Prefix.WEBHOOK, "webhook"))
    call.uses.lines.require(call.key, webhook.line_id)
    first_id, last_id = id_range(query.since or 0, _END_OF_TIME if query.until is None else query.until)
    wanted = DeliveryFilter(
        webhook_id=webhook.id,
        event_type=query.event_type,
        first_id=None if query.since is None else first_id,
        last_id=None if query.until is None else last_id,
        least_status=query.min_status,
        most_status=query.max_status,
    )
    return await _page(call, _with_status(wanted, query.status))


async def visible_webhooks(call: Call[Any, Any]) -> frozenset[int] | None:
    """The webhooks that a restricted key may see; None for all."""
    if call.key.line_ids is None:
        return None
    webhooks = await call.uses.webhooks.all()
    return frozenset(each.id for each in webhooks if call.uses.lines.may_use(call.key, each.line_id))


def _with_status(wanted: DeliveryFilter, text: str | None) -> DeliveryFilter:
    """Narrow to a status.

    Raises:
        InvalidRequest: It is none.
    """
    if text is None:
        return wanted
    if text in _STATES:
        return replace(wanted, states=frozenset({_STATES[text]}))
    if text == "none":
        return replace(wanted, is_unanswered=True)
    if (found := _CLASS.fullmatch(text)) is not None:
        return _between(wanted, int(found[1]) * 100, int(found[1]) * 100 + 99)
    if _CODE.fullmatch(text):
        return _between(wanted, int(text), int(text))
    message = f"'status' must be one of {', '.join(_STATES)}, a class like 5xx, a code like 404, or none."
    raise InvalidRequest("invalid_parameter_value", message, param="status")


def _between(wanted: DeliveryFilter, least: int, most: int) -> DeliveryFilter:
    return replace(
        wanted,
        least_status=max(least, wanted.least_status or 0),
        most_status=min(most, 599 if wanted.most_status is None else wanted.most_status),
    )


async def _page(call: Call[Any, Any], wanted: DeliveryFilter) -> Reply:
    query, deliveries = call.query, call.uses.store.deliveries
    found = await deliveries.list(
        wanted,
        after=read_id_cursor(query.cursor),
        offset=read_offset(query),
        limit=query.limit + 1,
        is_oldest_first=query.sort == "asc",
    )
    shown, has_more = split_page(found, query.limit)
    data = await delivery_logs(call, shown)
    if getattr(query, "include", None) == "event":
        data = await _with_events(call, shown, data)
    content = Listed(
        data=data,
        has_more=has_more,
        next_cursor=write_cursor(shown[-1].id) if has_more else None,
        total=await deliveries.count(wanted) if query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _with_events(
    call: Call[Any, Any], shown: Sequence[Delivery], logs: Sequence[DeliveryLog]
) -> list[DeliveryLog]:
    events = await call.uses.store.events.some({each.event_id for each in shown})
    carried = {
        event.id: DeliveredEvent(
            type=event.type, occurred_at=event.occurred_at, data=msgspec.Raw(event.data.encode())
        )
        for event in events.values()
    }
    return [
        msgspec.structs.replace(log, event=carried.get(delivery.event_id))
        for delivery, log in zip(shown, logs, strict=True)
    ]


async def delivery_logs(call: Call[Any, Any], deliveries: Any) -> list[DeliveryLog]:
    """Give deliveries with their last attempts, in the order given."""
    attempts = await call.uses.store.deliveries.last_attempts([each.id for each in deliveries])
    return [_log(each, attempts.get(each.id)) for each in deliveries]


def _log(delivery: Delivery, attempt: Any) -> DeliveryLog:
    fields = {
        **delivery_fields(delivery),
        "recorded_at": id_time_ms(delivery.id),
        "last_attempt": None if attempt is None else attempt_fields(attempt),
    }
    return msgspec.convert(fields, DeliveryLog)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/events/{id}/deliveries",
        name="list_event_deliveries",
        summary="List the deliveries of an event, each with its last attempt.",
        tag="deliveries",
        scope="deliveries:read",
        query=EventDeliveriesQuery,
        body=NoBody,
        reply=Listed[DeliveryLog],
        errors=("event_not_found",),
        handle=_of_event,
    ),
    Endpoint(
        method="GET",
        path="/v1/webhooks/{id}/deliveries",
        name="list_webhook_deliveries",
        summary="The log of a webhook: its deliveries, each with its last attempt.",
        tag="deliveries",
        scope="deliveries:read",
        query=WebhookDeliveriesQuery,
        body=NoBody,
        reply=Listed[DeliveryLog],
        errors=("webhook_not_found", "line_not_accessible"),
        handle=_of_webhook,
    ),
)
