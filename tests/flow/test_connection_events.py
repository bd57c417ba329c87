"""A connection that is paused, or goes on, is an event: webhooks get it, routes may start on it, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.flow.connection_events import ConnectionChange, TellConnection, telling
from hub.flow.record import Recorder
from tests.support.hub_world import HubWorld, open_world
from tests.support.route_world import RouteWorld

CHANGE = ConnectionChange(
    name="crm",
    connector="hubspot",
    is_paused=True,
    reason="HubSpot answered 401: expired",
    paused_at=1_790_000_000_000,
    occurred_at=1_790_000_000_000,
    version=3,
)
WARNS = """
version: 1
routes:
  - id: warn
    trigger: connection.*
    steps: [{ use: do.safe, with: { text: "{{ event.connection }} {{ event.type }}: {{ event.reason }}" } }]
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as world:
        yield world


def teller(world: HubWorld) -> TellConnection:
    return telling(
        Recorder(
            store=world.store.hot,
            directory=world.directory,
            take_ids=world.new_id.take,
            wake_ups=world.wake_ups,
            clock=world.clock,
        )
    )


async def test_webhooks_get_each_change_once_whoever_notices_it(world: HubWorld) -> None:
    hook = {"url": "https://example.com/hook", "events": ["connection.*"], "from": "*"}
    await world.api.post("/v1/webhooks", hook)
    tell = teller(world)
    for change in (CHANGE, CHANGE, replace(CHANGE, is_paused=False, version=4), replace(CHANGE, version=5)):
        await tell(change)
    told = (await world.api.get("/v1/events?type=connection.*")).json["data"]
    owed = (await world.api.get("/v1/deliveries")).json["data"]

    assert [each["type"] for each in told][::-1] == [
        "connection.paused",
        "connection.resumed",
        "connection.paused",
    ]
    assert len(owed) == 3


async def test_routes_start_on_it(world: HubWorld) -> None:
    routes = RouteWorld(world)
    await routes.install(WARNS)
    await teller(world)(CHANGE)
    await routes.work()

    assert [each["text"] for each in routes.inputs] == [
        "crm connection.paused: HubSpot answered 401: expired"
    ]
