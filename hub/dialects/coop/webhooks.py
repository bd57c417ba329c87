"""/api/v1/webhooks: register, list, change, toggle, delete (contracts: coop §3).

Only webhooks in this dialect's form are there. What they get is hub.dialects.coop.webhook_form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, not_found
from hub.api.webhook_shapes import OneWebhook, WebhookDeleted, WebhookReply, WebhookWithSecret
from hub.dialects.coop.contacts import Deleted
from hub.dialects.coop.errors import hidden, in_their_words, invalid
from hub.dialects.coop.names import DIALECT_NAME, EVENT_NAMES, EVENTS
from hub.dialects.coop.paging import Found, read
from hub.dialects.coop.times import iso
from hub.dialects.native import ask, in_turn

Url = Annotated[str, Meta(min_length=1, max_length=2048)]
Events = Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(min_length=1, max_length=64)]
Secret = Annotated[str, Meta(min_length=1, max_length=256)]
_NATIVE_FIELDS: Final = {"patterns": "events"}


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver to register; without a secret nothing is signed."""

    url: Url
    events: Events
    secret: Secret | None = None


class WebhookChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change; the rest stays."""

    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    secret: Secret | UnsetType | None = UNSET


class Webhook(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A receiver, never its secret."""

    id: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    created_at: str


def _shown(webhook: WebhookReply) -> Webhook:
    return Webhook(
        id=webhook.id,
        url=webhook.url,
        events=tuple(EVENT_NAMES.get(each, each) for each in webhook.events),
        enabled=webhook.is_active,
        created_at=iso(webhook.created_at),
    )


def _native_events(names: Sequence[str]) -> list[str]:
    for place, name in enumerate(names):
        if name not in EVENTS:
            message = f"'{name}' is no event; choose among {', '.join(sorted(EVENTS))}."
            raise invalid(f"events[{place}]", message)
    return [EVENTS[name] for name in names]


async def _register(call: Call[NoQuery, NewWebhook]) -> Reply:
    body = call.body
    wish: dict[str, Any] = {
        "from": "auto",
        "url": body.url,
        "events": _native_events(body.events),
        "form": DIALECT_NAME,
    }
    if body.secret is not None:
        wish["secret"] = body.secret
    with in_their_words(_NATIVE_FIELDS):
        made = (await ask(call, "register_webhook", WebhookWithSecret, body=wish)).content
    return Reply(content=_shown(made), status=201)


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    found = (await ask(call, "list_webhooks", Listed, query={"from": "*"})).content.data
    webhooks = [read(each, WebhookReply) for each in found]
    return Reply(content=Found(data=[_shown(each) for each in webhooks if each.form == DIALECT_NAME]))


async def _find(call: Call[Any, Any]) -> OneWebhook:
    """Find the webhook in the path; one of another form is not there."""
    with hidden("webhook"):
        webhook = (await ask(call, "get_webhook", OneWebhook, path=_path(call))).content
    if webhook.form != DIALECT_NAME:
        raise not_found("webhook")
    return webhook


def _path(call: Call[Any, Any]) -> dict[str, str]:
    return {"id": call.path["id"]}


async def _change(call: Call[NoQuery, WebhookChanges]) -> Reply:
    body = call.body
    await _find(call)
    wish: dict[str, Any] = {}
    if not isinstance(body.url, UnsetType):
        wish["url"] = body.url
    if not isinstance(body.events, UnsetType):
        wish["events"] = _native_events(body.events)
    if isinstance(body.secret, str):
        wish["secret"] = body.secret
    with in_their_words(_NATIVE_FIELDS):
        changed = (await ask(call, "change_webhook", OneWebhook, path=_path(call), body=wish)).content
    return Reply(content=_shown(changed))


async def _toggle(call: Call[NoQuery, NoBody]) -> Reply:
    """Flip in a turn: of two at the same time, the second takes back what the first did."""
    return await in_turn(call, f"coop-toggle:{call.path['id'][:64]}", lambda: _toggled(call))


async def _toggled(call: Call[NoQuery, NoBody]) -> Reply:
    name = "disable_webhook" if (await _find(call)).is_active else "enable_webhook"
    return Reply(content=_shown((await ask(call, name, OneWebhook, path=_path(call))).content))


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    await _find(call)
    deleted = (await ask(call, "delete_webhook", WebhookDeleted, path=_path(call))).content
    return Reply(content=Deleted(id=deleted.id))


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=f"/api/v1/webhooks{path}",
        name=f"coop_{name}",
        summary=summary,
        tag="webhooks",
        scope="webhooks:read" if method == "GET" else "webhooks:write",
        query=NoQuery,
        body=more.pop("body", NoBody),
        reply=more.pop("reply", Webhook),
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint(
        "POST",
        "",
        "register_webhook",
        "Register a receiver.",
        body=NewWebhook,
        status=201,
        example={
            "url": "https://example.com/hook",
            "events": ["message.received"],
            "secret": "a long, odd text",
        },
        handle=_register,
    ),
    _endpoint("GET", "", "list_webhooks", "List receivers.", reply=Found[Webhook], handle=_list),
    _endpoint(
        "PUT",
        "/{id}",
        "change_webhook",
        "Change what is given.",
        body=WebhookChanges,
        example={"events": ["message.received", "message.failed"]},
        handle=_change,
    ),
    _endpoint("DELETE", "/{id}", "delete_webhook", "Delete a receiver.", reply=Deleted, handle=_delete),
    _endpoint(
        "PATCH", "/{id}/toggle", "toggle_webhook", "Switch a receiver off, or on again.", handle=_toggle
    ),
)
