"""/v1/sandbox: simulated contacts act over REST, and what they do comes back as events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bridge.sandbox import contacts
from hub.model.ids import Prefix, parse_id
from tests.support.hub_world import CONTACT, SANDBOX_LINE, STRANGER, HubWorld


async def types_of(world: HubWorld, event_ids: list[str]) -> list[str]:
    events = [await world.store.events.get(parse_id(Prefix.EVENT, each)) for each in event_ids]
    return [event.type for event in events if event is not None]


async def act(world: HubWorld, name: str, **body: Any) -> dict[str, Any]:
    world.clock.advance(1)
    answered = await world.api.post(f"/v1/sandbox/{name}", body)
    assert answered.status == 201, answered.body
    acted: dict[str, Any] = answered.json
    return acted


async def test_a_contact_writes_and_can_be_answered(world: HubWorld) -> None:
    said = await act(world, "say", contact=CONTACT, text="Hello, Hub!")
    listed = await world.api.get(f"/v1/messages?from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}")

    assert await types_of(world, said["event_ids"]) == ["message.received"]
    assert [(each["guid"], each["text"]) for each in listed.json["data"]] == [
        (said["message_guid"], "Hello, Hub!")
    ]


async def test_every_act(world: HubWorld) -> None:
    guid = (await act(world, "say", contact=CONTACT, text="one"))["message_guid"]
    reply = await act(world, "say", contact=CONTACT, text="two", reply_to=guid)
    reacted = await act(world, "react", message_id=guid, type="love")
    removed = await act(world, "react", message_id=guid, type="love", removed=True)
    edited = await act(world, "edit", message_id=guid, text="one!")
    unsent = await act(world, "unsend", message_id=reply["message_guid"])
    typed = await act(world, "typing", contact=CONTACT)

    assert await types_of(world, reacted["event_ids"]) == ["reaction.added"]
    assert await types_of(world, removed["event_ids"]) == ["reaction.removed"]
    assert await types_of(world, edited["event_ids"]) == ["message.edited"]
    assert await types_of(world, unsent["event_ids"]) == ["message.unsent"]
    assert typed["event_ids"] == []


async def test_a_contact_reads_our_message(world: HubWorld) -> None:
    await act(world, "say", contact=CONTACT, text="Hi")
    scene = contacts.direct(SANDBOX_LINE, CONTACT)
    said = contacts.say(scene, "ours", guid="OURS", at=world.clock.now_ms())
    assert said.message is not None
    ours = msgspec.structs.replace(said.message, is_from_me=True)
    sent = msgspec.structs.replace(said, kind="message.sent", actor=None, message=ours)
    await world.observe(world.sandbox_line, sent)
    read = await act(world, "read", message_id="OURS")
    receipts = await world.api.get(f"/v1/receipts?from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}")

    assert await types_of(world, read["event_ids"]) == ["message.read"]
    assert [(each["handle"], each["last_read_at"]) for each in receipts.json["data"]] == [
        (CONTACT, world.clock.now_ms())
    ]


async def test_groups(world: HubWorld) -> None:
    said = await act(world, "say", contact=CONTACT, group="team", text="Hi all")
    left = await act(world, "leave", contact=CONTACT, group="team")
    chats = (await world.api.get(f"/v1/chats?from=%2B{SANDBOX_LINE[1:]}")).json["data"]
    nobody = await world.api.post("/v1/sandbox/react", {"message_id": said["message_guid"], "type": "like"})

    assert await types_of(world, left["event_ids"]) == ["chat.left"]
    assert [(chat["is_group"], chat["name"]) for chat in chats] == [(True, "team")]
    assert (nobody.code, nobody.param) == ("missing_required_parameter", "contact")


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("say", {"contact": CONTACT}, "missing_required_parameter"),
        ("say", {"contact": CONTACT, "text": ""}, "invalid_parameter_value"),
        ("say", {"contact": CONTACT, "text": "x", "reply_to": "NO"}, "message_not_found"),
        ("react", {"message_id": "msg_0000000000000", "type": "love"}, "message_not_found"),
        ("read", {"message_id": "NO"}, "message_not_found"),
        ("leave", {"contact": CONTACT, "group": "nowhere"}, "chat_not_found"),
        ("typing", {"contact": CONTACT, "state": "maybe"}, "invalid_parameter_value"),
        ("dance", {}, "route_not_found"),
    ],
)
async def test_acts_that_are_refused(world: HubWorld, name: str, body: dict[str, Any], code: str) -> None:
    assert (await world.api.post(f"/v1/sandbox/{name}", body)).code == code


async def test_only_who_is_in_the_chat_can_act_there(world: HubWorld) -> None:
    guid = (await act(world, "say", contact=CONTACT, text="Hi"))["message_guid"]
    body = {"message_id": guid, "type": "like", "contact": STRANGER}
    answered = await world.api.post("/v1/sandbox/react", body)

    assert (answered.code, answered.param) == ("sandbox_contact_mismatch", "contact")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_vendors_command_line_sees_an_active_sandbox(world: HubWorld, method: str) -> None:
    shown = (await world.api.request(method, "/v1/sandbox")).json

    assert (shown["status"], shown["sandbox_line_handle"]) == ("active", SANDBOX_LINE)
    assert (shown["activation_code"], shown["contact_identifier"]) == (None, None)
    assert set(shown["usage"]) == {"used", "limit", "remaining", "resets_at"}


async def test_a_hub_without_sandbox(world: HubWorld) -> None:
    bridges = (await world.api.get("/v1/bridges")).json["data"]
    await world.api.patch(f"/v1/bridges/{bridges[0]['id']}", {"is_enabled": False})

    assert (await world.api.get("/v1/sandbox")).json["status"] == "missing"
    assert (await world.api.post("/v1/sandbox/say", {"contact": CONTACT, "text": "Hi"})).status == 404


@pytest.mark.parametrize("name", ["card", "document", "missing", "photo", "voice"])
async def test_a_contact_sends_a_file(world: HubWorld, name: str) -> None:
    body = {"contact": CONTACT, "attachment": name, "text": "Here"}
    acted = await world.api.post("/v1/sandbox/attach", body)
    assert acted.status == 201, acted.body

    message = (await world.api.get(f"/v1/messages/{acted.json['message_guid']}")).json

    (attachment,) = message["attachments"]
    assert message["text"] == "Here"
    assert message["is_audio_message"] == (name == "voice")
    assert (await world.api.get(f"/v1/files/{attachment['file_id']}")).json["state"] == "pending"


async def test_a_file_that_no_contact_has_at_hand(world: HubWorld) -> None:
    answered = await world.api.post("/v1/sandbox/attach", {"contact": CONTACT, "attachment": "elephant"})

    assert (answered.code, answered.param) == ("invalid_parameter_value", "attachment")
