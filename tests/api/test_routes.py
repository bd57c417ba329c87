"""/v1/routes: which there are, how they fare, and one started by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.api.surface import build
from hub.flow.routing.installing import FILES, FolderStatus
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.route_stories import BY_HAND, ECHO, TWO, failing, said, written
from tests.support.route_world import RouteWorld


@pytest.fixture
def routes(world: HubWorld) -> RouteWorld:
    return RouteWorld(world)


async def test_routes_are_listed_with_how_they_fare(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(TWO, BY_HAND))
    failing(routes, "got")
    await said(world)
    await routes.work()
    by_hand, two = (await world.api.get("/v1/routes")).json["data"]

    assert (two["id"], two["triggers"], two["runs"]["failed"]) == ("two", ["message.received"], 1)
    assert two["last_failed_run"]["reason"] == "Missing scope"
    assert two["last_run"] == two["last_failed_run"]
    assert (by_hand["triggers"], by_hand["last_run"], by_hand["is_enabled"]) == (["manual"], None, True)


async def test_routes_page(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(*(ECHO.replace("id: echo", f"id: echo-{each}") for each in "abc")))
    first = (await world.api.get("/v1/routes?limit=2")).json
    second = (await world.api.get(f"/v1/routes?limit=2&cursor={first['next_cursor']}")).json

    assert [each["id"] for each in first["data"] + second["data"]] == ["echo-a", "echo-b", "echo-c"]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)
    assert (await world.api.get("/v1/routes?cursor=%C3%A4")).param == "cursor"


async def test_the_folder_tells_what_is_wrong_with_it(world: HubWorld) -> None:
    status = FolderStatus(folder="routes", read_at=5, problems=("routes/a.yaml:3:1: no",))
    parts = replace(world.parts, routes=replace(world.parts.routes, folder=lambda: status))
    told = (await world.api.of(build(parts)).get("/v1/routes")).json["folder"]

    assert told == {"folder": "routes", "read_at": 5, "problems": ["routes/a.yaml:3:1: no"]}
    assert (await world.api.get("/v1/routes")).json["folder"] is None


async def test_a_route_is_shown_with_its_revisions_and_without_its_secret(
    world: HubWorld, routes: RouteWorld
) -> None:
    hook = ECHO.replace("trigger: message.received", "trigger: { webhook: s3cret-path-0123456789 }")
    await routes.install(written(hook))
    world.clock.advance(1)
    await routes.install(written(hook.replace("do.safe", "do.keyed")))
    shown = await world.api.get("/v1/routes/echo")
    newest, first = shown.json["revisions"]

    assert (newest["is_current"], first["is_current"]) == (True, False)
    assert newest["id"] == shown.json["revision_id"]
    assert shown.json["source"]["routes"][0]["steps"][0]["use"] == "do.keyed"
    assert b"s3cret" not in shown.body
    await routes.installing.install(FILES, [])
    retired = (await world.api.get("/v1/routes/echo")).json
    assert (retired["is_enabled"], retired["retired_at"]) == (False, world.clock.now_ms())
    assert (await world.api.get("/v1/routes")).json["data"] == []
    assert (await world.api.get("/v1/routes/none")).code == "route_id_not_found"


# ---- started by hand


async def test_a_route_is_started_by_hand(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(BY_HAND))
    body = {"event": {"name": "Ann"}, "vars": {"greeting": "Bye"}}
    begun = await world.api.post("/v1/routes/by-hand/run", body)
    await routes.drive()

    assert (begun.status, begun.json["state"], begun.json["event_id"]) == (202, "active", None)
    assert routes.inputs == [{"text": "Bye Ann", "type": "manual"}]
    assert world.wake_ups.runs == 1
    assert (await world.api.get(f"/v1/runs/{begun.json['id']}")).json["state"] == "completed"


async def test_starting_by_hand_is_done_once_under_a_key(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(BY_HAND))
    body, headers = {"event": {"name": "Ann"}}, {"Idempotency-Key": "k"}
    first, second = [
        await world.api.request("POST", "/v1/routes/by-hand/run", body=body, headers=headers)
        for _ in range(2)
    ]

    assert first.json["id"] == second.json["id"]
    assert len((await world.api.get("/v1/runs")).json["data"]) == 1


async def test_a_route_is_started_again_for_an_event(world: HubWorld, routes: RouteWorld) -> None:
    """Whatever its conditions and its memory say; the event is one that it listens to."""
    strict = ECHO.replace(
        "steps:", "when: { text: never }\ndedupe: { key: '{{ event.id }}', for: 7d }\nsteps:"
    )
    event_id = await said(world)
    await routes.install(written(strict, BY_HAND))
    for _ in range(2):
        begun = await world.api.post("/v1/routes/echo/run", {"event_id": event_id})
        assert (begun.status, begun.json["event_id"]) == (202, event_id)
        await routes.work()
    await world.api.post("/v1/messages", {"from": world.sandbox_line.handle, "to": CONTACT, "text": "Hi"})
    (other,) = (await world.api.get("/v1/events?limit=1")).json["data"]
    refused = await world.api.post("/v1/routes/echo/run", {"event_id": other["id"]})

    assert [each["text"] for each in routes.inputs] == ["Hello", "Hello"]
    assert (other["type"] != "message.received", refused.status, refused.param) == (True, 400, "event_id")


@pytest.mark.parametrize(
    ("route_id", "body", "code"),
    [
        ("none", {}, "route_id_not_found"),
        ("echo", {"event": {}}, "route_not_startable"),
        ("off", {"event": {}}, "route_not_startable"),
        ("by-hand", {"event": {}, "event_id": "evt_0000000000001"}, "invalid_parameter_value"),
        ("by-hand", {"event_id": "evt_0000000000001"}, "event_not_found"),
        ("by-hand", {"event": []}, "invalid_parameter_value"),
        ("by-hand", {"events": {}}, "invalid_parameter_value"),
    ],
)
async def test_what_cannot_be_started_says_why(
    world: HubWorld, routes: RouteWorld, route_id: str, body: Any, code: str
) -> None:
    await routes.install(written(ECHO, BY_HAND, BY_HAND.replace("id: by-hand", "id: off\nenabled: false")))

    assert (await world.api.post(f"/v1/routes/{route_id}/run", body)).code == code
