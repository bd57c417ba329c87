"""/v1/deliveries and /v1/dead-letters: see every delivery and attempt, and try again."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET

from hub.api.calls import (
    AnyEndpoint,
    Call,
    Endpoint,
    Listed,
    NoBody,
    NoQuery,
    Reply,
    field_id,
    not_found,
    path_id,
)
from hub.api.delivery_shapes import (
    DeadLetterFilter,
    DeadLetterQuery,
    DeliveryQuery,
    DeliveryReply,
    OneDelivery,
    attempt_fields,
    delivery_fields,
)
from hub.api.jobs import JobReply, job_reply
from hub.api.paging import read_id_cursor, read_offset, split_page, write_cursor
from hub.api.reading import missing
from hub.api.waiting import PREFER, Headers, wanted_wait, while_connected
from hub.flow.jobs import FilterArguments, id_range
from hub.flow.repositories import DeliveryFilter
from hub.flow.webhooks import require_active
from hub.model.delivery import Delivery, DeliveryState
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix

_END_OF_TIME: Final = 32_503_680_000_000
_DEAD: Final = frozenset({DeliveryState.DEAD})

#: Between two looks of somebody who waits for an attempt.
_LOOK_SECONDS: Final = 0.1


async def _webhook_id(call: Call[Any, Any], text: str | None, *, kind: str) -> int | None:
    """Read the webhook that a filter names; a restricted key must name one of its own."""
    if text is None:
        if call.key.line_ids is not None:
            raise missing("webhook_id", kind=kind)
        return None
    webhook_id = field_id(text, Prefix.WEBHOOK, "webhook", param="webhook_id")
    if call.key.line_ids is not None:
        webhook = await call.uses.webhooks.get(webhook_id)
        call.uses.lines.require(call.key, webhook.line_id, param="webhook_id")
    return webhook_id


def _range(since: int | None, until: int | None) -> tuple[int | None, int | None]:
    """Turn instants into delivery ids: a delivery's id tells when it was recorded."""
    first, last = id_range(since or 0, _END_OF_TIME if until is None else until)
    return (None if since is None else first), (None if until is None else last)


async def _list(call: Call[DeliveryQuery, NoBody]) -> Reply:
    query = call.query
    event_id = None
    if query.event_id is not None:
        event_id = field_id(query.event_id, Prefix.EVENT, "event", param="event_id")
    first_id, last_id = _range(query.since, query.until)
    wanted = DeliveryFilter(
        webhook_id=await _webhook_id(call, query.webhook_id, kind="query parameter"),
        event_id=event_id,
        states=None if query.status is None else frozenset({DeliveryState[query.status.upper()]}),
        event_type=query.event_type,
        first_id=first_id,
        last_id=last_id,
    )
    return await _page(call, wanted)


async def _list_dead(call: Call[DeadLetterQuery, NoBody]) -> Reply:
    query = call.query
    first_id, last_id = _range(query.since, query.until)
    wanted = DeliveryFilter(
        webhook_id=await _webhook_id(call, query.webhook_id, kind="query parameter"),
        states=_DEAD,
        event_type=query.event_type,
        first_id=first_id,
        last_id=last_id,
    )
    return await _page(call, wanted)


async def _page(call: Call[Any, Any], wanted: DeliveryFilter) -> Reply:
    query, store = call.query, call.uses.store
    found = await store.deliveries.list(
        wanted, after=read_id_cursor(query.cursor), offset=read_offset(query), limit=query.limit + 1
    )
    deliveries, has_more = split_page(found, query.limit)
    content = Listed(
        data=[msgspec.convert(delivery_fields(each), DeliveryReply) for each in deliveries],
        has_more=has_more,
        next_cursor=write_cursor(deliveries[-1].id) if has_more else None,
        total=await store.deliveries.count(wanted) if query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _find(call: Call[Any, Any]) -> Delivery:
    """Find the delivery in the path, if the key may see its webhook."""
    delivery = await call.uses.store.deliveries.get(path_id(call, Prefix.DELIVERY, "delivery"))
    if delivery is None:
        raise not_found("delivery")
    if call.key.line_ids is not None:
        webhook = await call.uses.store.webhooks.get(delivery.webhook_id)
        if webhook is None or not call.uses.lines.may_use(call.key, webhook.line_id):
            raise not_found("delivery")
    return delivery


async def _one(call: Call[Any, Any], delivery: Delivery) -> OneDelivery:
    attempts = [attempt_fields(each) for each in await call.uses.store.deliveries.attempts(delivery.id)]
    fields = {**delivery_fields(delivery), "attempts": attempts, "request_id": call.request_id}
    return msgspec.convert(fields, OneDelivery)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=await _one(call, await _find(call)))


