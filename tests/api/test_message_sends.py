"""POST /v1/messages: everything that a message can be, and each mistake named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from hub.model.ids import Prefix, parse_id
from hub.model.outbox import attempt_id
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker

SEND: Mapping[str, Any] = {"from": SANDBOX_LINE, "to": CONTACT}
A_YEAR_MS = 366 * 86_400_000


async def sent(world: HubWorld, **fields: Any) -> dict[str, Any]:
    answered = await world.api.post("/v1/messages", {**SEND, **fields})
    assert answered.status == 201, answered.body
    reply: dict[str, Any] = answered.json
    return reply


async def message(world: HubWorld, message_id: str) -> dict[str, Any]:
    answered = await world.api.get(f"/v1/messages/{message_id}")
    assert answered.status == 200, answered.body
    found: dict[str, Any] = answered.json
    return found


async def payload(world: HubWorld, outbox_id: str) -> dict[str, object]:
    item = await world.store.outbox.get(parse_id(Prefix.OUTBOX, outbox_id))
    assert item is not None
    return item.payload


async def events(world: HubWorld) -> list[tuple[str, str]]:
    """Type and message of all that was told, oldest first."""
    found = await world.store.events.newest(limit=100)
    told = [(each.type, msgspec.json.decode(each.data).get("id", "")) for each in found]
    return [pair for pair in reversed(told) if pair[0].startswith("message.")]


async def test_a_message_exists_when_it_is_asked_for(world: HubWorld) -> None:
    reply = await sent(world, text="Hi", metadata={"order": 17})
    shown = await message(world, reply["message_id"])

    assert (shown["status"], shown["text"], shown["outbox_id"]) == ("queued", "Hi", reply["id"])
    assert shown["guid"] == attempt_id(parse_id(Prefix.OUTBOX, reply["id"]))
    assert (shown["metadata"], shown["queued_at"]) == ({"order": 17}, world.clock.now_ms())
    assert await events(world) == [("message.queued", reply["message_id"])]


async def test_a_queued_message_is_listed_in_its_chat(world: HubWorld) -> None:
    """Also in a chat in which nothing was ever said."""
    reply = await sent(world, text="Hi", to="+15550100077")
    answered = await world.api.get(f"/v1/messages?from=%2B{SANDBOX_LINE[1:]}&to=%2B15550100077")

    [shown] = answered.json["data"]
    assert (shown["id"], shown["sent_at"]) == (reply["message_id"], world.clock.now_ms())


async def test_several_texts_are_several_messages_of_one_request(world: HubWorld) -> None:
    reply = await sent(world, texts=["one", "two", "three"], effect="slam", metadata={"a": 1})
    ids = [item["message_id"] for item in reply["items"]]

    shown = [await message(world, message_id) for message_id in ids]
    assert [each["text"] for each in shown] == ["one", "two", "three"]
    assert {each["effect"] for each in shown} == {"slam"}
    assert (reply["id"], reply["message_id"]) == (reply["items"][0]["id"], ids[0])
    assert [message_id for _, message_id in await events(world)] == ids


async def test_a_repeated_request_for_several_texts_gets_the_same_answer(world: HubWorld) -> None:
    body, key = {**SEND, "texts": ["one", "two"]}, {"Idempotency-Key": "k"}
    first = await world.api.post("/v1/messages", body, headers=key)
    again = await world.api.post("/v1/messages", body, headers=key)

    assert first.json["items"] == again.json["items"]
    assert len(await events(world)) == 2


async def test_parts_are_kept_in_their_order(world: HubWorld) -> None:
    parts = [
        {"type": "text", "text": "Look"},
        {"type": "link", "url": "https://example.com"},
        {"type": "text", "text": "you", "mention": CONTACT},
    ]
    reply = await sent(world, parts=parts)

    assert (await payload(world, reply["id"]))["parts"] == parts
    assert (await message(world, reply["message_id"]))["text"] == "Look\nyou"


async def test_what_the_bridge_needs_reaches_it(world: HubWorld) -> None:
    fields = {
        "text": "See https://example.com",
        "effect": "confetti",
        "subject": "News",
        "link_preview": {"title": "Example", "image_url": "https://example.com/a.png"},
        "allow_sms_fallback": True,
        "priority": 7,
    }
    reply = await sent(world, **fields)

    kept = await payload(world, reply["id"])
    assert {name: kept.get(name) for name in fields} == fields


async def test_a_subject_is_shown_before_and_after_the_network_has_it(world: HubWorld) -> None:
    """Asked for on each of several texts, kept through the network's echo, told by every event; null without."""
    worker = SandboxWorker(world)
    titled = await sent(world, texts=["one", "two"], subject="News")
    bare = await sent(world, text="three")
    asked = [(await message(world, each["message_id"]))["subject"] for each in titled["items"]]
    await worker.work()
    shown = [await message(world, each["message_id"]) for each in titled["items"]]
    told = [msgspec.json.decode(each.data) for each in await world.store.events.newest(limit=100)]

    assert asked == ["News", "News"]
    assert [(each["status"], each["subject"]) for each in shown] == [("read", "News")] * 2
    assert {each["subject"] for each in told if each.get("id") == shown[0]["id"]} == {"News"}
    assert (await message(world, bare["message_id"]))["subject"] is None


