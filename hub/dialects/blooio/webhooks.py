"""`/webhooks`: register, change, pause, rotate, delete (contracts: blooio §3).

Only webhooks in this dialect's form are there. What they get is hub.dialects.blooio.webhook_form, what they got
hub.dialects.blooio.webhook_logs.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.delivery_logs import DeliveryLog
from hub.api.webhook_shapes import OneWebhook, WebhookDeleted, WebhookReply, WebhookWithSecret
from hub.dialects.blooio.errors import Refusal, naming
from hub.dialects.blooio.webhook_form import NAME, TYPES
from hub.dialects.native import ask, in_turn
from hub.model.errors import InvalidRequest

#: As the vendor has it for an organization.
MOST_WEBHOOKS: Final = 64
NEVER: Final = -1
#: The latest end of a webhook, Unix ms.
LATEST: Final = 32_503_680_000_000
Kind = Literal["message", "status", "all", "poll"]
Scope = Literal["api_key", "organization"]
ValidUntil = Annotated[int, Meta(ge=NEVER, le=LATEST)]
#: How the native reasons begin for which a webhook is off that somebody switched off, or will switch on.
ON_PURPOSE: Final = ("carried over", "disabled by request")
ENDED: Final = "expired"
_FIELDS: Final = {"url": "webhook_url", "expires_at": "valid_until", "events": "webhook_type"}


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver to register."""

    webhook_url: Annotated[str, Meta(min_length=1, max_length=2048)]
    webhook_type: Kind = "message"
    #: Unix ms; -1 for ever.
    valid_until: ValidUntil | None = NEVER


class WebhookChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change; the address cannot."""

    webhook_type: Kind | UnsetType = UNSET
    valid_until: ValidUntil | UnsetType | None = UNSET
    #: True pauses it, false lets it go on.
    deprecate: bool | UnsetType = UNSET


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept with a webhook of this dialect: its native `metadata`."""

    type: Kind = "message"
    key_name: str | None = None
    rotations: int = 0


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver, never its secret."""

    webhook_id: str
    webhook_url: str
    webhook_type: Kind
    scope: Scope
    api_key_name: str | None
    integration_name: None = None
    created_at: int
    deprecated_at: int | None
    valid_until: int
    last_triggered: int | None
    failure_count: int
    is_active: bool


class WebhookList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    webhooks: list[Webhook]


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook was made; its secret is shown this once."""

    webhook_id: str
    webhook_url: str
    webhook_type: Kind
    scope: Scope
    created_at: int
    signing_secret: str


class There(msgspec.Struct, frozen=True, kw_only=True):
    """The address had a webhook before."""

    webhook_id: str
    webhook_url: str
    scope: Scope
    message: str = "This URL is already subscribed."


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook is deleted."""

    success: bool = True
    message: str = "Webhook deleted"


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """The new secret, shown this once; the old one has ended."""

    webhook_id: str
    signing_secret: str
    rotated_at: int
    rotated_by: str
    rotation_count: int


async def _all(call: Call[Any, Any]) -> list[WebhookReply]:
    """Give the webhooks in this dialect's form, oldest first."""
    found = (await ask(call, "list_webhooks", Listed, query={"from": "*"})).content.data
    return [each for each in found if each.form == NAME]


async def find_webhook(call: Call[Any, Any]) -> OneWebhook:
    """Find the webhook in the path.

    Raises:
        Refusal: 404, for one in another form or of another line, too.
    """
    try:
        webhook = (await ask(call, "get_webhook", OneWebhook, path=_path(call))).content
    except InvalidRequest as error:
        if error.code not in {"line_not_accessible", "webhook_not_found"}:
            raise
        raise _not_there() from None
    if webhook.form != NAME:
        raise _not_there()
    return webhook


def _not_there() -> Refusal:
    return Refusal(404, "Webhook not found.", code="webhook_not_found")


def _path(call: Call[Any, Any]) -> dict[str, str]:
    return {"id": call.path["webhook_id"]}


def kept_of(webhook: WebhookReply) -> Kept:
    """Give what is kept with a webhook of this dialect."""
    return msgspec.convert(webhook.metadata or {}, Kept)


