"""Messages tell where they were said, in lists and in every event, also where an observation does not name the chat."""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.sandbox import contacts
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker


async def told(world: HubWorld) -> dict[str, tuple[Any, Any]]:
    found = await world.store.events.newest(limit=100)
    data = {each.type: msgspec.json.decode(each.data) for each in reversed(found)}
    return {
        kind: (shown["chat_address"], shown["is_group"])
        for kind, shown in data.items()
        if kind.startswith("message.")
    }


async def test_every_event_of_a_send_says_whom_it_went_to(world: HubWorld) -> None:
    worker = SandboxWorker(world)
    body = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hi"}
    await world.api.post("/v1/messages", body)
    failing = await world.api.post("/v1/messages", {**body, "to": "+15550100404"})
    await worker.work()
    retried = await world.api.post(f"/v1/messages/{failing.json['message_id']}/retry")
    cancelled = await world.api.post(f"/v1/messages/{failing.json['message_id']}/cancel", {})
    shown = (await world.api.get(f"/v1/messages/{failing.json['message_id']}")).json
    events = await told(world)

    assert (retried.status, cancelled.status) == (201, 200)
    assert (shown["chat_address"], shown["is_group"]) == ("+15550100404", False)
    assert {kind: events[kind] for kind in ("message.sent", "message.delivered")} == {
        "message.sent": (CONTACT, False),
        "message.delivered": (CONTACT, False),
    }
    assert {events[kind] for kind in ("message.failed", "message.cancelled", "message.queued")} == {
        ("+15550100404", False)
    }


async def test_a_group_is_told_by_its_networks_id(world: HubWorld) -> None:
    scene = contacts.group(SANDBOX_LINE, CONTACT, key="chat8812")
    said = contacts.say(scene, "All here?", guid="g1", at=world.clock.now_ms())
    await world.observe(world.sandbox_line, said)
    (listed,) = (await world.api.get("/v1/messages")).json["data"]

    assert (listed["chat_address"], listed["is_group"]) == ("chat8812", True)
    assert (await told(world))["message.received"] == ("chat8812", True)
