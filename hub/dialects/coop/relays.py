"""/api/v1/relays, tokens for new ones, and teams (contracts: coop §7). A relay is a bridge.

A hub is one organisation: its tenant is the only one, whatever its id in a path is, and there are no teams below it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.bridges import BridgeReply, OneBridge
from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.enrolments import EnrolmentWithToken
from hub.api.line_safety import HealthReply
from hub.api.queue import MOST_LANES, QueueReply
from hub.dialects.coop.names import RELAY, RELAY_TOKEN, native_id, spelled
from hub.dialects.coop.paging import Found, read
from hub.dialects.coop.times import iso
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

#: Native statuses of a bridge whose network can be reached.
_ONLINE: Final = frozenset({"degraded", "online"})
_MACOS: Final = "macOS "


class SystemInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the relay's machine told of itself when it enrolled."""

    macos_version: str | None
    hostname: str | None


class Relay(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A relay."""

    id: str
    name: str
    status: str
    last_heartbeat: str | None
    system_info: SystemInfo
    registered_at: str


class Throughput(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Messages of today, by the clocks of the relay's lines."""

    sent_today: int
    received_today: int


class Health(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a relay fares. Its machine's load is not told here."""

    cpu: float | None = None
    memory: float | None = None
    throughput: Throughput
    queue_depth: int


class RelayWithHealth(Relay, frozen=True, kw_only=True, rename="camel"):
    """A relay, and how it fares."""

    health: Health


class RelayToken(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A token for one relay: shown this once."""

    token: str
    expires_at: str


class NewTeam(msgspec.Struct, frozen=True, kw_only=True):
    """A team to make."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]


def _fields(bridge: BridgeReply) -> dict[str, Any]:
    system = bridge.system
    return {
        "id": spelled(RELAY, bridge.id),
        "name": bridge.name,
        "status": "online" if bridge.status in _ONLINE else "offline",
        "last_heartbeat": iso(bridge.last_heard_at),
        "system_info": SystemInfo(
            macos_version=None if system is None or system.os is None else system.os.removeprefix(_MACOS),
            hostname=None if system is None else system.hostname,
        ),
        "registered_at": iso(bridge.created_at),
    }


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    bridges = (await ask(call, "list_bridges", Listed)).content.data
    return Reply(content=Found(data=[Relay(**_fields(read(each, BridgeReply))) for each in bridges]))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    path = {"id": native_id(RELAY, call.path["id"], "bridge")}
    bridge = (await ask(call, "get_bridge", OneBridge, path=path)).content
    queue = (await ask(call, "show_queue", QueueReply, query={"limit": MOST_LANES})).content
    waiting = [each for each in queue.lines if each.line_id in bridge.line_ids]
    today = [
        (await ask(call, "get_line_health", HealthReply, path={"id": line_id})).content.today
        for line_id in bridge.line_ids
    ]
    health = Health(
        throughput=Throughput(
            sent_today=sum(each.sent for each in today), received_today=sum(each.received for each in today)
        ),
        queue_depth=sum(each.pending + each.processing + each.unknown for each in waiting),
    )
    return Reply(content=RelayWithHealth(**_fields(bridge), health=health))


async def _token(call: Call[NoQuery, NoBody]) -> Reply:
    made = (await ask(call, "create_enrolment", EnrolmentWithToken)).content
    content = RelayToken(token=spelled(RELAY_TOKEN, made.token), expires_at=iso(made.expires_at))
    return Reply(content=content, status=201)


async def _team(call: Call[NoQuery, NewTeam]) -> Reply:
    raise InvalidRequest(
        "insufficient_scope",
        "This hub is one organisation and has no teams. Give each team an API key that is restricted to its lines "
        "(hub keys create --line), or a hub of its own.",
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/api/v1/relays",
        name="coop_list_relays",
        summary="List relays.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=Found[Relay],
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/relays/{id}",
        name="coop_get_relay",
        summary="Show a relay and how it fares.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=RelayWithHealth,
        handle=_get,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/tenants/{tenant_id}/relay-tokens",
        name="coop_create_relay_token",
        summary="Make a token for a new relay.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=RelayToken,
        status=201,
        handle=_token,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/sub-tenants",
        name="coop_create_team",
        summary="Refused: a hub has no teams.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NewTeam,
        reply=None,
        example={"name": "Sales"},
        handle=_team,
    ),
)
