"""`/webhooks/{id}/logs`: what a webhook was sent and answered, and sending it again (contracts: blooio §3).

An entry of the log is a delivery, with its last attempt; its `event_id` is the delivery's id. A replay is one more
attempt of the same delivery: `replay_event_id` is that id with the number of the replay behind it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.delivery_logs import DeliveryLog
from hub.api.delivery_shapes import AttemptReply, OneDelivery
from hub.dialects.blooio.account import ORGANIZATION
from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.natives import VERDICT_SECONDS
from hub.dialects.blooio.paging import PageQuery
from hub.dialects.blooio.webhook_form import event_body
from hub.dialects.blooio.webhooks import find_webhook
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

_NATIVE_LIMIT: Final = 100
HttpStatus = Annotated[int, Meta(ge=100, le=599)]


class LogQuery(PageQuery, frozen=True, kw_only=True):
    """Which entries."""

    sort: Literal["asc", "desc"] = "desc"
    status: HttpStatus | None = None
    min_status: HttpStatus | None = None
    max_status: HttpStatus | None = None


class LogMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the exchange."""

    duration_ms: int | None
    event_name: str | None
    is_replay: bool
    message_id: str | None
    organization_id: str = ORGANIZATION
    original_event_id: str | None


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery."""

    event_id: str
    scope: Literal["org"] = "org"
    attempted_time: int
    response_received_at: int | None
    webhook_url: str
    event_body: dict[str, Any] | None
    response_status: int | None
    response_json: Any
    metadata: LogMetadata


class LogPagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page stands."""

    limit: int
    offset: int
    total: int
    returned: int
    has_more: bool


class LogList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the log."""

    logs: list[Log]
    pagination: LogPagination


class ResponseData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the receiver said to a replay."""

    body: Any
    content_type: str | None
    duration: int
    error: str | None
    error_type: str | None
    headers: dict[str, str]
    size: int


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a replay."""

    #: Whether the receiver answered 2xx.
    success: bool
    replay_event_id: str
    original_event_id: str
    webhook_id: str
    webhook_url: str
    response_status: int | None
    duration_ms: int
    response_data: ResponseData


async def _list(call: Call[LogQuery, NoBody]) -> Reply:
    query, webhook = call.query, await find_webhook(call)
    wanted: dict[str, Any] = {
        "sort": query.sort,
        "status": None if query.status is None else str(query.status),
        "min_status": query.min_status,
        "max_status": query.max_status,
        "include": "event",
    }
    found, total = await _page(call, webhook.id, wanted)
    logs = [_log(each, webhook.url) for each in found]
    pagination = LogPagination(
        limit=query.limit,
        offset=query.offset,
        total=total,
        returned=len(logs),
        has_more=query.offset + len(logs) < total,
    )
    return Reply(content=LogList(logs=logs, pagination=pagination))


async def _page(
    call: Call[LogQuery, NoBody], webhook_id: str, wanted: dict[str, Any]
) -> tuple[list[DeliveryLog], int]:
    """Put a page together: the vendor's may be longer than ours."""
    query, found, total = call.query, list[DeliveryLog](), 0
    while len(found) < query.limit:
        limit = min(query.limit - len(found), _NATIVE_LIMIT)
        place = {"limit": limit, "offset": query.offset + len(found), "include_total": True}
        listed = (
            await ask(
                call,
                "list_webhook_deliveries",
                Listed,
                path={"id": webhook_id},
                query={**wanted, **place},
            )
        ).content
        found += listed.data
        total = listed.total if isinstance(listed.total, int) else total
        if len(listed.data) < limit:
            break
    return found, total


def _log(delivery: DeliveryLog, url: str) -> Log:
    attempt, event = delivery.last_attempt, delivery.event
    attempted = delivery.recorded_at if attempt is None else attempt.started_at
    body = None
    if event is not None and not isinstance(event, msgspec.UnsetType):
        body = event_body(event.type, bytes(event.data), attempted)
    is_replay = delivery.replay_count > 0
    return Log(
        event_id=delivery.id,
        attempted_time=attempted,
        response_received_at=_answered_at(attempt),
        webhook_url=url,
        event_body=body,
        response_status=None if attempt is None else attempt.status,
        response_json=_json(_said(attempt)),
        metadata=LogMetadata(
            duration_ms=None if attempt is None else round(attempt.duration_ms),
            event_name=None if body is None else body["event"],
            is_replay=is_replay,
            message_id=None if body is None else body.get("message_id"),
            original_event_id=delivery.id if is_replay else None,
        ),
    )


def _answered_at(attempt: AttemptReply | None) -> int | None:
    if attempt is None or attempt.status is None:
        return None
    return attempt.started_at + round(attempt.duration_ms)


def _said(attempt: AttemptReply | None) -> str:
    if attempt is None or attempt.response is None:
        return ""
    return str(attempt.response.get("body", ""))


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


async def _replay(call: Call[NoQuery, NoBody]) -> Reply:
    webhook = await find_webhook(call)
    path = {"id": call.path["event_id"]}
    try:
        known = (await ask(call, "get_delivery", OneDelivery, path=path)).content
    except InvalidRequest as error:
        if error.code != "delivery_not_found":
            raise
        raise _no_entry() from None
    if known.webhook_id != webhook.id:
        raise _no_entry()
    asked = await ask(call, "retry_delivery", OneDelivery, path=path, wait_seconds=VERDICT_SECONDS)
    delivery = asked.content
    attempts = [each for each in delivery.attempts if each.number > known.attempt_count]
    if not attempts:
        message = "The replay is on its way and has no answer yet; the log will show it."
        raise Refusal(503, message, retry_after=5)
    return Reply(content=_replayed(delivery, attempts[-1], webhook.url))


def _no_entry() -> Refusal:
    return Refusal(404, "The log has no such entry.", code="event_not_found", field="eventId")


def _replayed(delivery: OneDelivery, attempt: AttemptReply, url: str) -> Replayed:
    response = attempt.response or {}
    headers = {str(name).lower(): str(value) for name, value in response.get("headers", ())}
    said, duration = _said(attempt), round(attempt.duration_ms)
    return Replayed(
        success=attempt.outcome == "success",
        replay_event_id=f"{delivery.id}-r{max(delivery.replay_count, 1)}",
        original_event_id=delivery.id,
        webhook_id=delivery.webhook_id,
        webhook_url=url,
        response_status=attempt.status,
        duration_ms=duration,
        response_data=ResponseData(
            body=_json(said) if _json(said) is not None else said,
            content_type=headers.get("content-type"),
            duration=duration,
            error=attempt.reason if attempt.error else None,
            error_type=attempt.error,
            headers=headers,
            size=len(said.encode()),
        ),
    )


_LOGS: Final = "/v2/api/webhooks/{webhook_id}/logs"

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path=_LOGS,
        name="blooio_list_logs",
        summary="List what a webhook was sent.",
        tag="webhooks",
        scope="deliveries:read",
        query=LogQuery,
        body=NoBody,
        reply=LogList,
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path=f"{_LOGS}/{{event_id}}/replay",
        name="blooio_replay",
        summary="Send a delivery again, and give what the receiver says.",
        tag="webhooks",
        scope="deliveries:write",
        query=NoQuery,
        body=NoBody,
        reply=Replayed,
        handle=_replay,
    ),
)
