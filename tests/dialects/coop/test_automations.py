"""Automations: what they are made into, that they run, and what is refused. Line 18 of contracts: coop §10."""

from __future__ import annotations

from typing import Any

import pytest

from hub.actions.combined import CombinedActions
from hub.dialects.coop import DIALECT
from hub.flow.keys import KeyWish
from tests.actions.bench import built_in
from tests.dialects.coop.goldens import check
from tests.dialects.coop.test_checklist import error
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, STRANGER, HubWorld
from tests.support.route_world import RecordingActions, RouteWorld
from tests.support.sandbox_worker import SandboxWorker

URL = "/api/v1/automations"
REFUNDS: dict[str, Any] = {
    "name": "Refunds",
    "trigger": "message_received",
    "conditions": [{"field": "body", "operator": "contains", "value": "refund"}],
    "logic": "and",
    "actions": [
        {"type": "send_reply", "config": {"body": "We look into {{ it }}."}},
        {"type": "create_contact"},
        {"type": "call_webhook", "config": {"url": "https://a.example/hook"}},
        {"type": "log_to_crm", "config": {}},
    ],
}


async def make(api: Caller, **fields: Any) -> dict[str, Any]:
    answered = await api.post(URL, {**REFUNDS, **fields})
    assert answered.status == 201, answered.body
    made: dict[str, Any] = answered.json
    return made


async def matched(api: Caller, made: dict[str, Any], **message: Any) -> bool:
    answered = await api.post(f"{URL}/{made['id']}/test", {"message": {"from": CONTACT, **message}})
    assert answered.status == 200, answered.body
    found: bool = answered.json["matched"]
    return found


async def test_18_what_is_left_out_is_gone_and_a_test_sends_nothing(
    world: HubWorld, api: Caller, worker: SandboxWorker
) -> None:
    made = await make(api, enabled=False)
    put = await api.request(
        "PUT",
        f"{URL}/{made['id']}",
        body={"name": "All", "trigger": "message_received", "actions": REFUNDS["actions"][:1]},
    )
    conditions = [
        {"field": "body", "operator": "contains", "value": "refund"},
        {"field": "from", "operator": "is_in", "value": [STRANGER]},
    ]
    other = await make(api, conditions=conditions, logic="or")
    tested = await api.post(f"{URL}/{other['id']}/test", {"message": {"from": CONTACT, "body": "A refund!"}})

    assert (put.status, put.json["conditions"], put.json["logic"], put.json["enabled"]) == (
        200,
        [],
        "and",
        True,
    )
    assert tested.status == 200
    check("automation", other)
    check("automation_test", tested.json)
    await worker.work()
    assert (await api.get("/api/v1/messages")).json["data"] == []
    assert (await api.get(f"{URL}/{other['id']}/executions")).json["data"] == []


@pytest.mark.parametrize(
    ("operator", "value", "texts"),
    [
        ("contains", "a'b", ("xa'bx", "ab")),
        ("contains", "{{ x", ("say {{ x }}", "say x")),
        ("equals", "Hi\n", ("Hi\n", "Hi")),
        ("starts_with", "50%", ("50% off", "5 50%")),
        ("ends_with", "\\n", ("a\\n", "a\n")),
        ("matches_regex", "^\\d{2}$", ("12", "123")),
        ("is_in", ["a", "b"], ("b", "ab")),
    ],
)
@pytest.mark.parametrize("logic", ["and", "or"])
async def test_every_operator_means_the_same_in_both_logics(
    api: Caller, logic: str, operator: str, value: Any, texts: tuple[str, str]
) -> None:
    made = await make(api, logic=logic, conditions=[{"field": "body", "operator": operator, "value": value}])

    assert [await matched(api, made, body=text) for text in texts] == [True, False]
    assert await matched(api, made) is False


@pytest.mark.parametrize(
    ("logic", "text", "expected"),
    [
        ("and", "a b", True),
        ("and", "a", False),
        ("or", "a", True),
        ("or", "b", True),
        ("or", "c", False),
    ],
)
async def test_two_conditions_of_a_kind_are_both_asked(
    api: Caller, logic: str, text: str, expected: bool
) -> None:
    conditions = [{"field": "body", "operator": "contains", "value": each} for each in "ab"]
    made = await make(api, logic=logic, conditions=conditions)

    assert await matched(api, made, body=text) is expected


async def test_an_automation_runs(world: HubWorld, api: Caller, worker: SandboxWorker) -> None:
    connectors = RecordingConnectors()
    routes = RouteWorld(world, CombinedActions(built_in(world), connectors))
    made = await make(api)
    await world.say("A refund, please", contact=STRANGER)
    await world.say("Hello", contact=CONTACT)
    await routes.work()
    await worker.work()
    sent = (await api.get("/api/v1/messages?direction=sent")).json["data"]
    executions = await api.get(f"{URL}/{made['id']}/executions")
    shown = (await api.get(f"{URL}/{made['id']}")).json

    assert [(each["to"], each["body"]) for each in sent] == [(STRANGER, "We look into {{ it }}.")]
    assert [each["phoneNumbers"] for each in (await api.get("/api/v1/contacts")).json["data"]] == [[STRANGER]]
    check("automation_webhook", connectors.calls[0].inputs)
    check("automation_executions", executions.json)
    assert shown["executions"] == executions.json["data"]


