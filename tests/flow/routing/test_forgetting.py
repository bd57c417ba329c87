"""Runs are forgotten when their routes say, else when the settings do."""

from __future__ import annotations

from hub.flow.routing.forgetting import RunForgetting
from hub.flow.routing.installing import FILES
from tests.support.hub_world import HubWorld
from tests.support.route_world import RouteWorld

DAY = 86_400_000
ROUTES = """
version: 1
routes:
  - id: plain
    trigger: message.received
    steps: [{ use: do.safe, with: { text: "{{ event.text }}" } }]
  - id: brief
    trigger: message.received
    keep: { payload: 0s, log: 2d }
    steps: [{ use: do.safe, with: { text: "{{ event.text }}" } }]
"""


def forgetting(world: HubWorld, routes: RouteWorld) -> RunForgetting:
    return RunForgetting(
        store=world.store,
        book=routes.book,
        clock=world.clock,
        payload_ms=7 * DAY,
        log_ms=30 * DAY,
        events_ms=30 * DAY,
    )


async def test_runs_are_forgotten_as_their_routes_say(world: HubWorld, routes: RouteWorld) -> None:
    forget = forgetting(world, routes)
    await routes.install(ROUTES)
    await world.say("Hello")
    await routes.work()
    counts = []
    for days in (1, 1, 5, 22, 2):
        world.clock.advance(days * DAY + 1)
        counts.append(await forget())

    assert [(each["run_payloads"], each["runs"]) for each in counts] == [
        (1, 0),  # of the brief one
        (0, 1),
        (1, 0),  # of the plain one
        (0, 0),
        (0, 1),
    ]


async def test_what_was_forgotten_cannot_be_replayed_and_is_still_shown(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(ROUTES)
    await world.say("Hello")
    await routes.work()
    world.clock.advance(8 * DAY)
    await forgetting(world, routes)()
    (run,) = (await world.api.get("/v1/runs?route_id=plain")).json["data"]
    refused = await world.api.post(f"/v1/runs/{run['id']}/replay", {"from": "start", "revision": "same"})
    shown = await world.api.get(f"/v1/runs/{run['id']}")

    assert (refused.status, refused.code) == (409, "run_state_conflict")
    assert "kept no more" in refused.json["error"]["message"]
    assert (shown.json["has_payload"], shown.json["event"], shown.json["events"]) == (False, None, [])
    assert shown.json["steps"][0] | {"inputs": None, "status": "completed"} == shown.json["steps"][0]
    assert b"Hello" not in shown.body


async def test_a_retired_route_goes_with_its_last_run(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(ROUTES)
    await world.say("Hello")
    await routes.work()
    await routes.installing.install(FILES, [])
    world.clock.advance(31 * DAY)
    await forgetting(world, routes)()

    assert await world.store.routes.all() == []
