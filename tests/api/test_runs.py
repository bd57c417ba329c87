"""/v1/routes, /v1/runs and /v1/events/{id}/routes: what ran, why, why not, and do it again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from hub.api.surface import build
from hub.flow.routing.installing import FILES, FolderStatus
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.model.ids import Prefix, id_text
from hub.model.run import RunState
from tests.support.hub_world import CONTACT, STRANGER, HubWorld
from tests.support.route_world import RouteWorld

HOUR = 3_600_000
NO_RUN = id_text(Prefix.RUN, 1)


@pytest.fixture
def routes(world: HubWorld) -> RouteWorld:
    return RouteWorld(world)


def written(*routes: str) -> str:
    indented = ["\n".join(f"    {line}" for line in route.strip().split("\n")) for route in routes]
    return "version: 1\nroutes:\n" + "\n".join(f"  -{each[3:]}" for each in indented) + "\n"


ECHO = """
id: echo
trigger: message.received
steps:
  - id: told
    use: do.safe
    with: { text: "{{ event.text }}" }
"""
TWO = """
id: two
trigger: message.received
steps:
  - id: first
    use: do.keyed
    with: { text: "{{ event.text }}" }
  - id: second
    use: do.keyed
    with: { got: "{{ steps.first.output.got.text }}" }
on_error:
  - use: do.safe
    with: { failed: "{{ error.step }}" }
"""
BY_HAND = """
id: by-hand
trigger: { manual: true }
vars: { greeting: "Hello" }
steps:
  - use: do.safe
    with: { text: "{{ vars.greeting }} {{ event.name }}", type: "{{ event.type }}" }
"""


async def said(world: HubWorld, text: str = "Hello", **who: Any) -> str:
    """A contact writes; give the event's id."""
    await world.say(text, **who)
    (event,) = (await world.api.get("/v1/events?type=message.received&limit=1")).json["data"]
    number: str = event["id"]
    return number


async def only_run(world: HubWorld) -> dict[str, Any]:
    (run,) = (await world.api.get("/v1/runs")).json["data"]
    found: dict[str, Any] = (await world.api.get(f"/v1/runs/{run['id']}")).json
    return found


def failing(routes: RouteWorld, key: str) -> None:
    """Let actions that are given something under a key fail for good."""

    def answer(call: ActionCall) -> ActionDone | ActionFailed:
        if key in call.inputs:
            return ActionFailed("permission", "Missing scope", status=403, requests=("POST https://x 403",))
        return ActionDone(output={"got": dict(call.inputs)})

    routes.actions.answer = answer


async def why(world: HubWorld, event_id: str) -> dict[str, str]:
    answered = await world.api.get(f"/v1/events/{event_id}/routes")
    assert answered.status == 200, answered.body
    return {each["route_id"]: each["why"] for each in answered.json["data"]}


# ---- routes


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


# ---- explanations


