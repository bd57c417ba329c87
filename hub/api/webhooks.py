"""/v1/webhooks: register receivers (contracts: messages.dev §2) and, beyond that API, look after them."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, field_id, path_id
from hub.api.paging import (
    CursorText,
    IncludeTotal,
    Limit,
    Offset,
    read_id_cursor,
    read_offset,
    split_page,
    write_cursor,
)
from hub.api.webhook_shapes import (
    NewWebhook,
    OneWebhook,
    Rotation,
    TestFiredReply,
    WebhookChanges,
    WebhookDeleted,
    WebhookReply,
    WebhookWithSecret,
    given_secret,
    options,
    webhook_fields,
)
from hub.flow.line_choice import AUTO
from hub.model.ids import Prefix, id_text
from hub.model.webhook import Webhook

#: What stands for every line in `from`.
EVERY_LINE: Final = frozenset({"", "*"})


class WebhookQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which line's webhooks. Without `limit` all come at once, because the vendor's client never asks for page 2."""

    from_: str = msgspec.field(name="from")
    limit: Limit | None = None
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False


class WebhookReference(msgspec.Struct, frozen=True, kw_only=True):
    """Which webhook."""

    id: str


async def _line_id(call: Call[Any, Any], text: str) -> int | None:
    """Read `from`; None for every line, which a restricted key may not name; `auto` is the line of a key with one."""
    only = call.key.line_ids
    if text == AUTO and only is not None and len(only) == 1:
        return next(iter(only))
    if text in EVERY_LINE or text == AUTO:
        call.uses.lines.require(call.key, None, param="from")
        return None
    return (await call.line(text)).id


async def _find(call: Call[Any, Any]) -> Webhook:
    """Find the webhook in the path, if the key may touch its line."""
    webhook = await call.uses.webhooks.get(path_id(call, Prefix.WEBHOOK, "webhook"))
    call.uses.lines.require(call.key, webhook.line_id)
    return webhook


def _one(call: Call[Any, Any], webhook: Webhook) -> Reply:
    fields = webhook_fields(webhook, now_ms=call.now_ms)
    return Reply(content=msgspec.convert({**fields, "request_id": call.request_id}, OneWebhook))


def _with_secret(call: Call[Any, Any], webhook: Webhook, secret: str, *, status: int = 200) -> Reply:
    fields = webhook_fields(webhook, now_ms=call.now_ms)
    shown = {**fields, "request_id": call.request_id, "secret": secret}
    return Reply(content=msgspec.convert(shown, WebhookWithSecret), status=status)


async def _register(call: Call[NoQuery, NewWebhook]) -> Reply:
    line_id = await _line_id(call, call.body.from_)
    made = await call.uses.webhooks.register(
        line_id=line_id, fields=options(call.body), secret=given_secret(call.body)
    )
    return _with_secret(call, made.webhook, made.secret, status=201)


