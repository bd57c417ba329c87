"""/v1/lines: the identities that a hub speaks as."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

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
from hub.flow.lines import LineWish
from hub.model.capability import CAPABILITIES
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.line_safety import LineSafety
from hub.model.observation import Handle, Label

Service = Literal["imessage", "sms", "auto"]
CapabilityNames = Annotated[
    tuple[Annotated[str, Meta(max_length=64)], ...],
    Meta(max_length=64, description="All that is switched off from now on; the bridge is not asked for it."),
]
PaceMs = Annotated[
    int, Meta(ge=0, le=3_600_000, description="Least time between two sends, in milliseconds.")
]


class LineReply(msgspec.Struct, frozen=True, kw_only=True):
    """A line."""

    id: str
    handle: str
    label: str | None
    service: Service
    is_active: bool
    bridge_id: str
    #: The bridge that sends as SMS what the first one's network cannot reach, where the sender allows it.
    fallback_bridge_id: str | None
    #: Whether a contact must have written before the line may write to them.
    is_contact_first: bool
    pace_ms: int
    #: `online`, `degraded` or `offline`, once it has lasted; GET /v1/lines/{id}/health says more.
    status: str
    status_reason: str | None
    #: What it can do now, without what is switched off; null until its bridge has told.
    capabilities: tuple[str, ...] | None
    capabilities_off: tuple[str, ...]
    #: What it wants otherwise than the hub, to be kept safe (docs/line-safety.md).
    safety: LineSafety
    created_at: int


class OneLine(LineReply, frozen=True, kw_only=True):
    """A line, answered alone."""

    request_id: str


class NewLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line to register on a bridge."""

    bridge_id: str
    handle: Handle
    label: Label | None = None
    service: Service = "auto"
    is_contact_first: bool = True
    pace_ms: PaceMs = 1000
    safety: LineSafety = LineSafety()
    #: The bridge that sends as SMS what the first one's network cannot reach.
    fallback_bridge_id: str | None = None


class LineChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; the rest stays."""

    label: Label | UnsetType | None = UNSET
    service: Service | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    is_contact_first: bool | UnsetType = UNSET
    pace_ms: PaceMs | UnsetType = UNSET
    capabilities_off: CapabilityNames | UnsetType = UNSET
    #: The line moves to another bridge: what both tell is told once.
    bridge_id: str | UnsetType = UNSET
    #: Null takes the second bridge away.
    fallback_bridge_id: str | UnsetType | None = UNSET
    #: Only what stands in it changes; a null takes the hub's setting again.
    safety: LineSafety | UnsetType = UNSET


def _fields(line: Line) -> dict[str, object]:
    return {
        "id": id_text(Prefix.LINE, line.id),
        "handle": line.handle,
        "label": line.label,
        "service": line.service,
        "is_active": line.is_active,
        "bridge_id": id_text(Prefix.BRIDGE, line.bridge_id),
        "fallback_bridge_id": _bridge_text(line.fallback_bridge_id),
        "is_contact_first": line.is_contact_first,
        "pace_ms": line.pace_ms,
        "status": line.status,
        "status_reason": line.status_reason,
        "capabilities": None if line.capabilities is None else sorted(line.able or ()),
        "capabilities_off": sorted(line.capabilities_off),
        "safety": line.safety,
        "created_at": line.created_at,
    }


def _bridge_text(bridge_id: int | None) -> str | None:
    return None if bridge_id is None else id_text(Prefix.BRIDGE, bridge_id)


def _bridge_id(text: str | None, param: str) -> int | None:
    return None if text is None else field_id(text, Prefix.BRIDGE, "bridge", param=param)


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    lines = await call.uses.lines.visible(call.key)
    data = [msgspec.convert(_fields(line), LineReply) for line in lines]
    return Reply(content=Listed(data=data, request_id=call.request_id))


async def _find(call: Call[NoQuery, NoBody] | Call[NoQuery, LineChanges]) -> Line:
    line = await call.uses.lines.get(path_id(call, Prefix.LINE, "line"))
    if line is None:
        raise not_found("line")
    call.uses.lines.require(call.key, line.id)
    return line


def _one(
    call: Call[NoQuery, NoBody] | Call[NoQuery, LineChanges] | Call[NoQuery, NewLine], line: Line
) -> OneLine:
    return msgspec.convert({**_fields(line), "request_id": call.request_id}, OneLine)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=_one(call, await _find(call)))


async def _add(call: Call[NoQuery, NewLine]) -> Reply:
    call.uses.lines.require(call.key, None)
    body = call.body
    wish = LineWish(
        bridge_id=field_id(body.bridge_id, Prefix.BRIDGE, "bridge", param="bridge_id"),
        handle=body.handle,
        label=body.label,
        service=body.service,
        is_contact_first=body.is_contact_first,
        pace_ms=body.pace_ms,
        safety=body.safety,
        fallback_bridge_id=_bridge_id(body.fallback_bridge_id, "fallback_bridge_id"),
    )
    call.uses.parts.policies.check(wish.bridge_id, wish.safety)
    return Reply(content=_one(call, await call.uses.lines.add(wish)), status=201)


async def _change(call: Call[NoQuery, LineChanges]) -> Reply:
    line = await _find(call)
    changes: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(call.body).items() if value is not UNSET
    }
    if {"bridge_id", "fallback_bridge_id"} & changes.keys():
        call.uses.lines.require(call.key, None)  # bridges are not a matter of one line
    for name in {"bridge_id", "fallback_bridge_id"} & changes.keys():
        changes[name] = _bridge_id(changes[name], name)
    if "capabilities_off" in changes:
        changes["capabilities_off"] = _known_capabilities(changes["capabilities_off"])
    wanted = changes.pop("safety", None)
    said = () if wanted is None else msgspec.json.decode(call.raw_body)["safety"]

    def change(current: Line) -> Line:
        if wanted is None:
            return replace(current, **changes)
        safety = _merged(current.safety, wanted, said)
        call.uses.parts.policies.check(line.bridge_id, safety)
        return replace(current, **changes, safety=safety)

    return Reply(content=_one(call, await call.uses.lines.update(line, change)))


def _merged(safety: LineSafety, wanted: LineSafety, said: Collection[str]) -> LineSafety:
    """Take over what was said, nulls included; the rest stays as it is."""
    return msgspec.structs.replace(safety, **{name: getattr(wanted, name) for name in said})


def _known_capabilities(names: Sequence[str]) -> frozenset[str]:
    """Refuse a name that would switch nothing off."""
    for index, name in enumerate(names):
        if name not in CAPABILITIES:
            message = f"'{name}' is no capability; there are {', '.join(CAPABILITIES)}."
            raise InvalidRequest("invalid_parameter_value", message, param=f"capabilities_off[{index}]")
    return frozenset(names)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/lines",
        name="list_lines",
        summary="List the lines that the key may use.",
        tag="lines",
        scope="lines:read",
        query=NoQuery,
        body=NoBody,
        reply=Listed[LineReply],
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/lines",
        name="add_line",
        summary="Register a line on a bridge.",
        tag="lines",
        scope="lines:write",
        query=NoQuery,
        body=NewLine,
        reply=OneLine,
        status=201,
        errors=("bridge_not_found", "name_taken", "line_not_accessible"),
        example={"bridge_id": "brg_0f2m4h8x0g001", "handle": "+15550100010", "service": "imessage"},
        handle=_add,
    ),
    Endpoint(
        method="GET",
        path="/v1/lines/{id}",
        name="get_line",
        summary="Show one line.",
        tag="lines",
        scope="lines:read",
        query=NoQuery,
        body=NoBody,
        reply=OneLine,
        errors=("line_not_found", "line_not_accessible"),
        handle=_get,
    ),
    Endpoint(
        method="PATCH",
        path="/v1/lines/{id}",
        name="change_line",
        summary="Change a line, or move it to another bridge.",
        tag="lines",
        scope="lines:write",
        query=NoQuery,
        body=LineChanges,
        reply=OneLine,
        errors=("bridge_not_found", "line_not_found", "line_not_accessible"),
        example={"is_active": False},
        handle=_change,
    ),
)
