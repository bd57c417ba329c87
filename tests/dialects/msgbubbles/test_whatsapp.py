"""`channel: "whatsapp"`, and what a number's channels are: a line that sends by WhatsApp has nothing else."""

from __future__ import annotations

from typing import Any

from tests.api.test_capabilities import told as told_by_bridge
from tests.dialects.msgbubbles.bubbles import SEND, a_client, told
from tests.support.asgi import Caller
from tests.support.hub_world import OTHER_LINE, SANDBOX_LINE, HubWorld

FORCED: dict[str, Any] = {**SEND, "channel": "whatsapp"}


async def test_a_number_says_that_it_is_on_whatsapp(world: HubWorld, client: Caller) -> None:
    await told_by_bridge(world, "text", "whatsapp")
    numbers = (await client.get("/v1/numbers")).json["data"]
    channels = {each["handle"]: each["channels"] for each in numbers}

    assert channels[SANDBOX_LINE] == ["whatsapp"]
    assert "whatsapp" not in channels[OTHER_LINE]


async def test_a_number_on_whatsapp_may_be_forced_to_it(world: HubWorld, client: Caller) -> None:
    await told_by_bridge(world, "text", "whatsapp")
    first = await client.post("/v1/messages", FORCED)
    there = {"conversation_id": first.json["data"]["conversation_id"], "text": "And?", "channel": "whatsapp"}
    second = await client.post("/v1/messages", there)

    assert (first.status, second.status) == (202, 202), (first.body, second.body)
    assert second.json["data"]["conversation_id"] == first.json["data"]["conversation_id"]


async def test_the_channel_of_a_conversation_is_its_numbers(world: HubWorld, client: Caller) -> None:
    made = (await client.post("/v1/messages", SEND)).json["data"]
    body = {"conversation_id": made["conversation_id"], "text": "Hi", "channel": "whatsapp"}

    assert told(await client.post("/v1/messages", body)) == (400, "invalid_from_handle")


async def test_what_the_operator_switched_off_is_not_there(world: HubWorld, client: Caller) -> None:
    await told_by_bridge(world, "text", "whatsapp")
    line = (await world.api.get("/v1/lines")).json["data"][0]["id"]
    await world.api.patch(f"/v1/lines/{line}", {"capabilities_off": ["whatsapp"]})

    assert told(await client.post("/v1/messages", FORCED)) == (400, "invalid_from_handle")


async def test_a_number_of_others_is_not_on_the_account(world: HubWorld) -> None:
    await told_by_bridge(world, "text", "whatsapp")
    other = await a_client(world, line_ids=frozenset({world.other_line.id}))
    body = {**FORCED, "from_handle": OTHER_LINE}

    assert told(await other.post("/v1/messages", body)) == (400, "invalid_from_handle")
