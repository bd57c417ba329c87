"""/v1/routes, written: routes made, replaced and deleted over REST, and what each would make of an event."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.api.surface import build
from hub.flow.routing.installing import FILES
from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld
from tests.support.route_stories import ECHO, said, written
from tests.support.route_world import RouteWorld

PAGE = (Path(hub.__file__).parent.parent / "docs" / "routes-api.md").read_text("utf-8")
REFUNDS: dict[str, Any] = {
    "id": "refunds",
    "trigger": "message.received",
    "when": {"text": {"contains": "refund"}, "contact.tags": {"none_of": ["vip"]}},
    "if": "event.text | length < 20",
    "steps": [
        {"id": "told", "use": "message.reply", "with": {"text": "Hello {{ event.from }}"}},
        {"use": "log", "with": {"message": "{{ steps.told.output.message_id }}"}},
    ],
}


async def make(world: HubWorld, **fields: Any) -> dict[str, Any]:
    answered = await world.api.post("/v1/routes", {"route": {**REFUNDS, **fields}})
    assert answered.status == 201, answered.body
    made: dict[str, Any] = answered.json
    return made


async def attempt(world: HubWorld, name: str = "refunds", **body: Any) -> dict[str, Any]:
    answered = await world.api.post(f"/v1/routes/{name}/try", {"event": {}, **body})
    assert answered.status == 200, answered.body
    found: dict[str, Any] = answered.json
    return found


async def put(world: HubWorld, name: str, route: Any) -> Answered:
    return await world.api.request("PUT", f"/v1/routes/{name}", body={"route": route})


# ---- made


async def test_a_route_that_was_made_runs(world: HubWorld) -> None:
    routes = RouteWorld(world)
    made = await make(world, steps=[{"set": {"a": 1}}], metadata={"ticket": "OPS-7"})
    await said(world, "A refund")
    await said(world, "Hello")
    await routes.work()
    shown = (await world.api.get("/v1/routes/refunds")).json

    assert (made["origin"], made["file"], made["metadata"]) == ("api", None, {"ticket": "OPS-7"})
    assert (shown["runs"]["completed"], shown["runs"]["active"]) == (1, 0)
    assert world.wake_ups.routes == 1


async def test_without_an_id_it_gets_one(world: HubWorld) -> None:
    route = {key: value for key, value in REFUNDS.items() if key != "id"}
    made = (await world.api.post("/v1/routes", {"route": route})).json

    assert re.fullmatch(r"route_[0-9a-z]{13}", made["id"])


async def test_only_so_many_are_made(world: HubWorld) -> None:
    """What files install is not counted; what is deleted makes room."""
    routes = RouteWorld(world)
    await routes.install(written(ECHO))
    few = world.api.of(build(replace(world.parts, settings=replace(world.parts.settings, most_routes=2))))
    made = [await few.post("/v1/routes", {"route": {**REFUNDS, "id": f"route-{n}"}}) for n in range(3)]
    taken = await few.post("/v1/routes", {"route": {**REFUNDS, "id": "route-1"}})
    await few.request("DELETE", "/v1/routes/route-0")
    again = await few.post("/v1/routes", {"route": {**REFUNDS, "id": "route-3"}})

    assert [each.status for each in made] == [201, 201, 409]
    assert made[2].code == "route_limit_reached"
    assert "2 are the most" in made[2].json["error"]["message"]
    assert taken.code == "name_taken"
    assert again.status == 201


async def test_no_more_are_made_when_many_ask_at_once(world: HubWorld) -> None:
    few = world.api.of(build(replace(world.parts, settings=replace(world.parts.settings, most_routes=3))))
    routes = [{**REFUNDS, "id": f"route-{n}"} for n in range(9)]
    answers = await asyncio.gather(*(few.post("/v1/routes", {"route": route}) for route in routes))
    listed = (await few.get("/v1/routes")).json["data"]

    assert sorted(each.status for each in answers) == [201] * 3 + [409] * 6
    assert len(listed) == 3


async def test_files_and_what_was_made_here_leave_one_another_alone(world: HubWorld) -> None:
    routes = RouteWorld(world)
    await routes.install(written(ECHO))
    await make(world)
    await routes.installing.install(FILES, [])
    await routes.install(written(ECHO))
    taken = await world.api.post("/v1/routes", {"route": {**REFUNDS, "id": "echo"}})
    refused = [await put(world, "echo", REFUNDS), await world.api.request("DELETE", "/v1/routes/echo")]
    listed = {
        origin: [each["id"] for each in (await world.api.get(f"/v1/routes?origin={origin}")).json["data"]]
        for origin in ("files", "api")
    }

    assert listed == {"files": ["echo"], "api": ["refunds"]}
    assert (taken.status, taken.code, taken.param) == (409, "name_taken", "route.id")
    assert [(each.status, each.code) for each in refused] == [(409, "route_in_file")] * 2


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"trigger": "message.recieved"}, "route.trigger"),
        ({"trigger": None}, "route.trigger"),
        ({"id": "Not this"}, "route.id"),
        ({"id": None}, "route.id"),
        ({"when": {"text": {"matches": "("}}}, "route.when.text.matches"),
        ({"if": "event.text +"}, "route.if"),
        ({"steps": [{"use": "message.replay"}]}, "route.steps[0].use"),
        ({"steps": [{"use": "log", "with": {"message": "x", "nope": 1}}]}, "route.steps[0].with.nope"),
        ({"steps": [{"use": "slack.post_message", "with": {}}]}, "route.steps[0].use"),
        ({"steps": [{"call": {"route": "nobody"}}]}, "route.steps[0].call.route"),
        ({"metadata": {"a": "x" * 16_384}}, "route.metadata"),
        ({"metadata": []}, "route.metadata"),
        ({"nope": 1}, "route.nope"),
        ({"use_blueprint": "keyword"}, "route.use_blueprint"),
    ],
)
async def test_what_is_wrong_is_told_with_its_place(
    world: HubWorld, fields: dict[str, Any], param: str
) -> None:
    refused = await world.api.post("/v1/routes", {"route": {**REFUNDS, **fields}})

    assert (refused.status, refused.code, refused.param) == (400, "invalid_parameter_value", param)
    assert (await world.api.get("/v1/routes")).json["data"] == []


async def test_everything_that_is_wrong_is_told_at_once(world: HubWorld) -> None:
    steps = [{"use": "log"}] * 12
    refused = await world.api.post("/v1/routes", {"route": {**REFUNDS, "steps": steps}})
    message = refused.json["error"]["message"]

    assert all(f"route.steps[{place}]: log needs message" in message for place in range(10))
    assert message.endswith("And 2 more.")


# ---- replaced and deleted


async def test_a_replacement_is_whole_and_a_new_revision(world: HubWorld) -> None:
    await make(world)
    changed = (await put(world, "refunds", {"trigger": "message.sent", "steps": [{"set": {"a": 1}}]})).json
    again = (await put(world, "refunds", {"trigger": "message.sent", "steps": [{"set": {"a": 1}}]})).json

    assert "when" not in changed["source"]["routes"][0]
    assert (changed["triggers"], len(changed["revisions"])) == (["message.sent"], 2)
    assert again["revision_id"] == changed["revision_id"]


@pytest.mark.parametrize(
    ("name", "route", "code"),
    [
        ("nobody", REFUNDS, "route_id_not_found"),
        ("refunds", {**REFUNDS, "id": "other"}, "invalid_parameter_value"),
        ("refunds", {**REFUNDS, "steps": []}, "invalid_parameter_value"),
    ],
)
async def test_a_replacement_that_cannot_be_changes_nothing(
    world: HubWorld, name: str, route: dict[str, Any], code: str
) -> None:
    made = await make(world)

    assert (await put(world, name, route)).code == code
    assert (await world.api.get("/v1/routes/refunds")).json["revision_id"] == made["revision_id"]


async def test_deleted_it_starts_nothing_and_its_id_is_free(world: HubWorld) -> None:
    routes = RouteWorld(world)
    await make(world, steps=[{"set": {"a": 1}}])
    deleted = await world.api.request("DELETE", "/v1/routes/refunds")
    await said(world, "A refund")
    await routes.work()
    answers = [
        await world.api.request("DELETE", "/v1/routes/refunds"),
        await put(world, "refunds", REFUNDS),
        await world.api.post("/v1/routes/refunds/try", {"event": {}}),
    ]

    assert {**deleted.json, "request_id": None} == {"id": "refunds", "deleted": True, "request_id": None}
    assert await routes.runs() == []
    assert [each.code for each in answers] == ["route_id_not_found"] * 3
    assert (await make(world))["retired_at"] is None


async def test_of_two_who_take_one_id_at_once_one_gets_it(world: HubWorld) -> None:
    answers = await asyncio.gather(
        *(world.api.post("/v1/routes", {"route": REFUNDS}) for _ in range(4)),
    )
    shown = (await world.api.get("/v1/routes/refunds")).json

    assert sorted(each.status for each in answers) == [201, 409, 409, 409]
    assert len(shown["revisions"]) == 1


# ---- tried


async def test_a_trial_judges_each_condition_and_shows_what_would_be_done(world: HubWorld) -> None:
    await make(world, enabled=False)
    told = await attempt(world, event={"text": "A refund", "from": "+15550100009"})

    assert (told["matches"], told["outcome"]) == (True, "completed")
    assert [(each["path"], each["matcher"], each["holds"]) for each in told["conditions"]] == [
        ("contact.tags", "none_of", True),
        ("text", "contains", True),
        ("if", "", True),
    ]
    assert [(each["path"], each["id"], each["does"]) for each in told["would"]] == [
        ("0", "told", "message.reply"),
        ("1", None, "log"),
    ]
    assert told["would"][0]["inputs"] == {"text": "Hello +15550100009"}
    assert (await world.api.get("/v1/runs")).json["data"] == []
    assert (await world.api.get("/v1/messages")).json["data"] == []


async def test_a_trial_judges_what_comes_after_a_condition_that_fails(world: HubWorld) -> None:
    await make(world)
    told = await attempt(world, event={"text": "What a long text without the word", "contact.tags": ["vip"]})

    assert [each["holds"] for each in told["conditions"]] == [False, False, False]
    assert (told["matches"], told["would"], told["outcome"]) == (False, [], None)
    assert told["conditions"][0]["actual"] == '["vip"]'


async def test_expressions_are_asked_of_the_same_event(world: HubWorld) -> None:
    await make(world)
    told = await attempt(world, event={"text": "Hi"}, expressions=["event.text == 'Hi'", "event.no > 1"])
    refused = await world.api.post("/v1/routes/refunds/try", {"event": {}, "expressions": ["true", "a +"]})

    assert [each["holds"] for each in told["expressions"]] == [True, False]
    assert told["expressions"][0]["error"] is None
    assert "event.no is not there" in told["expressions"][1]["error"]
    assert (refused.status, refused.param) == (400, "expressions[1]")


@pytest.mark.parametrize(
    ("trigger", "event", "matches"),
    [
        ("message.*", {"type": "message.failed"}, True),
        ("message.received", {"type": "message.sent"}, False),
        ({"manual": True}, {}, True),
        ("message.received", {"type": "manual"}, False),
        ({"schedule": "0 9 * * *", "timezone": "Europe/Berlin"}, {}, True),
        ({"webhook": "a-long-odd-word"}, {"amount": 3}, True),
        ({"source": "stripe", "event": "invoice.paid"}, {"amount": 3}, True),
        ({"source": "stripe"}, {"source": "github"}, False),
    ],
)
async def test_every_trigger_can_be_tried(
    world: HubWorld, trigger: Any, event: dict[str, Any], matches: bool
) -> None:
    await make(
        world, trigger=trigger, when={"type": {"exists": True}}, **{"if": "true"}, steps=[{"set": {"a": 1}}]
    )

    assert (await attempt(world, event=event))["matches"] is matches


@pytest.mark.parametrize("kind", ["nope", 7])
async def test_an_event_that_cannot_be_is_refused(world: HubWorld, kind: Any) -> None:
    await make(world)
    refused = await world.api.post("/v1/routes/refunds/try", {"event": {"type": kind}})

    assert (refused.status, refused.code) == (400, "invalid_parameter_value")
    assert refused.param == "event.type"


@pytest.mark.parametrize(
    ("step", "shown"), [({"use": "log", "with": {"message": "{{ item }}"}}, 100), ({"delay": "1h"}, 0)]
)
async def test_a_trial_of_a_route_that_does_much_ends(
    world: HubWorld, step: dict[str, Any], shown: int
) -> None:
    await make(world, when={"type": "message.received"}, **{"if": "true"},
               steps=[{"foreach": "event.many", "limit": 500, "steps": [step]}])  # fmt: skip
    told = await attempt(world, event={"many": ["x"] * 500})

    assert (len(told["would"]), told["outcome"]) == (shown, "unfinished")


async def test_a_trial_tells_why_it_would_fail(world: HubWorld) -> None:
    await make(world, steps=[{"stop": {"as": "failed", "reason": "no {{ event.text }}"}}])
    told = await attempt(world, event={"text": "refund"})

    assert (told["outcome"], told["reason"]) == ("failed", "no refund")


# ---- runs by number


async def test_runs_page_by_number(world: HubWorld) -> None:
    routes = RouteWorld(world)
    await make(world, steps=[{"set": {"a": 1}}])
    for _ in range(3):
        await said(world, "A refund")
    await routes.work()
    found = (await world.api.get("/v1/runs?route_id=refunds&limit=1&offset=1&include_total=true")).json
    every = (await world.api.get("/v1/runs")).json

    assert (found["total"], found["has_more"]) == (3, True)
    assert found["data"] == every["data"][1:2]
    assert "total" not in every
    assert (await world.api.get(f"/v1/runs?offset=1&cursor={found['next_cursor']}")).param == "offset"


# ---- the page


async def test_each_command_of_the_page_works(world: HubWorld) -> None:
    values = {"HUB_KEY": "key", "HUB": "HUB", "ROUTE": "refunds"}
    commands = re.findall(r"^ {4}(curl .+)$", PAGE, re.MULTILINE)
    answers = []
    for command in commands:
        filled = command
        for name, value in values.items():
            filled = filled.replace(f"${name}", value)
        words = shlex.split(filled)
        path = next(word for word in words if word.startswith("HUB/")).removeprefix("HUB")
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        method = words[words.index("-X") + 1] if "-X" in words else "GET" if body is None else "POST"
        answers.append(await world.api.request(method, path, body=body))

    assert [each.status for each in answers] == [201, 200, 200, 200, 200]
    assert answers[1].json["matches"] is True
    assert answers[1].json["expressions"][0]["error"] is None
    assert [each["does"] for each in answers[1].json["would"]] == ["message.reply"]
