"""/v1/bridges: bridges that push their events to us, or run inside the hub. Hot endpoint: hub.api.bridge_events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, path_id
from hub.api.webhook_shapes import Rotation
from hub.flow.bootstrap import PUSH_KIND
from hub.flow.bridge_settings import shown
from hub.flow.bridges import NewBridge
from hub.model.bridge_call import Agent
from hub.model.enrolment import BridgeSystem
from hub.model.ids import Prefix, id_text
from hub.model.line import Bridge, Line
from hub.rules.agent_versions import version_note
from hub.rules.bridge_hooks import hook_path
from hub.rules.bridge_status import BridgeStatus, bridge_status

BridgeName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[!-~](?:[ -~]*[!-~])?\Z")]


BridgeSettings = Annotated[
    dict[str, Any], Meta(max_length=64, description="What GET /v1/bridge-kinds lists for the kind.")
]


class BridgeWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bridge to register."""

    name: BridgeName
    #: `push`, or one of GET /v1/bridge-kinds.
    kind: Annotated[str, Meta(max_length=64)] = PUSH_KIND
    settings: BridgeSettings | None = None


class BridgeChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; the rest stays."""

    name: BridgeName | None = None
    is_enabled: bool | None = None
    #: Only those that change; null takes one away.
    settings: BridgeSettings | None = None


class BridgeAgent(msgspec.Struct, frozen=True, kw_only=True):
    """The agent that runs a bridge's adapter on its machine, as it last told."""

    #: The kind of bridge that it runs, as GET /v1/bridge-kinds names it, or a word of its own.
    kind: str
    #: `hub agent` for ours; null where it does not say.
    program: str | None
    version: str
    #: Its machine's system.
    os: str | None
    #: How its adapter is, and why.
    health: str
    health_reason: str | None
    #: When it last asked for anything (Unix ms, to ten seconds).
    last_heard_at: int
    #: When it last took something to do (Unix ms); null if it never did.
    last_call_at: int | None
    #: What should be done about its version; null if nothing.
    note: str | None


class BridgeReply(msgspec.Struct, frozen=True, kw_only=True):
    """A bridge, never its secret."""

    id: str
    name: str
    #: `push` for one that posts to /v1/bridge/events; the others run inside the hub.
    kind: str
    #: How its adapter reaches the network, with `********` for what is secret; null for one that pushes.
    settings: dict[str, Any] | None
    #: Where its network is to call us; null for one whose network does not.
    hook_url: str | None
    is_enabled: bool
    #: `disabled` when switched off, `idle` without lines, else the best that any of its lines is.
    status: BridgeStatus
    #: When it last spoke (Unix ms, to the minute); null if it never did.
    last_heard_at: int | None
    #: The lines that it carries.
    line_ids: tuple[str, ...]
    #: What its machine said of itself when it enrolled.
    system: BridgeSystem | None
    #: Of a bridge behind an agent (docs/agent.md); null for the others, and before its first hello.
    agent: BridgeAgent | None
    #: Until when the secret before the last rotation is still believed.
    previous_secret_expires_at: int | None
    created_at: int


class OneBridge(BridgeReply, frozen=True, kw_only=True):
    """A bridge, answered alone."""

    request_id: str


class BridgeWithSecret(OneBridge, frozen=True, kw_only=True):
    """A bridge with its fresh secret: shown this once."""

    secret: str


class BridgeDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """The bridge is gone."""

    id: str
    deleted: bool = True
    request_id: str


async def bridge_fields(call: Call[Any, Any], bridges: Sequence[Bridge]) -> list[dict[str, Any]]:
    """Give the JSON of bridges, without their secrets."""
    heard = await call.uses.bridges.last_heard()
    lines = await call.uses.bridges.lines_of()
    agents = await call.uses.bridges.agents()
    return [
        {
            **_fields(each, lines.get(each.id, ()), heard.get(each.id), call.now_ms),
            **_reach(call, each),
            "agent": _agent(agents.get(each.id)),
        }
        for each in bridges
    ]


def _agent(agent: Agent | None) -> BridgeAgent | None:
    if agent is None:
        return None
    return BridgeAgent(
        kind=agent.kind,
        program=agent.program,
        version=agent.version,
        os=agent.os,
        health=agent.health,
        health_reason=agent.health_reason,
        last_heard_at=agent.heard_at,
        last_call_at=agent.called_at,
        note=version_note(agent),
    )


def _reach(call: Call[Any, Any], bridge: Bridge) -> dict[str, Any]:
    """How the bridge reaches its network, and its network us."""
    kind = call.uses.parts.bridges.kinds.get(bridge.kind)
    is_called = kind is not None and kind.has_hook(bridge.settings or {})
    return {
        "settings": None if bridge.settings is None else shown(kind, bridge.settings),
        "hook_url": call.uses.settings.public_url + hook_path(bridge) if is_called else None,
    }


