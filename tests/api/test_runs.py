"""/v1/runs: what ran and why it failed; cancelled, and done again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.flow.routing.installing import FILES
from hub.model.ids import Prefix, id_text
from hub.model.run import RunState
from tests.support.hub_world import STRANGER, HubWorld
from tests.support.route_stories import ECHO, TWO, failing, only_run, said, written
from tests.support.route_world import RouteWorld

HOUR = 3_600_000
NO_RUN = id_text(Prefix.RUN, 1)


@pytest.fixture
def routes(world: HubWorld) -> RouteWorld:
    return RouteWorld(world)


# ---- runs


async def test_a_run_shows_all_that_happened(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(TWO))
    failing(routes, "got")
    event_id = await said(world)
    await routes.work()
    run = await only_run(world)
    first, second, told = run["steps"]

    assert (run["route_id"], run["event_id"], run["state"]) == ("two", event_id, "failed")
    assert (run["error_class"], run["failed_path"], run["reason"]) == ("permission", "1", "Missing scope")
    assert (run["event"]["text"], len(run["events"]), run["next_at"]) == ("Hello", 1, None)
    assert (first["id"], first["does"], first["status"]) == ("first", "do.keyed", "completed")
    assert (first["inputs"], first["attempts"]) == ({"text": "Hello"}, 1)
    assert second["error"] | {"details": None} == {
        "class": "permission",
        "message": "Missing scope",
        "status": 403,
        "details": None,
    }
    assert second["requests"] == ["POST https://x 403"]
    assert (told["path"], told["inputs"]) == ("error/0", {"failed": "second"})


async def test_runs_are_filtered_and_page(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(ECHO, TWO))
    failing(routes, "got")
    first = await said(world, "a")
    await routes.work()
    world.clock.advance(HOUR)
    between = world.clock.now_ms()
    await said(world, "b")
    await routes.work()

    async def found(query: str) -> list[tuple[str, str]]:
        answered = await world.api.get(f"/v1/runs?{query}")
        assert answered.status == 200, answered.body
        return [(each["route_id"], each["state"]) for each in answered.json["data"]]

    assert sorted(await found(f"event_id={first}")) == [("echo", "completed"), ("two", "failed")]
    assert await found("state=failed") == [("two", "failed")] * 2
    assert await found("route_id=echo&state=failed") == []
    assert len(await found(f"since={between}")) == len(await found(f"until={between}")) == 2
    page = (await world.api.get("/v1/runs?limit=3")).json
    rest = (await world.api.get(f"/v1/runs?limit=3&cursor={page['next_cursor']}")).json
    ids = [each["id"] for each in page["data"] + rest["data"]]
    assert (len(set(ids)), ids, rest["has_more"]) == (4, sorted(ids, reverse=True), False)
    assert (await world.api.get("/v1/runs?state=dead")).code == "invalid_parameter_value"
    assert (await world.api.get(f"/v1/runs/{NO_RUN}")).code == "run_not_found"


async def test_what_a_route_redacts_is_masked_wherever_it_went(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(TWO.replace("steps:", "keep: { redact: [text, event.contact] }\nsteps:")))
    await said(world, "4111 1111 1111 1111")
    await routes.work()
    answered = await world.api.get("/v1/runs?limit=1")
    shown = await world.api.get(f"/v1/runs/{answered.json['data'][0]['id']}")

    assert b"4111" not in shown.body
    assert shown.json["event"]["text"] == "•••"
    assert shown.json["event"]["contact"] == "•••"
    assert shown.json["steps"][1]["inputs"] == {"got": "•••"}
    assert shown.json["event"]["channel"] == "imessage"


async def test_a_run_is_cancelled_and_the_next_of_its_lane_goes_on(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(written(ECHO.replace("steps:", "steps:\n  - delay: 1h")))
    await said(world, "a")
    await said(world, "b")
    await routes.work()
    parked, active = (await world.api.get("/v1/runs")).json["data"]
    cancelled = await world.api.post(f"/v1/runs/{active['id']}/cancel", {"reason": "wrong"})
    again = await world.api.post(f"/v1/runs/{active['id']}/cancel")

    assert (parked["state"], parked["next_at"], active["state"]) == ("parked", None, "active")
    assert (cancelled.json["state"], cancelled.json["reason"]) == ("cancelled", "wrong")
    assert (again.status, again.code) == (409, "run_state_conflict")
    assert "cancelled" in again.json["error"]["message"]
    assert (await world.api.get(f"/v1/runs/{parked['id']}")).json["state"] == "active"


# ---- replays


async def test_a_replay_from_where_it_failed_repeats_nothing_that_was_done(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(written(TWO))
    failing(routes, "got")
    await said(world)
    await routes.work()
    failed = await only_run(world)
    failing(routes, "nothing")
    before = list(routes.actions.calls)
    body = {"from": "failed", "revision": "same"}
    begun = await world.api.post(f"/v1/runs/{failed['id']}/replay", body)
    await routes.drive()
    run = (await world.api.get(f"/v1/runs/{begun.json['id']}")).json
    (call,) = routes.actions.calls[len(before) :]

    assert (begun.status, run["state"], run["origin_run_id"]) == (202, "completed", failed["id"])
    assert call.inputs == {"got": "Hello"}
    assert call.key == before[1].key
    assert [each["status"] for each in run["steps"]] == ["completed", "completed"]
    assert (await world.api.get(f"/v1/runs/{failed['id']}")).json["replay_ids"] == [run["id"]]


async def test_a_replay_from_the_start_does_all_again_under_new_keys(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(written(TWO))
    await said(world)
    await routes.work()
    run = await only_run(world)
    await world.api.post(f"/v1/runs/{run['id']}/replay", {"from": "start", "revision": "same"})
    await routes.drive()

    assert routes.inputs[2:] == routes.inputs[:2]
    assert len({call.key for call in routes.actions.calls}) == 4


async def test_a_replay_is_on_the_revision_that_is_asked_for(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(TWO))
    failing(routes, "got")
    await said(world)
    await routes.work()
    run = await only_run(world)
    mended = TWO.replace('got: "{{ steps.first.output.got.text }}"', "mended: true")
    await routes.install(written(mended))
    for revision in ("same", "latest"):
        await world.api.post(f"/v1/runs/{run['id']}/replay", {"from": "failed", "revision": revision})
    await routes.drive()

    assert [(each.state, each.failed_path) for each in (await routes.runs())[1:]] == [
        (RunState.FAILED, "1"),
        (RunState.COMPLETED, None),
    ]
    assert {"mended": True} in routes.inputs


async def test_on_other_steps_what_was_done_cannot_be_kept(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(TWO))
    failing(routes, "got")
    await said(world)
    await routes.work()
    run = await only_run(world)
    await routes.install(written(TWO.replace("steps:", "steps:\n  - use: do.safe")))
    refused = await world.api.post(f"/v1/runs/{run['id']}/replay", {"from": "failed", "revision": "latest"})
    begun = await world.api.post(f"/v1/runs/{run['id']}/replay", {"from": "start", "revision": "latest"})

    assert (refused.status, refused.code) == (409, "run_state_conflict")
    assert "step 0 was first (do.keyed) and is do.safe" in refused.json["error"]["message"].lower()
    assert begun.status == 202


@pytest.mark.parametrize("start_at", ["start", "failed"])
async def test_what_is_not_over_cannot_be_replayed(
    world: HubWorld, routes: RouteWorld, start_at: str
) -> None:
    await routes.install(written(ECHO.replace("steps:", "steps:\n  - delay: 1h")))
    await said(world)
    await routes.work()
    run = await only_run(world)
    refused = await world.api.post(f"/v1/runs/{run['id']}/replay", {"from": start_at, "revision": "same"})

    assert (refused.status, refused.code) == (409, "run_state_conflict")
    assert "active" in refused.json["error"]["message"]


async def test_what_did_not_fail_is_replayed_from_the_start_only(world: HubWorld, routes: RouteWorld) -> None:
    stop = ECHO.replace("id: echo", "id: stop") + "  - stop: { as: failed, reason: enough }\n"
    await routes.install(written(ECHO, stop))
    await said(world)
    await routes.work()
    runs = {each["route_id"]: each["id"] for each in (await world.api.get("/v1/runs")).json["data"]}
    messages = {}
    for route_id, run_id in runs.items():
        refused = await world.api.post(f"/v1/runs/{run_id}/replay", {"from": "failed", "revision": "same"})
        assert (refused.status, refused.code) == (409, "run_state_conflict")
        messages[route_id] = refused.json["error"]["message"]

    assert "completed" in messages["echo"]
    assert "stop" in messages["stop"]


@pytest.mark.parametrize(
    "body", [{}, {"from": "failed"}, {"revision": "same"}, {"from": "x", "revision": "same"}]
)
async def test_both_choices_are_said(world: HubWorld, body: Any) -> None:
    assert (await world.api.post(f"/v1/runs/{NO_RUN}/replay", body)).status == 400


async def test_a_retired_route_is_replayed_on_its_own_revision_only(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(written(ECHO))
    await said(world)
    await routes.work()
    run = await only_run(world)
    await routes.installing.install(FILES, [])
    latest = await world.api.post(f"/v1/runs/{run['id']}/replay", {"from": "start", "revision": "latest"})
    same = await world.api.post(f"/v1/runs/{run['id']}/replay", {"from": "start", "revision": "same"})

    assert (latest.code, same.status) == ("run_state_conflict", 202)


async def test_failed_runs_of_a_route_are_replayed_together_and_once(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(written(TWO))
    failing(routes, "got")
    for number in range(3):
        await said(world, str(number), contact=f"+1415555010{number}")
    await routes.work()
    failing(routes, "nothing")
    body = {"route_id": "two", "from": "failed", "revision": "same", "limit": 2}
    first = (await world.api.post("/v1/runs/replay", body)).json
    second = (await world.api.post("/v1/runs/replay", body)).json
    third = (await world.api.post("/v1/runs/replay", body)).json
    await routes.drive()

    assert [(len(each["data"]), each["has_more"]) for each in (first, second, third)] == [
        (2, True),
        (1, False),
        (0, False),
    ]
    assert [each.state for each in (await routes.runs())[3:]] == [RunState.COMPLETED] * 3
    assert (await world.api.post("/v1/runs/replay", body | {"route_id": "x"})).code == "route_id_not_found"


async def test_those_that_cannot_be_replayed_are_told_apart(world: HubWorld, routes: RouteWorld) -> None:
    stop = ECHO + "  - stop: { as: failed, reason: enough }\n"
    await routes.install(written(stop))
    await said(world)
    await routes.work()
    body = {"route_id": "echo", "from": "failed", "revision": "same"}
    replayed = (await world.api.post("/v1/runs/replay", body)).json

    assert (replayed["data"], len(replayed["left"])) == ([], 1)
    assert "stop" in replayed["left"][0]["reason"]


# ---- who may


async def test_a_key_that_is_restricted_to_lines_sees_no_runs(world: HubWorld, routes: RouteWorld) -> None:
    """Routes act for all lines, and so do their runs: not even those of its own line's events."""
    await routes.install(written(ECHO))
    await said(world, contact=STRANGER)
    await routes.work()
    run = await only_run(world)
    caller = await world.caller("routes:read", "routes:write", "events:read", lines=(world.sandbox_line,))
    paths = ["/v1/routes", "/v1/routes/echo", "/v1/runs", f"/v1/runs/{run['id']}"]
    answers = await asyncio.gather(*(caller.get(path) for path in paths))

    assert {each.code for each in answers} == {"line_not_accessible"}