def scope_of(webhook: WebhookReply) -> Scope:
    """Tell whether a webhook hears of every number, or of the one that the key of its maker is restricted to."""
    return "api_key" if webhook.line_ids else "organization"


async def _shown(call: Call[Any, Any], webhook: WebhookReply) -> Webhook:
    """Write a webhook as the vendor does; its last delivery tells when it was triggered."""
    path, kept = {"id": webhook.id}, kept_of(webhook)
    last = (await ask(call, "list_webhook_deliveries", Listed, path=path, query={"limit": 1})).content
    wanted = {"limit": 1, "offset": 0, "include_total": True, "min_status": 300}
    refused = (await ask(call, "list_webhook_deliveries", Listed, path=path, query=wanted)).content
    newest: DeliveryLog | None = last.data[0] if last.data else None
    return Webhook(
        webhook_id=webhook.id,
        webhook_url=webhook.url,
        webhook_type=kept.type,
        scope=scope_of(webhook),
        api_key_name=kept.key_name,
        created_at=webhook.created_at,
        deprecated_at=None if webhook.is_active else webhook.disabled_at,
        valid_until=NEVER if webhook.expires_at is None else webhook.expires_at,
        last_triggered=None if newest is None else newest.recorded_at,
        failure_count=refused.total if isinstance(refused.total, int) else 0,
        is_active=webhook.is_active,
    )


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=WebhookList(webhooks=[await _shown(call, each) for each in await _all(call)]))


async def _register(call: Call[NoQuery, NewWebhook]) -> Reply:
    body = call.body
    if not body.webhook_url.lower().startswith("https://"):
        message = "'webhook_url' must begin with https://."
        raise Refusal(400, message, code="invalid_webhook_url", field="webhook_url")
    try:
        return await in_turn(call, "blooio-webhooks", lambda: _registered(call))
    except InvalidRequest as error:
        if error.code != "precondition_failed":
            raise
        message = "Others register webhooks just now; ask again."
        raise Refusal(503, message, retry_after=1) from None


async def _registered(call: Call[NoQuery, NewWebhook]) -> Reply:
    """Register in a turn, so that callers at the same time make one webhook of an address."""
    webhooks = await _all(call)
    live = (each for each in webhooks if each.expires_at is None or each.expires_at > call.now_ms)
    there = next((each for each in live if each.url == call.body.webhook_url), None)
    if there is not None:
        return Reply(content=await _there(call, there))
    if len(webhooks) >= MOST_WEBHOOKS:
        message = f"There are {MOST_WEBHOOKS} webhooks, which is the most; delete one first."
        raise Refusal(409, message, code="webhook_limit_reached")
    return Reply(content=await _made(call), status=201)


async def _there(call: Call[Any, Any], webhook: WebhookReply) -> There:
    """Tell of a webhook that is there; one that the hub gave up, which the vendor never does, is tried again."""
    if not webhook.is_active and not (webhook.disabled_reason or "").startswith(ON_PURPOSE):
        await ask(call, "enable_webhook", OneWebhook, path={"id": webhook.id})
    return There(webhook_id=webhook.id, webhook_url=webhook.url, scope=scope_of(webhook))


async def _made(call: Call[NoQuery, NewWebhook]) -> Made:
    body = call.body
    wish = {
        "from": "auto",
        "url": body.webhook_url,
        "events": list(TYPES[body.webhook_type]),
        "form": NAME,
        "expires_at": _end(body.valid_until),
        "metadata": msgspec.to_builtins(Kept(type=body.webhook_type, key_name=call.key.name)),
    }
    with naming(**_FIELDS):
        made = (await ask(call, "register_webhook", WebhookWithSecret, body=wish)).content
    return Made(
        webhook_id=made.id,
        webhook_url=made.url,
        webhook_type=body.webhook_type,
        scope=scope_of(made),
        created_at=made.created_at,
        signing_secret=made.secret,
    )


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=await _shown(call, await find_webhook(call)))