async def _list(call: Call[WebhookQuery, NoBody]) -> Reply:
    """List; a restricted key sees the webhooks of its lines only, `*` or not."""
    query, lines = call.query, call.uses.lines
    line_id = None if query.from_ in EVERY_LINE else (await call.line(query.from_)).id
    after = read_id_cursor(query.cursor) or 0
    wanted = [
        webhook
        for webhook in await call.uses.webhooks.all()
        if (line_id is None or webhook.line_id in (None, line_id))
        and lines.may_use(call.key, webhook.line_id)
    ]
    found = [webhook for webhook in wanted if webhook.id > after]
    rest = found[read_offset(query) or 0 :]
    webhooks, has_more = split_page(rest, query.limit or len(rest))
    data = [msgspec.convert(webhook_fields(each, now_ms=call.now_ms), WebhookReply) for each in webhooks]
    content = Listed(
        data=data,
        has_more=has_more,
        next_cursor=write_cursor(webhooks[-1].id) if has_more else None,
        total=len(wanted) if query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return _one(call, await _find(call))


async def _change(call: Call[NoQuery, WebhookChanges]) -> Reply:
    webhook = await _find(call)
    fields, secret = options(call.body), given_secret(call.body)
    if fields or secret is not None:
        webhook = await call.uses.webhooks.update(webhook, fields, secret=secret)
    if isinstance(call.body.active, bool):
        webhook = await call.uses.webhooks.set_active(webhook, is_active=call.body.active)
    return _one(call, webhook)


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    return await _deleted(call, await _find(call))


async def _delete_named(call: Call[NoQuery, WebhookReference]) -> Reply:
    webhook_id = field_id(call.body.id, Prefix.WEBHOOK, "webhook", param="id")
    webhook = await call.uses.webhooks.get(webhook_id)
    call.uses.lines.require(call.key, webhook.line_id)
    return await _deleted(call, webhook)


async def _deleted(call: Call[Any, Any], webhook: Webhook) -> Reply:
    await call.uses.webhooks.delete(webhook.id)
    return Reply(content=WebhookDeleted(id=id_text(Prefix.WEBHOOK, webhook.id), request_id=call.request_id))


async def _test(call: Call[NoQuery, NoBody]) -> Reply:
    fired = await call.uses.webhooks.test_fire(await _find(call))
    content = TestFiredReply(
        event_id=id_text(Prefix.EVENT, fired.event_id),
        delivery_id=id_text(Prefix.DELIVERY, fired.delivery_id),
        request_id=call.request_id,
    )
    return Reply(content=content, status=202)


async def _rotate(call: Call[NoQuery, Rotation]) -> Reply:
    webhook = await _find(call)
    hours = call.body.overlap_hours
    overlap = call.uses.settings.rotation_overlap_hours if hours is None else hours
    rotated = await call.uses.webhooks.rotate_secret(webhook, overlap_hours=overlap)
    return _with_secret(call, rotated.webhook, rotated.secret)


async def _enable(call: Call[NoQuery, NoBody]) -> Reply:
    return _one(call, await call.uses.webhooks.set_active(await _find(call), is_active=True))


async def _disable(call: Call[NoQuery, NoBody]) -> Reply:
    return _one(call, await call.uses.webhooks.set_active(await _find(call), is_active=False))


_ONE: Final = ("webhook_not_found", "line_not_accessible")
_REFUSED: Final = ("url_refused", "header_refused")
_PATH: Final = "/v1/webhooks/{id}"


def _action(name: str, path: str, summary: str, *, reply: Any, handle: Any, **more: Any) -> AnyEndpoint:
    """One of the things that can be done with a webhook."""
    return Endpoint(
        method=more.pop("method", "POST"),
        path=_PATH + path,
        name=name,
        summary=summary,
        tag="webhooks",
        scope=more.pop("scope", "webhooks:write"),
        query=NoQuery,
        body=more.pop("body", NoBody),
        reply=reply,
        errors=(*_ONE, *more.pop("errors", ())),
        handle=handle,
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/webhooks",
        name="list_webhooks",
        summary="List the webhooks of a line, those of every line included; `from=*` for all.",
        tag="webhooks",
        scope="webhooks:read",
        query=WebhookQuery,
        body=NoBody,
        reply=Listed[WebhookReply],
        errors=("line_not_found", "line_not_accessible"),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/webhooks",
        name="register_webhook",
        summary="Register a receiver; the answer shows its signing secret, this once.",
        tag="webhooks",
        scope="webhooks:write",
        query=NoQuery,
        body=NewWebhook,
        reply=WebhookWithSecret,
        status=201,
        errors=("line_not_found", "line_not_accessible", *_REFUSED),
        example={"from": "+15550100000", "url": "https://example.com/hook", "events": ["message.received"]},
        handle=_register,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/webhooks",
        name="delete_webhook_by_body",
        summary="Delete the webhook that the body names.",
        tag="webhooks",
        scope="webhooks:write",
        query=NoQuery,
        body=WebhookReference,
        reply=WebhookDeleted,
        errors=_ONE,
        example={"id": "wh_0f2m4h8x0g001"},
        handle=_delete_named,
    ),
    _action(
        "get_webhook",
        "",
        "Show one webhook.",
        method="GET",
        scope="webhooks:read",
        reply=OneWebhook,
        handle=_get,
    ),
    _action(
        "change_webhook",
        "",
        "Change a webhook.",
        method="PATCH",
        body=WebhookChanges,
        reply=OneWebhook,
        errors=_REFUSED,
        example={"events": ["message.*"], "max_concurrency": 4},
        handle=_change,
    ),
    _action("delete_webhook", "", "Delete a webhook.", method="DELETE", reply=WebhookDeleted, handle=_delete),
    _action(
        "test_webhook",
        "/test",
        "Send a `webhook.test` event to this webhook alone, the normal way.",
        reply=TestFiredReply,
        status=202,
        errors=("webhook_disabled",),
        handle=_test,
    ),
    _action(
        "rotate_webhook_secret",
        "/rotate-secret",
        "Make a new signing secret; the old one signs too until the overlap is over.",
        description="`overlap_hours` is 24 unless the operator set another default (delivery.rotation_overlap_hours).",
        body=Rotation,
        is_body_optional=True,
        reply=WebhookWithSecret,
        example={"overlap_hours": 24},
        handle=_rotate,
    ),
    _action(
        "enable_webhook",
        "/enable",
        "Enable a webhook. What it missed is held: POST /v1/replays with `missed_while_disabled`.",
        reply=OneWebhook,
        handle=_enable,
    ),
    _action(
        "disable_webhook",
        "/disable",
        "Disable a webhook; what it misses from now on is held for a replay.",
        reply=OneWebhook,
        handle=_disable,
    ),
)
