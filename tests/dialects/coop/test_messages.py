"""Messages beyond the checklist: statuses on the way, groups, repeats, what is shown of what."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.sandbox import contacts
from hub.dialects.coop.rendering import NativeMessage, status_of
from tests.dialects.coop.test_checklist import error, send, status
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, SANDBOX_LINE, STRANGER, HubWorld
from tests.support.sandbox_worker import SandboxWorker

BLANK: dict[str, Any] = {
    "id": "msg_05jp19e000406", "chat_id": None, "chat_address": None, "sender": None, "line_handle": SANDBOX_LINE,
    "text": None, "attachments": (), "is_from_me": True, "status": "queued", "sent_at": 5, "synced_at": 4,
    "delivered_at": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected", "sent_at"),
    [
        ({"status": "queued"}, "queued", None),
        ({"status": "sent", "accepted_at": 7}, "sent", 7),
        ({"status": "sent"}, "sent", 5),  # from another device of the line
        ({"status": "read", "accepted_at": 7, "delivered_at": 8}, "delivered", 7),
        ({"status": "failed"}, "failed", None),
        ({"status": "failed", "accepted_at": 7}, "failed", 7),
        ({"status": "cancelled"}, "failed", None),
        ({"status": "unsent", "accepted_at": 7}, "sent", 7),
        ({"status": "unsent", "accepted_at": 7, "delivered_at": 8}, "delivered", 7),
        ({"status": "received", "is_from_me": False}, "received", 5),
    ],
)
def test_statuses(fields: dict[str, Any], expected: str, sent_at: int | None) -> None:
    message = NativeMessage(**{**BLANK, **fields})

    assert (status_of(message), message.was_sent_at) == (expected, sent_at)


async def test_a_message_at_its_relay_is_being_processed(
    world: HubWorld, api: Caller, worker: SandboxWorker
) -> None:
    made = await send(api, to="+15550100408")  # the bridge times out: nobody can say yet
    await worker.perform()

    assert (await status(api, made["id"]))["status"] == "processing"
    world.clock.advance(1_500)
    assert (await api.get("/api/v1/messages/queue/stats")).json["processing"] == 1


async def test_a_message_that_was_cancelled_has_failed(world: HubWorld, api: Caller) -> None:
    made = await send(api, to=CONTACT)
    await world.api.post(f"/v1/messages/{made['id']}/cancel", {})
    shown = await status(api, made["id"])

    assert (shown["status"], shown["lastError"], shown["sentAt"]) == ("failed", "cancelled", None)


async def test_a_group_is_written_to_by_its_guid_or_its_conversation(
    world: HubWorld, api: Caller, worker: SandboxWorker
) -> None:
    scene = contacts.group(SANDBOX_LINE, CONTACT, key="chat8812", participants=(STRANGER,), name="Trip")
    said = contacts.say(scene, "All here?", guid="g1", at=world.clock.now_ms())
    await world.observe(world.sandbox_line, said)
    (group,) = (await api.get("/api/v1/conversations")).json["data"]
    made = [await send(api, to=to) for to in (group["participant"], group["id"], "iMessage;+;chat8812")]
    listed = (await api.get(f"/api/v1/conversations/{group['id']}?limit=3")).json

    assert (group["isGroup"], group["participant"], group["participantName"]) == (True, "chat8812", "Trip")
    assert {each["id"] for each in listed["messages"]} == {each["id"] for each in made}
    assert {each["to"] for each in listed["messages"]} == {"chat8812"}
    assert listed["pagination"]["total"] == 4


async def test_a_repeat_under_an_idempotency_key_sends_nothing(api: Caller) -> None:
    body = {"to": CONTACT, "body": "Once"}
    answers = [
        await api.post("/api/v1/messages", body, headers={"Idempotency-Key": "order-1"}) for _ in range(2)
    ]
    other = await api.post(
        "/api/v1/messages", {**body, "body": "Other"}, headers={"Idempotency-Key": "order-1"}
    )

    assert answers[0].json == answers[1].json
    assert (await api.get("/api/v1/messages")).json["pagination"]["total"] == 1
    assert error(other, 409, "conflict")


async def test_nulls_say_nothing(api: Caller) -> None:
    made = await send(api, to=CONTACT, attachments=None, priority=None, fromNumber=None)

    assert (made["status"], made["priority"]) == ("queued", 0)


async def test_a_bad_file_stops_the_whole_message(api: Caller) -> None:
    answered = await api.post(
        "/api/v1/messages",
        {"to": CONTACT, "body": "Hi", "attachments": ["http://127.0.0.1:9/a", "https://10.0.0.1/b"]},
    )

    assert error(answered, 400, "validation_error")
    assert "attachments[" in answered.json["message"]
    assert (await api.get("/api/v1/messages")).json["data"] == []


async def test_a_line_that_cannot_says_so(world: HubWorld, api: Caller) -> None:
    await world.store.lines.tell_capabilities(world.sandbox_line.bridge_id, frozenset({"attachments"}))
    answered = await api.post("/api/v1/messages", {"to": CONTACT, "body": "Hi"})

    assert error(answered, 400, "validation_error")
    assert "'text'" in answered.json["message"]


async def test_conversations_are_found_by_the_name_of_a_contact(world: HubWorld, api: Caller) -> None:
    await api.post("/api/v1/contacts", {"firstName": "Zoë", "phoneNumbers": [STRANGER]})
    for contact in (CONTACT, STRANGER):
        await world.say("Hi", contact=contact)
    found = (await api.get("/api/v1/conversations?search=zo%C3%AB")).json

    assert [each["participant"] for each in found["data"]] == [STRANGER]
    assert found["pagination"]["total"] == 1
