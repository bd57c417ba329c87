"""/v1/webhooks: register, list, show, change, delete, rotate (contracts: msgbubbles §2, §7).

Only webhooks of this form are there: those of another have other event names and another body.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.authentication import require_scope
from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply
from hub.api.webhook_shapes import OneWebhook, WebhookDeleted, WebhookWithSecret
from hub.dialects.msgbubbles.errors import Refused
from hub.dialects.msgbubbles.event_names import EVENTS, native_events
from hub.dialects.msgbubbles.identifiers import native_named
from hub.dialects.msgbubbles.rendering import hook_of
from hub.dialects.msgbubbles.shapes import Deleted, Hook, HookWithSecret, Many, One, Strict
from hub.dialects.msgbubbles.webhooks import FORM
from hub.dialects.native import ask
from hub.model.ids import Prefix, id_text

Url = Annotated[str, Meta(max_length=2048)]
Events = Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=len(EVENTS))]
_EVERY_LINE: Final = "*"
#: Only reactions say whether they were added.
_NO_OWN_REACTIONS: Final = {"$not": {"data.is_from_me": True, "data.added": {"$exists": True}}}


class NewHook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receiver to register."""

    url: Url
    #: None for all.
    events: Events | None = None


class HookChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; the rest stays."""

    url: Url | UnsetType = UNSET
    #: Null or none for all.
    events: Events | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


async def _register(call: Call[Strict, NewHook]) -> Reply:
    wanted = {
        "from": _line(call),
        "url": call.body.url,
        "form": FORM.name,
        **subscription(call.body.events),
    }
    made = (await ask(call, "register_webhook", WebhookWithSecret, body=wanted)).content
    return Reply(content=_with_secret(call, made), status=201)


def subscription(names: Sequence[str] | None) -> dict[str, Any]:
    """Say in native words what is asked for; of reactions only those of contacts."""
    events = native_events(names or ())
    return {"events": events, "filter": _NO_OWN_REACTIONS if "reaction.added" in events else None}


def _line(call: Call[Any, Any]) -> str:
    """Name the line of a new webhook: all of them, or the one that the key is restricted to.

    Raises:
        Refused: forbidden for a key of several lines, which a webhook cannot say.
    """
    lines = call.key.line_ids
    if lines is None:
        return _EVERY_LINE
    if len(lines) == 1:
        return id_text(Prefix.LINE, next(iter(lines)))
    raise Refused("forbidden", "This key is for several numbers; register with a key for one, or for all.")


async def _list(call: Call[Strict, NoBody]) -> Reply:
    found = (await ask(call, "list_webhooks", Listed, query={"from": _EVERY_LINE})).content.data
    data = [hook_of(each) for each in found if each.form == FORM.name]
    return Reply(content=Many(data=data, has_more=False, request_id=call.request_id))


async def _get(call: Call[Strict, NoBody]) -> Reply:
    return _shown(call, await _find(call))


async def _find(call: Call[Any, Any]) -> OneWebhook:
    native_id = native_named(Prefix.WEBHOOK, call.path["id"], param="id")
    found = (await ask(call, "get_webhook", OneWebhook, path={"id": native_id})).content
    if found.form != FORM.name:
        raise Refused("not_found", "Webhook not found.")
    return found


async def _change(call: Call[Strict, HookChanges]) -> Reply:
    require_scope(call.key, "webhooks:read")
    body, native_id = call.body, (await _find(call)).id
    wanted: dict[str, Any] = {"url": body.url, "active": body.enabled}
    if not isinstance(body.events, UnsetType):
        wanted |= subscription(body.events)
    given = {name: value for name, value in wanted.items() if value is not UNSET}
    return _shown(
        call, (await ask(call, "change_webhook", OneWebhook, path={"id": native_id}, body=given)).content
    )


async def _delete(call: Call[Strict, NoBody]) -> Reply:
    require_scope(call.key, "webhooks:read")
    found = await _find(call)
    await ask(call, "delete_webhook", WebhookDeleted, path={"id": found.id})
    return Reply(content=One(data=Deleted(id=hook_of(found).id), request_id=call.request_id))


async def _rotate(call: Call[Strict, Strict]) -> Reply:
    """Rotate without overlap: from now on the new secret signs alone."""
    require_scope(call.key, "webhooks:read")
    path = {"id": (await _find(call)).id}
    rotated = await ask(
        call, "rotate_webhook_secret", WebhookWithSecret, path=path, body={"overlap_hours": 0}
    )
    return Reply(content=_with_secret(call, rotated.content))


def _shown(call: Call[Any, Any], native: OneWebhook) -> Reply:
    return Reply(content=One(data=hook_of(native), request_id=call.request_id))


def _with_secret(call: Call[Any, Any], native: WebhookWithSecret) -> One[HookWithSecret]:
    data = HookWithSecret(**msgspec.structs.asdict(hook_of(native)), secret=native.secret)
    return One(data=data, request_id=call.request_id)


def _endpoint(method: str, path: str, name: str, summary: str, *, handle: Any, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=f"/v1/webhooks{path}",
        name=f"msgbubbles_{name}",
        summary=summary,
        tag="msgbubbles",
        scope="webhooks:read" if method == "GET" else "webhooks:write",
        query=Strict,
        body=more.pop("body", NoBody),
        handle=handle,
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint("GET", "", "list_webhooks", "List webhooks.", reply=Many[Hook], handle=_list),
    _endpoint(
        "POST", "", "register_webhook", "Register a receiver; the answer shows its secret.",
        body=NewHook, reply=One[HookWithSecret], status=201, replayed_status=200, handle=_register,
        example={"url": "https://example.com/hook", "events": ["message.received"]},
    ),
    _endpoint("GET", "/{id}", "get_webhook", "Show a webhook.", reply=One[Hook], handle=_get),
    _endpoint(
        "PATCH", "/{id}", "change_webhook", "Change a webhook.",
        body=HookChanges, reply=One[Hook], handle=_change, example={"enabled": False},
    ),
    _endpoint("DELETE", "/{id}", "delete_webhook", "Delete a webhook.", reply=One[Deleted], handle=_delete),
    _endpoint(
        "POST", "/{id}/rotate-secret", "rotate_webhook_secret", "Make a new secret; the old one signs no more.",
        body=Strict, is_body_optional=True, reply=One[HookWithSecret], handle=_rotate,
    ),
)  # fmt: skip