async def _retry(call: Call[NoQuery, NoBody]) -> Reply:
    """Make a delivery due now; a pending one need not wait for its schedule."""
    seconds, delivery = wanted_wait(call), await _find(call)
    require_active(await call.uses.webhooks.get(delivery.webhook_id))
    if not await call.uses.store.deliveries.requeue(delivery.id, now=call.now_ms):
        raise InvalidRequest("delivery_not_found", "The delivery was cancelled or is gone.")
    call.uses.parts.wake_ups.lane_due(delivery.webhook_id, call.now_ms)
    headers: Headers = ()
    if seconds is not None and await while_connected(call, _attempted(call, delivery, seconds)):
        headers = ((b"preference-applied", b"wait=%d" % seconds),)
    return Reply(content=await _one(call, await _find(call)), status=202, headers=headers)


async def _attempted(call: Call[Any, Any], before: Delivery, seconds: int) -> bool:
    """Wait for one more attempt; tell whether there was one in time."""
    parts = call.uses.parts
    end = parts.monotonic() + seconds
    while True:
        now = await call.uses.store.deliveries.get(before.id)
        if now is None or now.attempt_count > before.attempt_count:
            return now is not None
        if parts.monotonic() >= end:
            return False
        await parts.sleep(_LOOK_SECONDS)


async def _arguments(call: Call[NoQuery, DeadLetterFilter]) -> FilterArguments:
    body = call.body
    first_id, last_id = _range(body.since, body.until)
    return FilterArguments(
        webhook_id=await _webhook_id(call, body.webhook_id, kind="field"),
        event_type=body.event_type,
        first_id=first_id,
        last_id=last_id,
    )


async def _requeue(call: Call[NoQuery, DeadLetterFilter]) -> Reply:
    job = await call.uses.jobs.requeue(await _arguments(call))
    return Reply(content=job_reply(call, job), status=202)


async def _purge(call: Call[NoQuery, DeadLetterFilter]) -> Reply:
    job = await call.uses.jobs.purge(await _arguments(call))
    return Reply(content=job_reply(call, job), status=202)


_FILTER_ERRORS: Final = ("webhook_not_found", "line_not_accessible")

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/dead-letters",
        name="list_dead_letters",
        summary="List deliveries that wait for a person, newest first.",
        tag="deliveries",
        scope="deliveries:read",
        query=DeadLetterQuery,
        body=NoBody,
        reply=Listed[DeliveryReply],
        errors=_FILTER_ERRORS,
        handle=_list_dead,
    ),
    Endpoint(
        method="POST",
        path="/v1/dead-letters/purge",
        name="purge_dead_letters",
        summary="Delete dead letters with their attempts, as a job.",
        tag="deliveries",
        scope="deliveries:write",
        query=NoQuery,
        body=DeadLetterFilter,
        is_body_optional=True,
        reply=JobReply,
        status=202,
        errors=_FILTER_ERRORS,
        example={"event_type": "message.received"},
        handle=_purge,
    ),
    Endpoint(
        method="POST",
        path="/v1/dead-letters/requeue",
        name="requeue_dead_letters",
        summary="Make dead letters due again, as a job; their attempts go on counting.",
        tag="deliveries",
        scope="deliveries:write",
        query=NoQuery,
        body=DeadLetterFilter,
        is_body_optional=True,
        reply=JobReply,
        status=202,
        errors=_FILTER_ERRORS,
        example={"event_type": "message.received"},
        handle=_requeue,
    ),
    Endpoint(
        method="GET",
        path="/v1/deliveries",
        name="list_deliveries",
        summary="List deliveries, newest first.",
        tag="deliveries",
        scope="deliveries:read",
        query=DeliveryQuery,
        body=NoBody,
        reply=Listed[DeliveryReply],
        errors=(*_FILTER_ERRORS, "event_not_found"),
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v1/deliveries/{id}",
        name="get_delivery",
        summary="Show a delivery with every attempt: request, answer, timing, why.",
        tag="deliveries",
        scope="deliveries:read",
        query=NoQuery,
        body=NoBody,
        reply=OneDelivery,
        errors=("delivery_not_found",),
        handle=_get,
    ),
    Endpoint(
        method="POST",
        path="/v1/deliveries/{id}/retry",
        name="retry_delivery",
        summary="Try a delivery again now, whatever its state.",
        description="With `Prefer: wait=N` the answer comes after the attempt, or after N seconds.",
        tag="deliveries",
        scope="deliveries:write",
        query=NoQuery,
        body=NoBody,
        reply=OneDelivery,
        status=202,
        errors=("delivery_not_found", "webhook_not_found", "webhook_disabled"),
        headers=(PREFER,),
        handle=_retry,
    ),
)
