"""GET /v1/events/{id}/explain: why each webhook got an event or did not."""

from __future__ import annotations

from typing import Any

import pytest

from hub.model.ids import Prefix, id_text
from tests.api.test_delivery_logs import answered_with, log
from tests.support.hub_world import OTHER_LINE, HubWorld, line_id

EVENT = id_text(Prefix.EVENT, 1)


async def explained(world: HubWorld, event_id: str, query: str = "") -> dict[str, dict[str, Any]]:
    return {each["webhook_id"]: each for each in await log(world, f"/v1/events/{event_id}/explain?{query}")}


async def test_each_webhook_is_explained(world: HubWorld) -> None:
    """Why it matched or did not, the first comparison that failed with what stood there, and what it got."""
    wanted = await world.webhook(filter={"data.text": {"$contains": "Hello"}})
    disabled = await world.webhook()
    await world.api.post(f"/v1/webhooks/{disabled['id']}/disable")
    other_type = await world.webhook(events=["reaction.*"])
    other_line = await world.webhook(**{"from": OTHER_LINE})
    filtered = await world.webhook(filter={"data.is_from_me": False, "data.text": {"$contains": "STOP"}})
    await world.say("Hello")
    (event,) = (await world.api.get("/v1/events")).json["data"]
    world.clock.advance(1000)
    later = await world.webhook()
    await answered_with(world, 503)
    found = await explained(world, event["id"])

    assert {number: each["why"] for number, each in found.items()} == {
        wanted["id"]: "matched",
        disabled["id"]: "matched",
        other_type["id"]: "other_type",
        other_line["id"]: "other_line",
        filtered["id"]: "condition_failed",
        later["id"]: "registered_later",
    }
    assert found[wanted["id"]]["delivery"]["last_attempt"]["status"] == 503
    assert (found[disabled["id"]]["delivery"]["status"], found[disabled["id"]]["is_active"]) == (
        "held",
        False,
    )
    assert found[filtered["id"]]["failed"] == {
        "pointer": "/data.text/$contains",
        "path": "data.text",
        "operator": "$contains",
        "expected": '"STOP"',
        "actual": '"Hello"',
    }
    assert "message.received is not in reaction.*" in found[other_type["id"]]["reason"]
    assert all(found[each["id"]]["delivery"] is None for each in (other_type, other_line, filtered, later))
    assert list(found) == sorted(found)


async def test_what_was_changed_or_deleted_since_is_said(world: HubWorld) -> None:
    changed, deleted = await world.webhook(events=["reaction.*"]), await world.webhook()
    await world.say("Hello")
    (event,) = (await world.api.get("/v1/events")).json["data"]
    await world.api.patch(f"/v1/webhooks/{changed['id']}", {"events": ["*"]})
    await world.api.delete(f"/v1/webhooks/{deleted['id']}")
    found = await explained(world, event["id"])

    assert found[changed["id"]]["why"] == "changed_since"
    assert (found[deleted["id"]]["url"], found[deleted["id"]]["is_active"]) == (None, False)
    assert found[deleted["id"]]["delivery"]["webhook_id"] == deleted["id"]


async def test_a_test_goes_to_one_alone(world: HubWorld) -> None:
    tested, other = await world.webhook(), await world.webhook()
    fired = await world.api.post(f"/v1/webhooks/{tested['id']}/test")
    found = await explained(world, fired.json["event_id"])

    assert (found[tested["id"]]["why"], found[other["id"]]["why"]) == ("matched", "test_of_another")


async def test_explanations_page_and_can_be_of_one(world: HubWorld) -> None:
    webhooks = [(await world.webhook())["id"] for _ in range(5)]
    await world.say("Hello")
    (event,) = (await world.api.get("/v1/events")).json["data"]
    path = f"/v1/events/{event['id']}/explain"
    first = (await world.api.get(f"{path}?limit=3")).json
    second = (await world.api.get(f"{path}?limit=3&cursor={first['next_cursor']}")).json

    assert [each["webhook_id"] for each in first["data"] + second["data"]] == webhooks
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert list(await explained(world, event["id"], f"webhook_id={webhooks[3]}")) == [webhooks[3]]
    refused = await world.api.get(f"{path}?webhook_id=evt_0000000000001")
    assert (refused.code, refused.param) == ("invalid_parameter_value", "webhook_id")


async def test_a_restricted_key_sees_the_webhooks_of_its_lines_only(world: HubWorld) -> None:
    every, own = await world.webhook(), await world.webhook(**{"from": OTHER_LINE})
    await world.say("mine", line=world.other_line)
    caller = await world.caller("deliveries:read", "events:read", lines=(world.other_line,))
    (mine,) = (await caller.get(f"/v1/events?from={line_id(world.other_line)}")).json["data"]

    async def webhooks(path: str) -> list[str]:
        return [each["webhook_id"] for each in (await caller.get(path)).json["data"]]

    assert await webhooks(f"/v1/events/{mine['id']}/explain") == [own["id"]]
    assert await webhooks(f"/v1/events/{mine['id']}/explain?webhook_id={every['id']}") == []


@pytest.mark.parametrize("number", [EVENT, "x"])
async def test_no_event(world: HubWorld, number: str) -> None:
    assert (await world.api.get(f"/v1/events/{number}/explain")).code == "event_not_found"


async def test_a_scope_is_needed(world: HubWorld) -> None:
    caller = await world.caller("events:read", "webhooks:read")

    assert (await caller.get(f"/v1/events/{EVENT}/explain")).code == "insufficient_scope"