class RecordingConnectors(RecordingActions):
    """Remembers what `http.request` was asked for."""

    def specs(self) -> Any:
        return {"http.request": super().specs()["do.unsafe"]}


async def test_what_is_sent_starts_one_but_not_what_automations_send(
    world: HubWorld, api: Caller, worker: SandboxWorker
) -> None:
    routes = RouteWorld(world, CombinedActions(built_in(world), RecordingConnectors()))
    await world.say("Hello", contact=CONTACT)
    made = await make(api, trigger="message_sent", conditions=[], actions=REFUNDS["actions"][:1])
    await api.post("/api/v1/messages", {"to": CONTACT, "body": "One"})
    for _ in range(4):
        await worker.work()
        await routes.work()
    bodies = [each["body"] for each in (await api.get("/api/v1/messages?direction=sent")).json["data"]]

    assert bodies == ["We look into {{ it }}.", "One"]
    assert (await api.get(f"{URL}/{made['id']}/executions?limit=1")).json["pagination"]["total"] == 1


async def test_toggled_it_rests_and_runs_again(world: HubWorld, api: Caller) -> None:
    routes = RouteWorld(world, CombinedActions(built_in(world), RecordingConnectors()))
    made = await make(api)
    off = await api.request("PATCH", f"{URL}/{made['id']}/toggle")
    await world.say("A refund")
    await routes.work()
    on = await api.request("PATCH", f"{URL}/{made['id']}/toggle")
    await world.say("Another refund")
    await routes.work()

    assert (off.json["enabled"], on.json["enabled"]) == (False, True)
    assert {**on.json, "updatedAt": None} == {**made, "updatedAt": None}
    assert (await api.get(f"{URL}/{made['id']}/executions")).json["pagination"]["total"] == 1


async def test_deleted_it_is_gone(api: Caller) -> None:
    made, kept = await make(api), await make(api, name="Kept")
    deleted = await api.request("DELETE", f"{URL}/{made['id']}")

    assert deleted.json == {"id": made["id"], "deleted": True}
    assert [each["id"] for each in (await api.get(URL)).json["data"]] == [kept["id"]]
    for method, path in (("GET", ""), ("DELETE", ""), ("PATCH", "/toggle"), ("GET", "/executions")):
        assert error(await api.request(method, f"{URL}/{made['id']}{path}"), 404, "not_found")


async def test_routes_that_are_no_automations_are_not_there(world: HubWorld, api: Caller) -> None:
    route = {"trigger": "message.received", "steps": [{"set": {"a": 1}}], "metadata": {"coop": {"name": "x"}}}
    made = (await world.api.post("/v1/routes", {"route": route})).json
    found = await api.get(f"{URL}/{made['id'].replace('route_', 'auto_')}")

    assert (await api.get(URL)).json == {"data": []}
    assert error(found, 404, "not_found")
    assert found.json["message"] == "Automation not found."


def one(**condition: Any) -> dict[str, Any]:
    return {"conditions": [{"field": "body", "operator": "contains", "value": "x", **condition}]}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"trigger": "relay_online"}, "trigger"),
        ({"logic": "xor"}, "logic"),
        ({"actions": []}, "actions"),
        ({"actions": [{"type": "send_fax"}]}, "actions[0].type"),
        ({"actions": [{"type": "send_reply", "config": {}}]}, "actions[0].config.body"),
        ({"actions": [{"type": "call_webhook", "config": {"url": "ftp://a"}}]}, "actions[0].config.url"),
        (one(field="subject"), "conditions[0].field"),
        (one(operator="is_not"), "conditions[0].operator"),
        (one(value=["a", "b"]), "conditions[0].value"),
        (one(value=""), "conditions[0].value"),
        (one(operator="matches_regex", value="("), "conditions[0].value"),
        ({**one(operator="matches_regex", value="("), "logic": "or"}, "conditions"),
        ({"conditions": [*one()["conditions"] * 21]}, "conditions"),
        (one(operator="is_in", value=["x" * 500] * 50), "conditions"),
    ],
)
async def test_what_breaks_a_rule_is_named(api: Caller, fields: dict[str, Any], named: str) -> None:
    refused = await api.post(URL, {**REFUNDS, **fields})

    assert error(refused, 400, "validation_error")
    assert named in refused.json["message"]
    assert "route." not in refused.json["message"]
    assert (await api.get(URL)).json == {"data": []}


async def test_a_key_of_one_line_has_no_automations(world: HubWorld) -> None:
    lines = frozenset({world.sandbox_line.id})
    wish = KeyWish(name="one", scopes=DIALECT.scopes, dialect="coop", line_ids=lines)
    one_line = world.api.with_token((await world.keys.create(wish)).text)

    assert error(await one_line.get(URL), 403, "forbidden")
