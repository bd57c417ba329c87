"""The acceptance checklist of contracts: messages.dev §9, line by line.

Lines 21 to 23 and 25 are in test_checklist_deliveries.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from bridge.sandbox import contacts
from hub.model.ids import Prefix, id_text
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld

SEND = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"}
NO_SUCH = "0000000000000"
FILE = {"Content-Type": "text/plain", "X-Filename": "a.txt"}


def envelope(answered: Any) -> tuple[int, str, str, str | None]:
    error = answered.json["error"]
    assert re.fullmatch(r"req_[0-9a-z]+", answered.json["request_id"])
    assert set(answered.json) == {"error", "request_id"}
    assert set(error) <= {"type", "code", "message", "param"}
    return answered.status, error["type"], error["code"], error.get("param")


async def test_01_no_authorization(world: HubWorld) -> None:
    answered = await world.api.with_token(None).get("/v1/lines")

    assert envelope(answered) == (401, "authentication_error", "missing_api_key", None)
    assert "param" not in answered.json["error"]


@pytest.mark.parametrize("token", ["sk_live_" + "x" * 32, "sk_test_" + "x" * 32, "nonsense", "sk_live_ä"])
async def test_02_unknown_key(world: HubWorld, token: str) -> None:
    answered = await world.api.with_token(token).get("/v1/lines")

    assert envelope(answered) == (401, "authentication_error", "invalid_api_key", None)


async def test_02_revoked_key(world: HubWorld) -> None:
    made = await world.api.post("/v1/keys", {"name": "short", "scopes": ["lines:read"]})
    caller = world.api.with_token(made.json["api_key"])
    assert (await caller.get("/v1/lines")).status == 200
    await world.api.delete(f"/v1/keys/{made.json['id']}")

    assert (await caller.get("/v1/lines")).code == "invalid_api_key"


async def test_03_missing_scope(world: HubWorld) -> None:
    answered = await (await world.caller("messages:read")).post("/v1/messages", SEND)

    assert envelope(answered) == (403, "authorization_error", "insufficient_scope", None)


async def test_03_restricted_to_another_line(world: HubWorld) -> None:
    caller = await world.caller("messages:write", lines=(world.sandbox_line,))
    answered = await caller.post("/v1/messages", {**SEND, "from": OTHER_LINE})

    assert envelope(answered) == (403, "authorization_error", "line_not_accessible", "from")


async def test_03_the_sandbox_line_is_open_to_every_key(world: HubWorld) -> None:
    caller = await world.caller("messages:write", lines=(world.other_line,))

    assert (await caller.post("/v1/messages", SEND)).status == 201


async def test_04_lines(world: HubWorld) -> None:
    answered = await world.api.get("/v1/lines")

    assert answered.status == 200
    assert set(answered.json) == {"data", "has_more", "next_cursor", "request_id"}
    assert (answered.json["has_more"], answered.json["next_cursor"]) == (False, None)
    for line in answered.json["data"]:
        assert line["id"].startswith("ln_")
        assert line["service"] in {"imessage", "sms", "auto"}
        assert (type(line["handle"]), line["is_active"]) == (str, True)


@pytest.mark.parametrize("place", ["handle", "chat"])
async def test_05_send(world: HubWorld, place: str) -> None:
    await world.say("Hi", line=world.other_line)
    chats = await world.api.get(f"/v1/chats?from=%2B{OTHER_LINE[1:]}")
    to = CONTACT if place == "handle" else chats.json["data"][0]["id"]
    answered = await world.api.post("/v1/messages", {**SEND, "from": OTHER_LINE, "to": to})

    assert answered.status == 201
    assert set(answered.json) == {
        "id",
        "status",
        "message_id",
        "request_id",
    }  # the client drops what it does not know
    assert answered.json["id"].startswith("obx_")
    assert answered.json["status"] == "pending"
    assert world.wake_ups.lines == [world.other_line.id]


@pytest.mark.parametrize(
    ("missing", "param"), [("from", "from"), ("to", "to"), ("text", "text")], ids=["from", "to", "content"]
)
async def test_06_missing_parameter(world: HubWorld, missing: str, param: str) -> None:
    body = {name: value for name, value in SEND.items() if name != missing}
    answered = await world.api.post("/v1/messages", body)

    assert envelope(answered) == (400, "invalid_request_error", "missing_required_parameter", param)
    assert answered.json["error"]["message"] == f"The '{param}' field is required."


@pytest.mark.parametrize("attachments", [["file_a", "file_b"], ["wh_a"], ["a"]])
async def test_07_attachments(world: HubWorld, attachments: list[str]) -> None:
    answered = await world.api.post("/v1/messages", {**SEND, "attachments": attachments})

    assert envelope(answered)[:3] == (400, "invalid_request_error", "invalid_parameter_value")


async def test_08_contact_has_not_messaged(world: HubWorld) -> None:
    answered = await world.api.post("/v1/messages", {**SEND, "from": OTHER_LINE, "to": STRANGER})

    assert envelope(answered) == (403, "invalid_request_error", "contact_has_not_messaged", "to")


async def test_08_in_a_group_one_inbound_is_enough(world: HubWorld) -> None:
    scene = contacts.group(OTHER_LINE, CONTACT, key="chat900", participants=(CONTACT, STRANGER))
    await world.observe(world.other_line, contacts.rename_group(scene, "Team", at=world.clock.now_ms()))
    chat = await world.store.chats.by_key(world.other_line.id, "chat900")
    assert chat is not None
    body = {**SEND, "from": OTHER_LINE, "to": id_text(Prefix.CHAT, chat.id)}
    assert (await world.api.post("/v1/messages", body)).code == "contact_has_not_messaged"
    await world.observe(world.other_line, contacts.say(scene, "Hi", guid="g", at=world.clock.now_ms()))

    assert (await world.api.post("/v1/messages", body)).status == 201


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"from": "+15550109999"}, "line_not_found", "from"),
        ({"from": f"ln_{NO_SUCH}"}, "line_not_found", "from"),
        ({"to": f"cht_{NO_SUCH}"}, "chat_not_found", "to"),
        ({"to": "cht_nonsense"}, "chat_not_found", "to"),
        ({"attachments": ["file_nope"]}, "file_not_found", "attachments[0]"),
        ({"reply_to": f"msg_{NO_SUCH}"}, "message_not_found", "reply_to"),
        ({"reply_to": "A-GUID"}, "message_not_found", "reply_to"),
    ],
)
async def test_09_unknown_things(world: HubWorld, change: dict[str, Any], code: str, param: str) -> None:
    answered = await world.api.post("/v1/messages", {**SEND, **change})

    assert envelope(answered) == (404, "not_found_error", code, param)


@pytest.mark.parametrize("body", [b"", b"{", b"no json", b"[]", b"null", b'{"from": }'])
async def test_10_no_json(world: HubWorld, body: bytes) -> None:
    answered = await world.api.post("/v1/messages", body)

    assert envelope(answered)[:3] == (400, "invalid_request_error", "invalid_json")


async def test_11_outbox(world: HubWorld) -> None:
    sent = await world.api.post("/v1/messages", SEND)
    answered = await world.api.get(f"/v1/outbox?id={sent.json['id']}")
    item = answered.json

    assert answered.status == 200
    assert item.items() >= {"status": "pending", "payload": SEND, "completed_at": None, "error": None}.items()
    assert item["line_id"].startswith("ln_")
    assert (item["attempts"], type(item["max_attempts"]), type(item["created_at"])) == (0, int, int)
    assert item["request_id"].startswith("req_")


async def test_11_unknown_outbox_item(world: HubWorld) -> None:
    answered = await world.api.get(f"/v1/outbox?id=obx_{NO_SUCH}")

    assert envelope(answered) == (404, "not_found_error", "outbox_item_not_found", "id")


async def test_12_upload(world: HubWorld) -> None:
    answered = await world.api.post("/v1/files", b"hello", headers=FILE)

    assert answered.status == 201
    assert answered.json["id"].startswith("file_")
    stored = {name: answered.json[name] for name in ("filename", "mime_type", "size")}
    assert stored == {"filename": "a.txt", "mime_type": "text/plain", "size": 5}
    assert (type(answered.json["url"]), answered.json["request_id"][:4]) == (str, "req_")


async def test_12_empty_file(world: HubWorld) -> None:
    answered = await world.api.post("/v1/files", b"", headers=FILE)

    assert envelope(answered)[:3] == (400, "invalid_request_error", "empty_file")


async def test_13_a_file_is_read_elsewhere_without_a_key(world: HubWorld) -> None:
    file_id = (await world.api.post("/v1/files", b"hello", headers=FILE)).json["id"]
    answered = await world.api.get(f"/v1/files?id={file_id}")
    place = urlsplit(answered.headers["location"])
    read = await world.api.with_token(None).get(f"{place.path}?{place.query}")

    assert answered.status == 302
    assert place.scheme
    assert place.netloc
    assert (read.status, read.body) == (200, b"hello")


async def test_13_unknown_file(world: HubWorld) -> None:
    answered = await world.api.get(f"/v1/files?id=file_{NO_SUCH}")

    assert envelope(answered)[:3] == (404, "not_found_error", "file_not_found")


@pytest.mark.parametrize("state", [{}, {"state": "off"}])
async def test_14_typing(world: HubWorld, state: dict[str, str]) -> None:
    answered = await world.api.post("/v1/typing", {"from": SANDBOX_LINE, "to": CONTACT, **state})

    assert (answered.status, answered.json["status"]) == (201, "pending")


async def test_14_receipts(world: HubWorld) -> None:
    answered = await world.api.post("/v1/receipts", {"from": SANDBOX_LINE, "to": CONTACT})

    assert (answered.status, answered.json["status"]) == (201, "pending")


@pytest.mark.parametrize(
    ("reaction", "status", "code"), [("love", 201, None), ("heart", 400, "invalid_parameter_value")]
)
async def test_14_reactions(world: HubWorld, reaction: str, status: int, code: str | None) -> None:
    guid = await world.say("Hi")
    body = {"from": SANDBOX_LINE, "to": CONTACT, "message_id": guid, "type": reaction}
    answered = await world.api.post("/v1/reactions", body)

    assert (answered.status, answered.code) == (status, code)


async def test_15_webhooks(world: HubWorld) -> None:
    body = {"from": OTHER_LINE, "url": "https://receiver.example/", "events": ["message.received"]}
    made = await world.api.post("/v1/webhooks", body)
    listed = await world.api.get(f"/v1/webhooks?from=%2B{OTHER_LINE[1:]}")

    assert made.status == 201
    assert made.json["line_ids"] == [id_text(Prefix.LINE, world.other_line.id)]
    assert made.json["secret"].startswith("whsec_")
    assert (made.json["is_active"], made.json["request_id"][:4]) == (True, "req_")
    assert [webhook["id"] for webhook in listed.json["data"]] == [made.json["id"]]
    assert "secret" not in listed.json["data"][0]


@pytest.mark.parametrize(
    "event", ["typing.started", "receipt.read", "typing.*", "message", "message.unknown"]
)
async def test_16_events_that_cannot_be_had(world: HubWorld, event: str) -> None:
    body = {"from": SANDBOX_LINE, "url": "https://receiver.example/", "events": [event]}
    answered = await world.api.post("/v1/webhooks", body)

    assert envelope(answered) == (400, "invalid_request_error", "invalid_parameter_value", "events[0]")


async def test_17_delete_webhook(world: HubWorld) -> None:
    webhook = await world.webhook()
    answered = await world.api.delete("/v1/webhooks", {"id": webhook["id"]})
    again = await world.api.delete("/v1/webhooks", {"id": webhook["id"]})

    assert answered.status == 200
    assert answered.json == {
        "id": webhook["id"], "deleted": True, "request_id": answered.json["request_id"]
    }  # fmt: skip
    assert envelope(again)[:3] == (404, "not_found_error", "webhook_not_found")


async def test_18_messages_page_newest_first(world: HubWorld) -> None:
    first, second = await world.say("one"), await world.say("two")
    path = f"/v1/messages?from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}&limit=1"
    newest = await world.api.get(path)
    older = await world.api.get(f"{path}&cursor={newest.json['next_cursor']}")

    assert [message["guid"] for message in newest.json["data"]] == [second]
    assert newest.json["has_more"] is True
    assert [message["guid"] for message in older.json["data"]] == [first]
    assert (older.json["has_more"], older.json["next_cursor"]) == (False, None)


async def test_19_lists_without_pages(world: HubWorld) -> None:
    guid = await world.say("Hi")
    await world.webhook()
    chat = f"from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}"
    for path in (
        f"/v1/reactions?message_id={guid}",
        f"/v1/typing?{chat}",
        f"/v1/receipts?{chat}",
        "/v1/webhooks?from=*",
        "/v1/lines",
    ):
        answered = await world.api.get(path)

        assert (answered.status, answered.json["has_more"], answered.json["next_cursor"]) == (
            200,
            False,
            None,
        )


async def test_20_get_with_a_content_type_and_no_body(world: HubWorld) -> None:
    answered = await world.api.get("/v1/lines", headers={"Content-Type": "application/json"})

    assert answered.status == 200


async def test_24_rate_limit(world: HubWorld) -> None:
    caller = await world.caller("lines:read")
    for _ in range(3):
        assert (await caller.get("/v1/lines")).status == 200
    limited = await world.caller("lines:read", requests_per_hour=2)
    assert [(await limited.get("/v1/lines")).status for _ in range(2)] == [200, 200]
    refused = await limited.get("/v1/lines")

    assert envelope(refused) == (429, "rate_limit_error", "rate_limit_exceeded", None)
    assert refused.headers["retry-after"] == "3600"
    assert refused.headers["x-ratelimit-remaining"] == "0"


@pytest.mark.slow
async def test_24_the_default_is_a_thousand_an_hour(world: HubWorld) -> None:
    statuses = [(await world.api.get("/v1/jobs")).status for _ in range(1001)]

    assert statuses == [200] * 1000 + [429]
