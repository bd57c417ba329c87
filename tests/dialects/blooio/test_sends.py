"""What a send can hold, whom it is for, and what it is told (contracts: blooio §3 and §1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.blooio.asking import listed, sent
from tests.outbound.receivers import answering, listening
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld, line_id
from tests.support.sandbox_worker import SandboxWorker

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
FILE = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG
PATH = f"/v2/api/chats/{CONTACT}/messages"
MONTH_MS = 30 * 86_400_000


async def payloads(world: HubWorld, *message_ids: str) -> list[dict[str, Any]]:
    """Give what the bridge is asked for."""
    found = []
    for message_id in message_ids:
        message = (await world.api.get(f"/v1/messages/{message_id}")).json
        item = (await world.api.get(f"/v1/outbox?id={message['outbox_id']}")).json
        found.append(item["payload"])
    return found


async def test_attachments_are_fetched_and_sent(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    async with listening(answering(FILE)) as source:
        named = {"url": source.url("/x"), "name": "cat.png"}
        with_words = await sent(one, CONTACT, text="A cat", attachments=[named])
        several = await sent(one, CONTACT, text="Cats", attachments=[source.url("/a.png"), named])
        alone = await one.post(PATH, {"attachments": [source.url("/b.png")]})
    await worker.work()
    messages = await listed(one, CONTACT, "?sort=asc")

    assert alone.status == 202, alone.body
    assert [each["text"] for each in messages] == ["A cat", "Cats", None]
    assert [[file["name"] for file in each["attachments"]] for each in messages] == [
        ["cat.png"],
        ["a.png", "cat.png"],
        ["b.png"],
    ]
    assert {each["status"] for each in messages} == {"delivered"}
    assert several.json.keys() == with_words.json.keys() == {"message_id", "status"}
    file_url = messages[0]["attachments"][0]["url"].removeprefix("http://127.0.0.1:8080")
    assert (await world.api.with_token(None).get(file_url)).body == PNG


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "a", "attachments": ["http://10.0.0.1/x"]}, "attachments[0]"),
        ({"text": "a", "attachments": ["https://10.0.0.1/x", "x"]}, "attachments[0]"),
        ({"parts": [{"text": "a"}, {"url": "ftp://example.com/x"}]}, "parts[1].url"),
    ],
)
async def test_an_address_that_gives_no_file_is_told(one: Caller, body: dict[str, Any], field: str) -> None:
    answered = await one.post(PATH, body)

    assert (answered.status, answered.json["code"]) == (400, "url_refused")
    assert answered.json["details"]["field"] == field
    assert (await one.get("/v2/api/chats")).json["chats"] == []


async def test_parts_are_one_message(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    async with listening(answering(FILE)) as source:
        answered = await one.post(
            PATH, {"parts": [{"text": "Look:"}, {"url": source.url("/x"), "name": "cat.png"}]}
        )
    await worker.work()
    (message,) = await listed(one, CONTACT)

    assert answered.json == {"message_id": message["message_id"], "status": "queued"}
    assert message["text"] == "Look:"
    assert [each["name"] for each in message["attachments"]] == ["cat.png"]


async def test_links_of_their_own_are_messages_of_their_own(world: HubWorld, one: Caller) -> None:
    parts = [
        {
            "text": "https://example.com/a",
            "link_preview": {"title": "A", "image_url": "https://x.example/a.png"},
        },
        {"text": " https://example.com/b "},
    ]
    answered = await one.post(PATH, {"parts": parts})
    asked = await payloads(world, *answered.json["message_ids"])

    assert (answered.status, answered.json["count"]) == (202, 2)
    assert [each["text"] for each in asked] == ["https://example.com/a", "https://example.com/b"]
    assert [each["link_preview"] for each in asked] == [
        {"title": "A", "url": "https://example.com/a", "image_url": "https://x.example/a.png"},
        {"title": "example.com", "url": "https://example.com/b"},
    ]


@pytest.mark.parametrize(
    ("text", "has_preview"), [("https://example.com/a", True), ("see https://example.com/a", False)]
)
async def test_a_preview_counts_where_the_text_is_one_link(
    world: HubWorld, one: Caller, text: str, has_preview: bool
) -> None:
    answered = await sent(one, CONTACT, text=text, link_preview={"title": "A"})
    (asked,) = await payloads(world, answered.json["message_id"])

    assert ("link_preview" in asked) is has_preview


@pytest.mark.parametrize(
    ("said", "meant"),
    [("SLAM", "slam"), ("Invisible Ink", "invisible-ink"), ("none", None), ("", None), (None, None)],
)
async def test_effects_are_read_leniently(
    world: HubWorld, one: Caller, said: str | None, meant: str | None
) -> None:
    answered = await sent(one, CONTACT, effect=said)
    (asked,) = await payloads(world, answered.json["message_id"])

    assert asked.get("effect") == meant


async def test_metadata_comes_back(world: HubWorld, one: Caller) -> None:
    answered = await sent(one, CONTACT, metadata={"order": 7})

    shown = (await world.api.get(f"/v1/messages/{answered.json['message_id']}")).json
    assert shown["metadata"] == {"order": 7}


async def test_typing_goes_before_and_the_card_after(
    world: HubWorld, one: Caller, worker: SandboxWorker
) -> None:
    card = f"/v1/lines/{line_id(world.sandbox_line)}/contact-card"
    await world.api.request("PUT", card, body={"first_name": "Ada"})
    await worker.work()
    wish = {"text": "Hello", "use_typing_indicator": True, "share_contact": True}
    key = {"Idempotency-Key": "once"}
    answers = [await one.post(PATH, wish, headers=key) for _ in range(2)]
    queue = (await world.api.get("/v1/queue")).json

    assert [each.status for each in answers] == [202, 200]
    assert answers[0].json == answers[1].json
    assert "warning" not in answers[0].json
    await worker.work()
    assert queue["outbox"]


# ---- answering one message


async def test_a_message_answers_another(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    guid = await world.say("How are you?")
    by_guid = await sent(one, CONTACT, reply_to={"guid": guid})
    theirs = next(each for each in await listed(one, CONTACT) if each["direction"] == "inbound")
    by_id = await sent(one, CONTACT, reply_to={"message_id": theirs["message_id"]})

    for answered in (by_guid, by_id):
        shown = (await world.api.get(f"/v1/messages/{answered.json['message_id']}")).json
        assert shown["reply_to_guid"] == guid


@pytest.mark.parametrize(
    ("reply_to", "code"),
    [
        ({}, "reply_target_invalid"),
        ({"message_id": "a", "guid": "b"}, "reply_target_invalid"),
        ({"message_id": "msg_0000000000001"}, "reply_target_not_found"),
        ({"guid": "nothing"}, "reply_target_not_found"),
        ({"guid": "GUID", "part_index": 1}, "reply_target_not_supported"),
    ],
)
async def test_what_cannot_be_answered(
    world: HubWorld, one: Caller, reply_to: dict[str, Any], code: str
) -> None:
    guid = await world.say("How are you?")
    said = {name: guid if value == "GUID" else value for name, value in reply_to.items()}
    answered = await one.post(PATH, {"text": "Hi", "reply_to": said})

    assert (answered.status, answered.json["code"]) == (400, code)
    assert answered.json["details"]["field"] == "reply_to"


async def test_what_cannot_be_answered_here(world: HubWorld, both: Caller) -> None:
    guid = await world.say("How are you?")
    elsewhere = await both.post(
        "/v2/api/chats/+15550100002/messages", {"text": "Hi", "reply_to": {"guid": guid}}
    )
    by_another = await both.post(PATH, {"text": "Hi", "from_number": OTHER_LINE, "reply_to": {"guid": guid}})
    in_many = await both.post(PATH, {"text": ["a", "b"], "reply_to": {"guid": guid}})
    world.clock.advance(MONTH_MS + 1)
    late = await both.post(PATH, {"text": "Hi", "reply_to": {"guid": guid}})

    assert [each.json["code"] for each in (elsewhere, by_another, in_many, late)] == [
        "reply_target_chat_mismatch",
        "reply_target_device_mismatch",
        "reply_target_not_supported",
        "reply_target_expired",
    ]
    assert {each.status for each in (elsewhere, by_another, in_many, late)} == {400}


# ---- limits


@pytest.mark.parametrize(
    ("limit", "code", "figures"),
    [
        ("messages_per_day", "outbound_limit_reached", {"limit": 1, "current": 1, "mode": "per_number"}),
        ("new_conversations_per_day", "new_conversation_limit_reached", {"cap": 1, "current": 1}),
    ],
)
async def test_limits_are_told_with_their_figures(
    world: HubWorld, one: Caller, limit: str, code: str, figures: dict[str, Any]
) -> None:
    line = f"/v1/lines/{line_id(world.sandbox_line)}"
    changed = await world.api.patch(line, {"safety": {limit: 1}})
    assert changed.status == 200, changed.body
    await sent(one, "+15551234567")
    refused = await one.post("/v2/api/chats/+15557654321/messages", {"text": "Hello"})

    assert (refused.status, refused.json["code"]) == (429, code), refused.body
    assert figures.items() <= refused.json.items()
    assert refused.headers["retry-after"].isdigit()
    assert refused.headers["x-should-retry"] == "false"
    if limit == "messages_per_day":
        assert refused.json["sender_number"] == SANDBOX_LINE
        assert refused.json["allocation_id"].startswith("alloc_")


async def test_a_generic_limit_says_how_long_to_wait(world: HubWorld) -> None:
    caller = await world.caller("chats:read", dialect="blooio", requests_per_hour=1)
    await caller.get("/v2/api/chats")
    refused = await caller.get("/v2/api/chats")

    assert refused.status == 429
    assert "code" not in refused.json
    assert refused.headers["retry-after"].isdigit()
    assert refused.headers["x-ratelimit-remaining"] == "0"


async def test_a_key_without_any_number(world: HubWorld) -> None:
    await world.api.patch(f"/v1/lines/{line_id(world.sandbox_line)}", {"is_active": False})
    caller = await world.caller("messages:write", "chats:read", dialect="blooio", lines=(world.sandbox_line,))
    refused = await caller.post(PATH, {"text": "Hello"})

    assert refused.status == 503
    assert refused.json["error"] == "service_unavailable"


# ---- polls and backgrounds


async def test_a_poll_is_sent_and_counted(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    worker.attend()
    chat = "/v2/api/chats/+15550100200"
    asked = await one.post(f"{chat}/polls", {"title": "Lunch?", "options": ["Soup", "Salad"]})
    await worker.listen()
    path = f"{chat}/polls/{asked.json['poll_id']}"
    results = await one.get(path)
    untitled = await one.post(f"{chat}/polls", {"options": ["Yes", "No"]})
    await sent(one, CONTACT)
    elsewhere = await one.get(f"/v2/api/chats/{CONTACT}/polls/{asked.json['poll_id']}")

    assert asked.status == 200, asked.body
    assert asked.json["chat_id"] == "+15550100200"
    assert asked.json["poll"] == {"title": "Lunch?", "options": ["Soup", "Salad"]}
    assert isinstance(asked.json["sent_at"], int)
    assert results.json == {
        "poll_id": asked.json["poll_id"],
        "chat_id": "+15550100200",
        "title": "Lunch?",
        "options": [{"text": "Soup", "votes": 1}, {"text": "Salad", "votes": 0}],
        "total_votes": 1,
    }
    assert untitled.json["poll"]["title"] == "Poll"
    assert elsewhere.status == 404
    assert (await one.get(f"{chat}/polls/nothing")).status == 404


@pytest.mark.parametrize("options", [[], ["One"], ["a"] * 2, [str(n) for n in range(11)], "ab"])
async def test_a_poll_has_two_to_ten_options(one: Caller, options: Any) -> None:
    answered = await one.post(f"/v2/api/chats/{CONTACT}/polls", {"options": options})

    assert (answered.status, answered.json["details"]["field"]) == (400, "options")


def form(name: str, content: bytes, kind: str = "image/png") -> dict[str, Any]:
    head = (
        f'--line\r\nContent-Disposition: form-data; name="{name}"; filename="bé.png"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return {
        "body": head.encode() + content + b"\r\n--line--\r\n",
        "headers": {"Content-Type": "multipart/form-data; boundary=line"},
    }


async def test_a_background_comes_and_goes(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    worker.attend()
    await world.say("Nice here")
    path = f"/v2/api/chats/{CONTACT}/background"
    before = await one.get(path)
    put = await one.request("PUT", path, **form("background", PNG))
    after, chat = await one.get(path), await one.get(f"/v2/api/chats/{CONTACT}")
    gone = await one.delete(path, headers={"Content-Type": "application/json"})

    assert before.json == {
        "chat_id": CONTACT,
        "has_background": False,
        "background_id": None,
        "background_version": None,
    }
    assert put.status == 200, put.body
    assert (put.json["has_background"], put.json["changed"]) == (True, True)
    assert after.json == {name: value for name, value in put.json.items() if name != "changed"}
    assert after.json["background_id"]
    assert chat.json["background_url"].startswith("http")
    assert gone.json["has_background"] is False


@pytest.mark.parametrize(
    "sent_form",
    [
        form("icon", PNG),
        form("background", b""),
        form("background", b"words", "text/plain"),
        {"body": b"{}", "headers": {"Content-Type": "application/json"}},
        {"body": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=line"}},
        {"body": b"--line--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=line"}},
    ],
)
async def test_what_is_no_background(world: HubWorld, one: Caller, sent_form: dict[str, Any]) -> None:
    await world.say("Nice here")
    answered = await one.request("PUT", f"/v2/api/chats/{CONTACT}/background", **sent_form)

    assert (answered.status, answered.json["error"]) == (400, "invalid_request"), answered.body