async def _change(call: Call[NoQuery, WebhookChanges]) -> Reply:
    body, webhook = call.body, await find_webhook(call)
    wish: dict[str, Any] = {}
    if not isinstance(body.webhook_type, UnsetType):
        kept = msgspec.structs.replace(kept_of(webhook), type=body.webhook_type)
        wish |= {"events": list(TYPES[body.webhook_type]), "metadata": msgspec.to_builtins(kept)}
    if not isinstance(body.valid_until, UnsetType):
        wish["expires_at"] = _end(body.valid_until)
    if wish:
        with naming(**_FIELDS):
            webhook = (await ask(call, "change_webhook", OneWebhook, path=_path(call), body=wish)).content
    if not isinstance(body.deprecate, UnsetType):
        name = "disable_webhook" if body.deprecate else "enable_webhook"
        webhook = (await ask(call, name, OneWebhook, path=_path(call))).content
    elif _is_prolonged(call, webhook):
        webhook = (await ask(call, "enable_webhook", OneWebhook, path=_path(call))).content
    return Reply(content=await _shown(call, webhook))


def _is_prolonged(call: Call[Any, Any], webhook: WebhookReply) -> bool:
    """Tell whether a webhook is off only because of an end that it has not any more."""
    is_over = webhook.expires_at is not None and webhook.expires_at <= call.now_ms
    return not webhook.is_active and not is_over and (webhook.disabled_reason or "").startswith(ENDED)


def _end(valid_until: int | None) -> int | None:
    return None if valid_until in (None, NEVER) else valid_until


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    await find_webhook(call)
    await ask(call, "delete_webhook", WebhookDeleted, path=_path(call))
    return Reply(content=Gone())


async def _rotate(call: Call[NoQuery, NoBody]) -> Reply:
    """Rotate in a turn, so that each rotation is counted."""
    return await in_turn(call, f"blooio-rotation:{call.path['webhook_id'][:64]}", lambda: _rotated(call))


async def _rotated(call: Call[NoQuery, NoBody]) -> Reply:
    kept = kept_of(await find_webhook(call))
    body = {"overlap_hours": 0}
    rotated = (
        await ask(call, "rotate_webhook_secret", WebhookWithSecret, path=_path(call), body=body)
    ).content
    count = msgspec.structs.replace(kept, rotations=kept.rotations + 1)
    change = {"metadata": msgspec.to_builtins(count)}
    await ask(call, "change_webhook", OneWebhook, path=_path(call), body=change)
    content = Rotated(
        webhook_id=rotated.id,
        signing_secret=rotated.secret,
        rotated_at=call.now_ms,
        rotated_by=call.key.name,
        rotation_count=count.rotations,
    )
    return Reply(content=content)


_ALL: Final = "/v2/api/webhooks"
_ONE: Final = f"{_ALL}/{{webhook_id}}"


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=path,
        name=f"blooio_{name}",
        summary=summary,
        tag="webhooks",
        scope="webhooks:read" if method == "GET" else "webhooks:write",
        query=NoQuery,
        body=more.pop("body", NoBody),
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint("GET", _ALL, "list_webhooks", "List webhooks.", reply=WebhookList, handle=_list),
    _endpoint(
        "POST",
        _ALL,
        "register_webhook",
        "Register a receiver.",
        body=NewWebhook,
        reply=Made,
        status=201,
        other_statuses={200: "The address is subscribed already."},
        example={"webhook_url": "https://example.com/hook"},
        handle=_register,
    ),
    _endpoint("GET", _ONE, "get_webhook", "Show a webhook.", reply=Webhook, handle=_get),
    _endpoint(
        "PATCH",
        _ONE,
        "change_webhook",
        "Change or pause a webhook.",
        body=WebhookChanges,
        reply=Webhook,
        example={"webhook_type": "all"},
        handle=_change,
    ),
    _endpoint("DELETE", _ONE, "delete_webhook", "Delete a webhook.", reply=Gone, handle=_delete),
    _endpoint(
        "POST", f"{_ONE}/secret/rotate", "rotate_secret", "Draw a new secret.", reply=Rotated, handle=_rotate
    ),
)
