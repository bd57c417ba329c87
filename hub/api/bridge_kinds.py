"""What bridges can be: /v1/bridge-kinds; and whether one works: POST /v1/bridges/{id}/examine."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, path_id
from hub.api.field_docs import described
from hub.flow.bridge_examining import examine
from hub.flow.bridge_kinds import BridgeKind
from hub.model.ids import Prefix, id_text


class KindReply(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of bridge."""

    kind: str
    #: As people call it.
    title: str
    #: Where it can run: in the hub, or in an agent beside its network.
    places: tuple[str, ...]
    #: Whether its network calls us, at the bridge's `hook_url`.
    has_hook: bool
    #: JSON Schema of its settings.
    settings_schema: dict[str, Any]
    #: Settings that are never shown again.
    secret_settings: tuple[str, ...]


class FindingReply(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried."""

    name: str
    state: Literal["ok", "warning", "failed", "skipped"]
    #: What was seen and what to do; nothing secret.
    detail: str


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about a bridge."""

    id: str
    #: Whether nothing failed.
    is_well: bool
    findings: tuple[FindingReply, ...]
    request_id: str


def kind_fields(kind: BridgeKind) -> KindReply:
    """Show a kind."""
    (reference,), components = msgspec.json.schema_components([kind.settings], ref_template="#/$defs/{name}")
    shapes = described(components, [kind.settings])
    shape = shapes.pop(reference["$ref"].rpartition("/")[2])
    if shapes:
        shape["$defs"] = shapes
    return KindReply(
        kind=kind.name,
        title=kind.title,
        places=tuple(sorted(kind.places)),
        has_hook=kind.open_hooks is not None,
        settings_schema=shape,
        secret_settings=tuple(sorted(kind.secret_settings)),
    )


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    data = [kind_fields(kind) for _, kind in sorted(call.uses.parts.bridges.kinds.items())]
    return Reply(content=Listed(data=data, request_id=call.request_id))


async def _examine(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    bridge = await call.uses.bridges.get(path_id(call, Prefix.BRIDGE, "bridge"))
    heard_at = (await call.uses.bridges.last_heard()).get(bridge.id)
    lines = (await call.uses.bridges.lines_of()).get(bridge.id, ())
    findings = await examine(
        call.uses.parts.bridges,
        bridge,
        lines,
        heard_at=heard_at,
        refused=await call.uses.store.refused.tally(bridge.id),
        now_ms=call.now_ms,
        agent=(await call.uses.bridges.agents()).get(bridge.id),
    )
    content = Examined(
        id=id_text(Prefix.BRIDGE, bridge.id),
        is_well=all(each.state != "failed" for each in findings),
        findings=tuple(
            FindingReply(name=each.name, state=each.state, detail=each.detail) for each in findings
        ),
        request_id=call.request_id,
    )
    return Reply(content=content)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/bridge-kinds",
        name="list_bridge_kinds",
        summary="List the kinds of bridges that this hub knows, with their settings.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=Listed[KindReply],
        errors=("line_not_accessible",),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/bridges/{id}/examine",
        name="examine_bridge",
        summary="Try whether a bridge works, and say what was found; nothing is sent to anybody.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=Examined,
        errors=("bridge_not_found", "line_not_accessible"),
        handle=_examine,
    ),
)
