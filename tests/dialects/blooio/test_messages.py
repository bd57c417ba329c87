"""One message of the vendor's surface, and its reactions (contracts: blooio §10, lines 12 and 13)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.blooio.asking import listed, sent
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.sandbox_worker import SandboxWorker

CHAT = "/v2/api/chats/%2B15551234567"
JSON = {"Content-Type": "application/json"}


async def test_12_a_message_alone_names_its_chat(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    message_id = (await sent(one, CONTACT)).json["message_id"]
    await worker.work()
    path = f"/v2/api/chats/{CONTACT}/messages/{message_id}"
    detail, status = await one.get(path), await one.get(f"{path}/status")

    assert detail.status == status.status == 200
    assert detail.json["chat_id"] == CONTACT
    assert detail.json["contact"] == {"contact_id": None, "identifier": CONTACT, "name": None}
    assert "external_id" not in detail.json
    assert (detail.json["id"], detail.json["text"]) == (message_id, "Hello")
    assert detail.json["created_at"].endswith("Z")
    assert set(status.json) == {
        "message_id", "chat_id", "direction", "status", "protocol", "time_sent", "time_delivered", "error",
    }  # fmt: skip
    assert status.json["status"] == "delivered"
    assert status.json["protocol"] == "imessage"
    assert isinstance(status.json["time_delivered"], int)
    for unknown in ("msg_0000000000001", "nothing", "-1"):
        assert (await one.get(f"/v2/api/chats/{CONTACT}/messages/{unknown}")).status == 404
    await sent(one)
    elsewhere = await one.get(f"{CHAT}/messages/{message_id}")
    assert elsewhere.status == 404


async def test_a_message_that_failed_says_why(one: Caller, worker: SandboxWorker) -> None:
    message_id = (await sent(one, "+15550100404")).json["message_id"]
    await worker.work()
    status = (await one.get(f"/v2/api/chats/+15550100404/messages/{message_id}/status")).json

    assert status["status"] == "failed"
    assert status["error"]


async def test_a_message_that_waits_can_be_cancelled(one: Caller, worker: SandboxWorker) -> None:
    first = (await sent(one)).json["message_id"]
    cancelled = await one.delete(f"{CHAT}/messages/{first}", headers=JSON)
    second = (await sent(one)).json["message_id"]
    await worker.work()
    late = await one.delete(f"{CHAT}/messages/{second}")

    assert cancelled.status == 200
    assert cancelled.json["cancelled"] is True
    assert (cancelled.json["message_id"], cancelled.json["status"]) == (first, "cancelled")
    assert late.status == 409
    assert late.headers["x-should-retry"] == "false"


async def test_13_reactions_come_and_go(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    worker.attend()
    await world.say("How are you?")
    ours = (await sent(one, CONTACT)).json["message_id"]
    await worker.work()
    path = f"/v2/api/chats/{CONTACT}/messages"
    added = await one.post(f"{path}/{ours}/reactions", {"reaction": "+love"})
    await worker.work()
    (seen,) = [each for each in await listed(one, CONTACT) if each["message_id"] == ours]
    await world.clock.sleep(1)
    await one.post(f"{path}/{ours}/reactions", {"reaction": "+laugh"})
    await worker.work()
    (changed,) = [each for each in await listed(one, CONTACT) if each["message_id"] == ours]
    removed = await one.post(f"{path}/-1/reactions", {"reaction": "-laugh", "direction": "outbound"})
    theirs = await one.post(f"{path}/-1/reactions", {"reaction": "+👍", "direction": "inbound"})

    assert added.json == {"success": True, "message_id": ours, "reaction": "love", "action": "add"}
    assert seen["reactions"] == [
        {"reaction": "love", "is_added": True, "sender": None, "time_sent": seen["reactions"][0]["time_sent"]}
    ]
    assert [(each["reaction"], each["is_added"]) for each in changed["reactions"]] == [("laugh", True)]
    assert removed.status == 200, removed.body
    assert (removed.json["message_id"], removed.json["action"]) == (ours, "remove")
    assert theirs.status == 200, theirs.body
    assert theirs.json["message_id"] not in {ours, "-1"}
    assert theirs.json["reaction"] == "👍"


@pytest.mark.parametrize(
    ("message", "body", "status", "field"),
    [
        ("-1", {"reaction": "love"}, 400, "reaction"),
        ("-1", {"reaction": "+"}, 400, "reaction"),
        ("-1", {"reaction": "+lovely"}, 400, "reaction"),
        ("-1", {}, 400, "reaction"),
        ("-1", {"reaction": "+love", "direction": "sideways"}, 400, "direction"),
        ("-9", {"reaction": "+love"}, 404, "messageId"),
        ("-0", {"reaction": "+love"}, 404, "messageId"),
        ("msg_0000000000001", {"reaction": "+love"}, 404, "messageId"),
    ],
)
async def test_13_what_is_no_reaction(  # noqa: PLR0917 - one row of the table
    world: HubWorld, one: Caller, message: str, body: dict[str, Any], status: int, field: str
) -> None:
    await world.say("How are you?")
    answered = await one.post(f"/v2/api/chats/{CONTACT}/messages/{message}/reactions", body)

    assert (answered.status, answered.json["details"]["field"]) == (status, field), answered.body