async def test_each_route_says_why_it_ran_or_did_not(world: HubWorld, routes: RouteWorld) -> None:
    def route(name: str, more: str = "") -> str:
        return ECHO.replace("id: echo", f"id: {name}\n{more}".rstrip())

    await routes.install(
        written(
            route("begun", "priority: 9"),
            route("off", "enabled: false"),
            route("when", "when: { direction: inbound, text: { contains: refund } }"),
            route("missing", "when: { nothing.there: 1 }"),
            route("if-false", "if: event.text == 'Bye'"),
            route("wrong", "if: event.nothing == 1"),
            route("once", "dedupe: { key: '{{ event.from }}', for: 7d }"),
            route("rarely", "throttle: { limit: 1, per: 1h, key: '{{ event.from }}', then: skip }"),
            route("alone", "concurrency: { key: '{{ event.from }}', limit: 1, then: skip }").replace(
                "steps:", "steps:\n  - delay: 1h"
            ),
            route("last", "priority: -1\nstop_others: true"),
            route("never", "priority: -2"),
            BY_HAND,
        )
    )
    await said(world)
    await routes.work()
    event_id = await said(world)
    before = await why(world, event_id)
    await routes.work()
    decided_at = world.clock.now_ms()
    world.clock.advance(1)
    await routes.install(written(route("begun"), route("later")))
    answered = (await world.api.get(f"/v1/events/{event_id}/routes")).json
    told = {each["route_id"]: each for each in answered["data"]}

    assert before["begun"] == "not_yet"
    assert {name: each["why"] for name, each in told.items()} == {
        "begun": "begun",
        "off": "disabled",
        "when": "when",
        "missing": "when",
        "if-false": "if",
        "wrong": "error",
        "once": "dedupe",
        "rarely": "throttle",
        "alone": "concurrency",
        "last": "begun",
        "never": "stopped",
        "later": "installed_later",
    }
    assert told["when"]["failed"] == {
        "pointer": "/routes/2/when/text/contains",
        "path": "text",
        "matcher": "contains",
        "expected": '"refund"',
        "actual": '"Hello"',
    } | {"pointer": told["when"]["failed"]["pointer"]}
    assert told["missing"]["reason"] == "nothing.there: the event has no such field"
    assert "event.text == 'Bye'" in told["if-false"]["reason"]
    assert "nothing" in told["wrong"]["reason"]
    assert "last comes before it" in told["never"]["reason"]
    assert (await world.api.get(f"/v1/runs/{told['begun']['run_id']}")).json["event_id"] == event_id
    assert answered["decided_at"] == decided_at


async def test_what_was_known_then_decides(world: HubWorld, routes: RouteWorld) -> None:
    tagged = ECHO.replace("id: echo", "id: tagged\nwhen: { contact.tags: vip }")
    await routes.install(written(ECHO, tagged))
    event_id = await said(world)
    await routes.work()
    contact = {"first_name": "Ann", "tags": ["vip"], "handles": [{"handle": CONTACT}]}
    await world.api.post("/v1/contacts", contact)

    assert await why(world, event_id) == {"echo": "begun", "tagged": "when"}


async def test_an_event_that_nobody_wanted_is_explained_with_what_is_known_now(
    world: HubWorld, routes: RouteWorld
) -> None:
    tagged = ECHO.replace("id: echo", "id: tagged\nwhen: { contact.tags: vip }")
    await routes.install(written(tagged))
    event_id = await said(world)
    await routes.work()
    first = (await world.api.get(f"/v1/events/{event_id}/routes")).json
    contact = {"first_name": "Ann", "tags": ["vip"], "handles": [{"handle": CONTACT}]}
    await world.api.post("/v1/contacts", contact)

    assert (first["data"][0]["why"], first["decided_at"]) == ("when", None)
    assert await why(world, event_id) == {"tagged": "not_yet"}
    await world.store.routes.skip_to(await world.store.events.newest_position())
    assert await why(world, event_id) == {"tagged": "changed_since"}


async def test_the_revision_of_then_is_asked(world: HubWorld, routes: RouteWorld) -> None:
    narrow = ECHO.replace("steps:", "when: { text: never }\nsteps:")
    await routes.install(written(narrow))
    event_id = await said(world)
    await routes.work()
    world.clock.advance(1000)
    await routes.install(written(ECHO))

    assert await why(world, event_id) == {"echo": "when"}


async def test_explanations_page_and_can_be_of_one_route(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(*(ECHO.replace("id: echo", f"id: echo-{each}") for each in "abc")))
    event_id = await said(world)
    await routes.work()
    path = f"/v1/events/{event_id}/routes"
    first = (await world.api.get(f"{path}?limit=2")).json
    second = (await world.api.get(f"{path}?limit=2&cursor={first['next_cursor']}")).json
    one = (await world.api.get(f"{path}?route_id=echo-b")).json

    assert [each["route_id"] for each in first["data"] + second["data"]] == ["echo-a", "echo-b", "echo-c"]
    assert [each["route_id"] for each in one["data"]] == ["echo-b"]
    assert (await world.api.get("/v1/events/evt_0000000000001/routes")).code == "event_not_found"


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