async def test_what_is_planned_waits_for_its_time(world: HubWorld) -> None:
    at = world.clock.now_ms() + 60_000
    reply = await sent(world, text="later", send_at=at)
    item = await world.store.outbox.get(parse_id(Prefix.OUTBOX, reply["id"]))
    shown = await message(world, reply["message_id"])

    assert item is not None
    assert (item.next_attempt_at, shown["status"], shown["send_at"]) == (at, "queued", at)


async def test_a_time_that_is_over_means_now(world: HubWorld) -> None:
    reply = await sent(world, text="now", send_at=1)
    item = await world.store.outbox.get(parse_id(Prefix.OUTBOX, reply["id"]))

    assert item is not None
    assert item.next_attempt_at == world.clock.now_ms()
    assert (await message(world, reply["message_id"]))["send_at"] is None


async def test_a_message_that_waits_cannot_be_answered(world: HubWorld) -> None:
    reply = await sent(world, text="Hi")
    answered = await world.api.post("/v1/messages", {**SEND, "text": "Re", "reply_to": reply["message_id"]})

    assert (answered.status, answered.json["error"]["code"]) == (409, "message_not_sent")
    assert answered.json["error"]["param"] == "reply_to"


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "nothing": ({}, "missing_required_parameter", "text"),
    "words beside texts": ({"text": "a", "texts": ["b"]}, "invalid_parameter_value", "texts"),
    "words beside parts": (
        {"text": "a", "parts": [{"type": "text", "text": "b"}]},
        "invalid_parameter_value",
        "parts",
    ),
    "too many texts": ({"texts": ["a"] * 21}, "invalid_parameter_value", "texts"),
    "an empty text among others": ({"texts": ["a", ""]}, "invalid_parameter_value", "texts[1]"),
    "too many parts": (
        {"parts": [{"type": "text", "text": "a"}] * 12},
        "invalid_parameter_value",
        "parts",
    ),
    "an unknown kind of part": ({"parts": [{"type": "poll"}]}, "invalid_parameter_value", "parts[0].type"),
    "a part without its words": (
        {"parts": [{"type": "text"}]},
        "missing_required_parameter",
        "parts[0].text",
    ),
    "a link to a file": (
        {"parts": [{"type": "link", "url": "file:///etc/passwd"}]},
        "invalid_parameter_value",
        "parts[0].url",
    ),
    "no file id": (
        {"parts": [{"type": "attachment", "file_id": "x"}]},
        "invalid_parameter_value",
        "parts[0].file_id",
    ),
    "two attachments": (
        {"attachments": ["file_0000000000000", "file_0000000000001"]},
        "invalid_parameter_value",
        "attachments",
    ),
    "a file that is not there": (
        {"parts": [{"type": "attachment", "file_id": "file_0000000000000"}]},
        "file_not_found",
        "parts[0].file_id",
    ),
    "a priority beyond 100": ({"text": "a", "priority": 101}, "invalid_parameter_value", "priority"),
    "a priority below 0": ({"text": "a", "priority": -1}, "invalid_parameter_value", "priority"),
    "seconds are long over, but nanoseconds are far ahead": (
        {"text": "a", "send_at": 1_800_000_000_000_000_000},
        "invalid_parameter_value",
        "send_at",
    ),
    "large metadata": ({"text": "a", "metadata": {"a": "x" * 1020}}, "invalid_parameter_value", "metadata"),
    "metadata that is a list": ({"text": "a", "metadata": []}, "invalid_parameter_value", "metadata"),
    "a voice message of words": ({"text": "a", "voice_memo": True}, "invalid_parameter_value", "voice_memo"),
    "a preview of nothing": (
        {"text": "a", "link_preview": {"title": "T"}},
        "invalid_parameter_value",
        "link_preview",
    ),
    "an empty effect": ({"text": "a", "effect": ""}, "invalid_parameter_value", "effect"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_each_mistake_is_named(world: HubWorld, mistake: str) -> None:
    fields, code, param = MISTAKES[mistake]
    answered = await world.api.post("/v1/messages", {**SEND, **fields})
    error = answered.json["error"]

    assert (error["code"], error["param"]) == (code, param)
    assert answered.status == (404 if code.endswith("not_found") else 400)


async def test_metadata_of_exactly_1_kb_is_kept(world: HubWorld) -> None:
    metadata = {"a": "x" * (1024 - len('{"a":""}'))}

    assert (await message(world, (await sent(world, text="a", metadata=metadata))["message_id"]))[
        "metadata"
    ] == metadata


async def test_a_year_ahead_is_not_too_far(world: HubWorld) -> None:
    await sent(world, text="a", send_at=world.clock.now_ms() + A_YEAR_MS)


async def test_each_of_several_texts_may_have_a_preview_of_its_own(world: HubWorld) -> None:
    preview = {"title": "A", "url": "https://example.com/a"}
    texts = ["Two links:", {"text": "https://example.com/a", "link_preview": preview}]
    answered = await world.api.post("/v1/messages", {**SEND, "texts": texts})
    bad = {"text": "no address", "link_preview": {"title": "A"}}
    refused = await world.api.post("/v1/messages", {**SEND, "texts": ["Hello", bad]})

    assert answered.status == 201, answered.body
    items = [await world.api.get(f"/v1/outbox?id={each['id']}") for each in answered.json["items"]]
    assert [each.json["payload"]["text"] for each in items] == ["Two links:", "https://example.com/a"]
    assert [each.json["payload"].get("link_preview") for each in items] == [None, preview]
    assert (refused.status, refused.param) == (400, "texts[1]")
