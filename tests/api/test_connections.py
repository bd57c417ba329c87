"""GET /v1/connections: which services routes may ask, and whether those believe the hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hub.api.surface import build
from hub.flow.connection_states import ConnectionStanding
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld

PAUSED = ConnectionStanding(
    name="crm",
    connector="hubspot",
    auth="private_app",
    state="paused",
    reason="HubSpot answered 401: the token has expired",
    paused_at=1_790_000_000_000,
    tested_at=1_790_000_060_000,
    works=False,
    told="HubSpot answered 401: the token has expired",
)


async def test_connections_say_how_they_stand(world: HubWorld) -> None:
    async def listed() -> Sequence[ConnectionStanding]:
        return (PAUSED,)

    api = Caller(build(replace(world.parts, connections=listed)), token=world.api.token)
    answered = await api.get("/v1/connections")

    assert answered.status == 200
    assert answered.json["data"] == [
        {
            "name": "crm",
            "connector": "hubspot",
            "auth": "private_app",
            "state": "paused",
            "reason": "HubSpot answered 401: the token has expired",
            "paused_at": 1_790_000_000_000,
            "tested_at": 1_790_000_060_000,
            "works": False,
            "test_result": "HubSpot answered 401: the token has expired",
        }
    ]


async def test_a_hub_without_connections_lists_none(world: HubWorld) -> None:
    assert (await world.api.get("/v1/connections")).json["data"] == []
