"""Chats of the vendor's surface against its checklist (contracts: blooio §10, lines 2 to 11 and 14)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.dialects.blooio.asking import listed, sent
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld, line_id
from tests.support.sandbox_worker import SandboxWorker

CHAT = "/v2/api/chats/%2B15551234567"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("token", [None, "bl_live_00000000000000000000000000000000", "sk_live_x"])
async def test_01_without_a_key_nothing_is_told(world: HubWorld, token: str | None) -> None:
    answered = await world.api.with_token(token).get("/v2/api/chats")

    assert answered.status == 401
    assert answered.json["error"] == "unauthorized"
    assert answered.json["message"] == "Invalid or missing API key."
    assert answered.json["status"] == 401


async def test_02_a_message_is_queued(one: Caller) -> None:
    answered = await one.post(f"{CHAT}/messages", {"text": "Hello"})

    assert answered.status == 202
    assert answered.json["status"] == "queued"
    assert set(answered.json) == {"message_id", "status"}
    assert re.fullmatch(r"msg_\w+", answered.json["message_id"])


async def test_03_a_raw_plus_is_a_plus(one: Caller) -> None:
    await sent(one, "%2B15551234567")
    await sent(one, "+15551234567")
    raw = await one.get("/v2/api/chats/+15551234567")
    encoded = await one.get("/v2/api/chats/%2B15551234567")

    assert raw.status == encoded.status == 200
    assert raw.json["id"] == encoded.json["id"] == "+15551234567"
    assert raw.json["message_count"] == 2


async def test_04_a_repeat_sends_nothing(one: Caller) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = await one.post(f"{CHAT}/messages", {"text": "Hello"}, headers=key)
    again = await one.post("/v2/api/chats/+15551234567/messages", {"text": "Hello"}, headers=key)
    other_body = await one.post(f"{CHAT}/messages", {"text": "Bye"}, headers=key)
    other_chat = await one.post("/v2/api/chats/+15557654321/messages", {"text": "Hello"}, headers=key)

    assert (first.status, again.status) == (202, 200)
    assert again.json == first.json
    assert len(await listed(one, "+15551234567")) == 1
    for conflict in (other_body, other_chat):
        assert conflict.status == 409
        assert conflict.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": []}, "text"),
        ({"text": ["a"], "attachments": ["https://x.example/a.png"]}, "attachments"),
        ({"parts": [{"text": "a"}], "text": "b"}, "parts"),
        ({"parts": [{}]}, "parts[0]"),
        ({"parts": [{"text": "a", "url": "https://x.example"}]}, "parts[0]"),
        ({"parts": [{"text": "a", "link_preview": {}}]}, "parts[0].text"),
        ({"parts": [{"text": "a"}], "effect": "slam"}, "effect"),
        ({"text": "a", "effect": "sparkle"}, "effect"),
        ({"text": "a", "from_number": "hello"}, "from_number"),
        ({"text": "a", "metadata": {"x": "y" * 2000}}, "metadata"),
        ({"text": "x" * 20_001}, "text"),
    ],
)
async def test_05_what_is_no_message_is_refused(one: Caller, body: dict[str, Any], field: str) -> None:
    answered = await one.post(f"{CHAT}/messages", body)

    assert answered.status == 400, answered.body
    assert answered.json["error"] == "invalid_request"
    assert answered.json["message"]
    assert answered.json["status"] == 400
    assert answered.json["details"]["field"] == field


async def test_06_several_texts_are_several_messages(one: Caller) -> None:
    answered = await sent(one, text=["one", "two"], effect="Invisible Ink")

    assert answered.json["count"] == 2
    assert len(set(answered.json["message_ids"])) == 2
    assert "message_id" not in answered.json
    messages = await listed(one, "+15551234567", "?sort=asc")
    assert [each["text"] for each in messages] == ["one", "two"]
    assert [each["message_id"] for each in messages] == answered.json["message_ids"]


@pytest.mark.parametrize(
    "body",
    [
        {"attachments": ["https://x.example/a.png"]},
        {"attachments": [{"url": "https://x.example/a.png", "name": "a.png"}]},
        {"parts": [{"url": "https://x.example/a.png"}]},
    ],
)
@pytest.mark.parametrize("chat", ["+15551234567", "a@b.co,+15551112222"])
async def test_07_a_conversation_does_not_begin_with_attachments_alone(
    one: Caller, body: dict[str, Any], chat: str
) -> None:
    answered = await one.post(f"/v2/api/chats/{chat}/messages", body)

    assert answered.status == 400
    assert answered.json["code"] == "attachment_first_message_not_allowed"


async def test_08_several_people_are_a_group_found_again(one: Caller, worker: SandboxWorker) -> None:
    worker.attend()
    first = await sent(one, "a@b.co,+15551112222", text="Hello both")
    again = await sent(one, "%2B15551112222%2Ca%40b.co", text="Once more")
    by_id = await sent(one, first.json["group_id"], text="By its id")
    other = await sent(one, "a@b.co,+15551112223", text="Others")

    group_id = first.json["group_id"]
    assert re.fullmatch(r"grp_[a-zA-Z0-9]+", group_id)
    assert first.json["group_created"] is True
    assert first.json["participants"] == ["a@b.co", "+15551112222"]
    assert again.json["group_id"] == by_id.json["group_id"] == group_id
    assert again.json["group_created"] is False
    assert other.json["group_id"] != group_id
    assert [each["text"] for each in await listed(one, group_id, "?sort=asc")] == [
        "Hello both",
        "Once more",
        "By its id",
    ]


async def test_08_a_group_that_is_not_made_yet_is_made_once(one: Caller, worker: SandboxWorker) -> None:
    """Nobody performs while the first two wait; the third finds what was asked for then."""
    path = "/v2/api/chats/a@b.co,+15551112222/messages"
    waiting = [await one.post(path, {"text": "Hello both"}) for _ in range(2)]
    await worker.perform()
    found = await sent(one, "a@b.co,+15551112222", text="Hello both")

    assert [each.status for each in waiting] == [503, 503]
    assert found.json["group_created"] is False
    chats = (await one.get("/v2/api/chats")).json["chats"]
    assert [each["is_group"] for each in chats] == [True]


async def test_09_a_number_that_may_only_answer(world: HubWorld, both: Caller) -> None:
    refused = await both.post(f"{CHAT}/messages", {"text": "Hello", "from_number": OTHER_LINE})
    await world.say("I am first", line=world.other_line, contact="+15551234567")
    answered = await both.post(f"{CHAT}/messages", {"text": "Hello"}, headers={"X-From-Number": OTHER_LINE})

    assert refused.status == 403
    assert refused.json["code"] == "inbound_only_no_prior_inbound"
    assert refused.json["external_id"] == "+15551234567"
    assert re.fullmatch(r"alloc_[0-9a-z]+", refused.json["allocation_id"])
    assert "sender_number" not in refused.json
    assert answered.status == 202, answered.body
    assert (await listed(both, "+15551234567"))[0]["internal_id"] == OTHER_LINE


async def test_a_number_of_somebody_else_is_refused(world: HubWorld, one: Caller) -> None:
    unknown = await one.post(f"{CHAT}/messages", {"text": "Hello", "fromNumber": "+15550009999"})

    assert (unknown.status, unknown.json["details"]["field"]) == (403, "from_number")


async def test_10_chats_are_listed_in_both_envelopes(world: HubWorld, one: Caller) -> None:
    for number in range(3):
        world.clock.advance(10)
        await sent(one, f"+1555123450{number}")
    answered = await one.get("/v2/api/chats")
    page = await one.get("/v2/api/chats?limit=200&offset=1&sort=created_at:desc&q=+1555")
    oldest = await one.get("/v2/api/chats?sort=oldest&limit=1")

    body = answered.json
    assert body["pagination"] == {"limit": 50, "offset": 0, "total": 3}
    assert body["data"] == body["chats"]
    assert (body["count"], body["limit"], body["offset"]) == (3, 50, 0)
    assert [each["id"] for each in body["chats"]] == ["+15551234502", "+15551234501", "+15551234500"]
    assert page.status == 200
    assert page.json["pagination"]["limit"] == 200
    assert [each["id"] for each in oldest.json["chats"]] == ["+15551234500"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("offset=-1", "offset"), ("sort=x", "sort")],
)
async def test_10_pages_have_bounds(one: Caller, query: str, field: str) -> None:
    for path in ("/v2/api/chats", f"{CHAT}/messages"):
        answered = await one.get(f"{path}?{query}")

        assert answered.status == 400
        assert answered.json["details"]["field"] == field


async def test_a_page_may_be_longer_than_a_native_one(world: HubWorld, one: Caller) -> None:
    for number in range(130):
        await world.say(f"word {number}", contact="+15551234567")
    answered = await one.get(f"{CHAT}/messages?limit=125&offset=3&sort=asc")

    texts = [each["text"] for each in answered.json["messages"]]
    assert texts == [f"word {number}" for number in range(3, 128)]
    assert answered.json["pagination"] == {"limit": 125, "offset": 3, "total": 130}


async def test_11_messages_are_chosen_by_direction_and_time(world: HubWorld, one: Caller) -> None:
    for word in ("one", "two", "three"):
        await world.say(word, contact="+15551234567")
        world.clock.advance(10)
        await sent(one, text=f"to {word}")
    everything = await listed(one, "+15551234567", "?sort=asc")
    since = everything[0]["time_sent"]
    chosen = await one.get(f"{CHAT}/messages?sort=asc&direction=inbound&since={since}")
    before = await listed(one, "+15551234567", f"?until={everything[2]['time_sent']}")

    assert set(chosen.json) >= {"chat_id", "messages", "pagination"}
    assert chosen.json["chat_id"] == "+15551234567"
    assert [each["text"] for each in chosen.json["messages"]] == ["two", "three"]
    assert {each["direction"] for each in chosen.json["messages"]} == {"inbound"}
    times = [each["time_sent"] for each in chosen.json["messages"]]
    assert times == sorted(times)
    assert all(isinstance(each, int) and each > since for each in times)
    assert [each["text"] for each in before] == ["to one", "one"]


async def test_11_no_chat_no_messages(one: Caller) -> None:
    for chat in ("+15551234567", "a@b.co,+15551112222", "grp_00000000001zz"):
        for path in ("", "/messages", "/messages/msg_0000000000001", "/background"):
            answered = await one.get(f"/v2/api/chats/{chat}{path}")

            assert (answered.status, answered.json["error"]) == (404, "not_found"), path


async def test_14_signs_of_life_need_no_body(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    worker.attend()
    await world.say("Are you there?")
    path = f"/v2/api/chats/{CONTACT}"
    await world.api.request(
        "PUT", f"/v1/lines/{line_id(world.sandbox_line)}/contact-card", body={"first_name": "Ada"}
    )
    begun = await one.post(f"{path}/typing", headers=JSON)
    ended = await one.delete(f"{path}/typing", headers=JSON)
    read = await one.post(f"{path}/read", headers=JSON)
    card = await one.post(f"{path}/contact-card", headers=JSON)

    assert [each.status for each in (begun, ended, read, card)] == [200, 200, 200, 200], card.body
    assert begun.json == {"chat_id": CONTACT, "typing": True, "started_at": begun.json["started_at"]}
    assert isinstance(begun.json["started_at"], int)
    assert (ended.json["typing"], type(ended.json["stopped_at"])) == (False, int)
    assert read.json == {"chat_id": CONTACT, "status": "read", "marked_at": read.json["marked_at"]}
    assert card.json["success"] is True
    assert (await world.api.get("/v1/chats?unread=true")).json["data"] == []


async def test_a_number_that_cannot_says_so_as_a_device_does(world: HubWorld, one: Caller) -> None:
    worker = SandboxWorker(
        world, without=frozenset({"typing_out", "read_out", "effects", "contact_card", "polls", "react_std"})
    )
    await worker.tell_capabilities()
    await world.say("Are you there?")
    path = f"/v2/api/chats/{CONTACT}"
    typing = await one.post(f"{path}/typing")
    read = await one.post(f"{path}/read")
    reaction = await one.post(f"{path}/messages/-1/reactions", {"reaction": "+love"})
    with_effect = await one.post(
        f"{path}/messages", {"text": "Hello", "effect": "slam", "share_contact": True}
    )

    assert typing.status == 200
    assert "typing indicator" in typing.json["warning"]
    assert read.status == reaction.status == 502
    assert read.headers["x-should-retry"] == "false"
    assert with_effect.status == 202
    assert "contact card" in with_effect.json["warning"]


async def test_25_every_answer_counts_requests(world: HubWorld, one: Caller) -> None:
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    answers = [await one.get("/v2/api/chats"), await one.get("/v2/api/chats/nobody")]

    for answered in answers:
        assert all(answered.headers[name].isdigit() for name in names)


async def test_a_contact_of_two_numbers_is_one_conversation(world: HubWorld, both: Caller) -> None:
    await world.say("to the first", contact=STRANGER)
    await world.say("to the second", line=world.other_line, contact=STRANGER)
    messages = await listed(both, STRANGER, "?sort=asc")
    shown = await both.get(f"/v2/api/chats/{STRANGER}")

    assert [(each["text"], each["internal_id"]) for each in messages] == [
        ("to the first", SANDBOX_LINE),
        ("to the second", OTHER_LINE),
    ]
    assert shown.json["internal_id"] == OTHER_LINE


async def test_messages_of_a_list_of_people_are_their_groups(one: Caller, worker: SandboxWorker) -> None:
    """`external_id` is the contact's or the group's, however the path names the chat."""
    worker.attend()
    made = await one.post(f"/v2/api/chats/{CONTACT},ann@example.com/messages", {"text": "Hello both"})
    listed = await one.get(f"/v2/api/chats/ann@example.com,{CONTACT}/messages")

    assert made.status == 202, made.body
    assert [each["external_id"] for each in listed.json["messages"]] == [made.json["group_id"]]