def _fields(bridge: Bridge, lines: Sequence[Line], heard_at: int | None, now_ms: int) -> dict[str, Any]:
    previous = [each.expires_at for each in bridge.secrets if (each.expires_at or 0) > now_ms]
    statuses = [line.status if line.is_active else "offline" for line in lines]
    return {
        "id": id_text(Prefix.BRIDGE, bridge.id),
        "name": bridge.name,
        "kind": bridge.kind,
        "is_enabled": bridge.is_enabled,
        "status": bridge_status(is_enabled=bridge.is_enabled, line_statuses=statuses),
        "last_heard_at": heard_at,
        "line_ids": [id_text(Prefix.LINE, line.id) for line in lines],
        "system": bridge.system,
        "previous_secret_expires_at": max(filter(None, previous), default=None),
        "created_at": bridge.created_at,
    }


async def _one(call: Call[Any, Any], bridge: Bridge) -> Reply:
    (fields,) = await bridge_fields(call, [bridge])
    return Reply(content=msgspec.convert({**fields, "request_id": call.request_id}, OneBridge))


async def made_bridge(call: Call[Any, Any], made: NewBridge, *, status: int) -> Reply:
    """Answer with a bridge and its fresh secret."""
    (fields,) = await bridge_fields(call, [made.bridge])
    shown = {**fields, "request_id": call.request_id, "secret": made.secret}
    return Reply(content=msgspec.convert(shown, BridgeWithSecret), status=status)


def _bridge_id(call: Call[Any, Any]) -> int:
    call.uses.lines.require(call.key, None)
    return path_id(call, Prefix.BRIDGE, "bridge")


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    bridges = await call.uses.bridges.all()
    data = [msgspec.convert(each, BridgeReply) for each in await bridge_fields(call, bridges)]
    return Reply(content=Listed(data=data, request_id=call.request_id))


async def _add(call: Call[NoQuery, BridgeWish]) -> Reply:
    call.uses.lines.require(call.key, None)
    body = call.body
    made = await call.uses.bridges.add(name=body.name, kind=body.kind, settings=body.settings)
    return await made_bridge(call, made, status=201)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return await _one(call, await call.uses.bridges.get(_bridge_id(call)))


async def _change(call: Call[NoQuery, BridgeChanges]) -> Reply:
    body = call.body
    changed = await call.uses.bridges.update(
        _bridge_id(call), name=body.name, is_enabled=body.is_enabled, settings=body.settings
    )
    return await _one(call, changed)


async def _rotate(call: Call[NoQuery, Rotation]) -> Reply:
    hours = call.body.overlap_hours
    overlap = call.uses.settings.rotation_overlap_hours if hours is None else hours
    made = await call.uses.bridges.rotate_secret(_bridge_id(call), overlap_hours=overlap)
    return await made_bridge(call, made, status=200)


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    bridge_id = _bridge_id(call)
    await call.uses.bridges.delete(bridge_id)
    return Reply(content=BridgeDeleted(id=id_text(Prefix.BRIDGE, bridge_id), request_id=call.request_id))


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=f"/v1/bridges{path}",
        name=name,
        summary=summary,
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=more.pop("body", NoBody),
        errors=("line_not_accessible", *more.pop("errors", ())),
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint("GET", "", "list_bridges", "List the bridges.", reply=Listed[BridgeReply], handle=_list),
    _endpoint(
        "POST",
        "",
        "add_bridge",
        "Register a bridge: one that pushes its events (the answer shows its secret, this once), or one of the kinds "
        "that run inside the hub.",
        body=BridgeWish,
        reply=BridgeWithSecret,
        status=201,
        errors=("name_taken",),
        example={"name": "mac-mini"},
        handle=_add,
    ),
    _endpoint(
        "GET",
        "/{id}",
        "get_bridge",
        "Show one bridge.",
        reply=OneBridge,
        errors=("bridge_not_found",),
        handle=_get,
    ),
    _endpoint(
        "PATCH",
        "/{id}",
        "change_bridge",
        "Rename a bridge, switch it off or on, or change its settings.",
        body=BridgeChanges,
        reply=OneBridge,
        errors=("bridge_not_found", "name_taken"),
        example={"is_enabled": False},
        handle=_change,
    ),
    _endpoint(
        "DELETE",
        "/{id}",
        "delete_bridge",
        "Delete a bridge that carries no lines.",
        reply=BridgeDeleted,
        errors=("bridge_not_found", "bridge_in_use"),
        handle=_delete,
    ),
    _endpoint(
        "POST",
        "/{id}/rotate-secret",
        "rotate_bridge_secret",
        "Make a new secret; the old one is believed until the overlap is over.",
        body=Rotation,
        is_body_optional=True,
        reply=BridgeWithSecret,
        errors=("bridge_not_found",),
        example={"overlap_hours": 24},
        handle=_rotate,
    ),
)
