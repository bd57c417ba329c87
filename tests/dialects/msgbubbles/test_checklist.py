"""The contract's acceptance checklist, line by line (contracts: msgbubbles §11).

What receivers get of lines 20 and 21 is in test_webhooks, and over real sockets in tests/e2e/test_msgbubbles.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.flow.keys import KeyWish
from tests.api.test_availability import Network
from tests.dialects.msgbubbles.bubbles import (
    BY_SMS,
    FOREIGN,
    SECOND,
    SEND,
    THIRD,
    TIME,
    UNREACHABLE,
    UUID,
    a_client,
    form,
    golden,
    group,
    quoted,
    read,
    sent,
    staged,
    told,
)
from tests.support.asgi import Answered, Caller
from tests.support.file_parts import BASE_URL
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker

HOOK = "https://receiver.example/hook"


async def test_01_without_a_good_key_401_in_the_flat_envelope(world: HubWorld, client: Caller) -> None:
    """On paths that the native surface has, too, it is the native envelope that refuses (test_sharing)."""
    for caller in (world.api.with_token(None), world.api.with_token("sk_live_" + "x" * 32)):
        for path in ("/v1/numbers", "/v1/handles/availability", f"/v1/attachments/{FOREIGN}"):
            assert told(await caller.get(path)) == (401, "unauthorized")
        assert told(await caller.post(f"/v1/messages/{FOREIGN}/react", {"reaction": "love"})) == (
            401,
            "unauthorized",
        )
    golden("unauthorized", (await world.api.with_token(None).get("/v1/numbers")).json)


async def test_02_a_key_without_any_right_is_forbidden(world: HubWorld) -> None:
    """Our counterpart of an inactive account: a good key that may do nothing of this, and a line switched off."""
    idle = await a_client(world, scopes=frozenset({"events:read"}))
    answered = await idle.get("/v1/numbers")

    assert told(answered) == (403, "forbidden")
    await world.api.patch(f"/v1/lines/{await _line_id(world)}", {"is_active": False})
    assert told(await (await a_client(world)).post("/v1/messages", SEND)) == (403, "forbidden")


async def _line_id(world: HubWorld) -> str:
    line_id: str = (await world.api.get("/v1/lines")).json["data"][0]["id"]
    return line_id


async def test_03_numbers(client: Caller, worker: SandboxWorker) -> None:
    answered = await client.get("/v1/numbers")

    assert answered.status == 200
    golden("numbers", answered.json)


async def test_04_a_send_is_accepted_as_queued(client: Caller) -> None:
    answered = await client.post("/v1/messages", SEND)

    assert answered.status == 202
    golden("message_queued", answered.json)
    data = answered.json["data"]
    assert UUID.fullmatch(data["id"]) and UUID.fullmatch(data["conversation_id"])  # noqa: PT018 - one form
    assert TIME.fullmatch(data["created_at"])
    assert not {"to", "from", "from_handle"} & set(data)


async def test_05_a_repeat_under_its_key_is_the_same_message(client: Caller) -> None:
    key = {"Idempotency-Key": "order-1042-confirmation"}
    first = await client.post("/v1/messages", SEND, headers=key)
    again = await client.post("/v1/messages", SEND, headers=key)
    other = await client.post("/v1/messages", {**SEND, "text": "other"}, headers=key)

    assert (first.status, again.status, again.json["data"]) == (202, 200, first.json["data"])
    assert told(other) == (409, "conflict")
    assert [each["id"] for each in (await client.get("/v1/messages")).json["data"]] == [
        first.json["data"]["id"]
    ]


@pytest.mark.parametrize(
    "body",
    [
        {**SEND, "txt": "typo"},
        {**SEND, "metadata": {}},
        {**SEND, "text": ""},
        {**SEND, "text": None},
        {**SEND, "text": 7},
        {**SEND, "attachment_ids": [FOREIGN] * 11},
        {**SEND, "channel": "sms"},
        {**SEND, "conversation_id": FOREIGN},
        {**SEND, "reply_to": "that one"},
        {"to": CONTACT, "text": "from whom?"},
        {"from_handle": SANDBOX_LINE, "text": "to whom?"},
    ],
    ids=lambda body: ",".join(body) if isinstance(body, dict) else None,
)
async def test_06_what_is_not_asked_for_rightly_is_invalid(client: Caller, body: dict[str, Any]) -> None:
    assert told(await client.post("/v1/messages", body)) == (400, "invalid_request")


async def test_06_an_unknown_query_parameter_is_invalid_everywhere(client: Caller) -> None:
    for path in ("messages", "chats", "numbers", "webhooks", f"messages/{FOREIGN}", f"chats/{FOREIGN}"):
        assert told(await client.get(f"/v1/{path}?colour=blue")) == (400, "invalid_request"), path
    assert told(await client.post("/v1/messages?colour=blue", SEND)) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"to": "abc"}, "invalid_handle"),
        ({"to": "+1555"}, "invalid_handle"),
        ({"to": "(555) 010-0001"}, "invalid_handle"),
        ({"from_handle": "auto"}, "invalid_handle"),
        ({"from_handle": "+18005551111"}, "invalid_from_handle"),
        ({"channel": "whatsapp"}, "invalid_from_handle"),
    ],
)
async def test_07_handles_that_cannot_be(client: Caller, more: dict[str, Any], code: str) -> None:
    assert told(await client.post("/v1/messages", {**SEND, **more})) == (400, code)


async def test_07_a_number_of_another_key_is_not_on_the_account(world: HubWorld) -> None:
    restricted = await a_client(world, line_ids=frozenset({world.sandbox_line.id}))
    answered = await restricted.post("/v1/messages", {**SEND, "from_handle": OTHER_LINE})

    assert told(answered) == (400, "invalid_from_handle")


async def test_08_an_attachment_goes_once(client: Caller, worker: SandboxWorker) -> None:
    first, second = await staged(client, 2)
    await sent(client, attachment_ids=[first])

    for ids in ([first], [second, second], [second, first], [FOREIGN], ["no-uuid"]):
        answered = await client.post("/v1/messages", {**SEND, "attachment_ids": ids})
        assert told(answered) == (400, "invalid_attachments"), ids
    await sent(client, attachment_ids=[second], text=None)


async def test_09_pages_of_a_conversation(world: HubWorld, client: Caller) -> None:
    old = await sent(client, text="one")
    world.clock.advance(5)
    new = await sent(client, text="two")
    path = f"/v1/messages?conversation_id={old['conversation_id']}&limit=1"
    first = await client.get(path)
    rest = await client.get(f"{path}&before={quoted(first.json['data'][0]['created_at'])}")

    assert ([each["id"] for each in first.json["data"]], first.json["has_more"]) == ([new["id"]], True)
    assert ([each["id"] for each in rest.json["data"]], rest.json["has_more"]) == ([old["id"]], False)
    golden("messages", first.json)
    assert told(await client.get(f"/v1/messages/{FOREIGN}")) == (404, "not_found")
    stranger = await a_client(world, line_ids=frozenset({world.other_line.id}))
    await world.say("Hi", line=world.other_line)
    (theirs,) = [
        each for each in (await client.get("/v1/messages")).json["data"] if each["direction"] == "inbound"
    ]
    assert (await stranger.get(f"/v1/messages/{theirs['id']}")).status == 200
    nobody = await a_client(world, line_ids=frozenset({world.sandbox_line.id}))
    assert told(await nobody.get(f"/v1/messages/{theirs['id']}")) == (404, "not_found")


async def test_10_availability_with_and_without_percent(
    world: HubWorld, client: Caller, worker: SandboxWorker
) -> None:
    del worker
    world.naps.meanwhile = Network(world, {CONTACT: {"imessage": True}, SECOND: {"imessage": False}})
    encoded = await client.get(f"/v1/handles/availability?handle={quoted(CONTACT)}")
    raw = await client.get(f"/v1/handles/availability?handle={CONTACT}")
    android = await client.get(f"/v1/handles/availability?handle={SECOND}")

    assert (encoded.status, raw.status) == (200, 200)
    assert encoded.json["data"] == raw.json["data"]
    golden("availability", raw.json)
    assert android.json["data"] == {"handle": SECOND, "imessage": False, "channel": "sms"}
    for wrong, code in (("?handle=abc", "invalid_handle"), ("", "invalid_request")):
        assert told(await client.get(f"/v1/handles/availability{wrong}")) == (400, code)


async def test_11_reactions_need_delivery(client: Caller, worker: SandboxWorker) -> None:
    message = await sent(client)
    path = f"/v1/messages/{message['id']}/react"
    early = await client.post(path, {"reaction": "love"})
    await worker.perform()
    sent_only = await client.post(path, {"reaction": "love"})
    await worker.work()
    answers = [
        await client.post(path, body)
        for body in ({"reaction": "love"}, {"reaction": "🔥"}, {"reaction": "love", "remove": True})
    ]

    assert told(early) == (409, "conflict")
    assert told(sent_only) == (409, "conflict")
    assert [(each.status, each.json["data"]["id"]) for each in answers] == [(200, message["id"])] * 3
    assert told(await client.post(path, {"reaction": "hug"})) == (400, "invalid_request")
    assert told(await client.post(f"/v1/messages/{FOREIGN}/react", {"reaction": "love"})) == (
        404,
        "not_found",
    )


async def test_12_edit_and_unsend_are_for_what_imessage_has(client: Caller, worker: SandboxWorker) -> None:
    by_sms = await sent(client, to=BY_SMS)
    await worker.work()
    waiting = await sent(client)

    assert (await read(client, f"/v1/messages/{by_sms['id']}"))["channel"] == "sms"
    for message in (by_sms, waiting):
        path = f"/v1/messages/{message['id']}"
        assert told(await client.post(f"{path}/edit", {"text": "other"})) == (409, "conflict")
        assert told(await client.post(f"{path}/unsend")) == (409, "conflict")

    await worker.work()
    path = f"/v1/messages/{waiting['id']}"
    edited = await client.post(f"{path}/edit", {"text": "updated body"})
    assert (edited.status, edited.json["data"]["text"]) == (200, "updated body")
    unsent = await client.post(f"{path}/unsend")
    assert unsent.status == 200
    assert (await read(client, path))["status"] == "unsent"


async def test_13_only_what_failed_is_retried(client: Caller, worker: SandboxWorker) -> None:
    good, bad = await sent(client), await sent(client, to=UNREACHABLE)
    await worker.work()
    failed = await client.get(f"/v1/messages/{bad['id']}")
    again = await client.post(f"/v1/messages/{bad['id']}/retry")

    golden("message_failed", failed.json)
    assert told(await client.post(f"/v1/messages/{good['id']}/retry")) == (409, "conflict")
    assert (again.status, again.json["data"]["id"], again.json["data"]["status"]) == (
        202,
        bad["id"],
        "queued",
    )


async def test_14_a_group_is_made_once(client: Caller, worker: SandboxWorker) -> None:
    body = {
        "from_handle": SANDBOX_LINE,
        "addresses": [CONTACT, SECOND],
        "message": "Hello both",
        "title": "Trip",
    }
    key = {"Idempotency-Key": "trip"}
    first = await client.post("/v1/chats", body, headers=key)
    again = await client.post("/v1/chats", body, headers=key)

    assert (first.status, first.json["data"]["is_group"], first.json["data"]["title"]) == (201, True, "Trip")
    assert (again.status, again.json["data"]["id"]) == (200, first.json["data"]["id"])
    golden("chat_group", first.json)
    for people in ([CONTACT], [f"+1555010{number:04}" for number in range(32)]):
        assert told(await client.post("/v1/chats", {**body, "addresses": people})) == (400, "invalid_request")
    assert told(await client.post("/v1/chats", {**body, "title": "x" * 101})) == (400, "invalid_request")
    assert told(await client.post("/v1/chats", {**body, "addresses": [CONTACT, "abc"]})) == (
        400,
        "invalid_handle",
    )
    assert told(await client.post("/v1/chats", {**body, "from_handle": "+18005551111"})) == (
        400,
        "invalid_from_handle",
    )


async def test_15_a_direct_chat_is_no_group(client: Caller, worker: SandboxWorker) -> None:
    path = f"/v1/chats/{(await sent(client))['conversation_id']}"

    assert told(await client.patch(path, {"title": "Trip"})) == (409, "not_a_group")
    assert told(await client.post(f"{path}/participants", {"handle": THIRD})) == (409, "not_a_group")
    assert told(await client.delete(f"{path}/participants/{quoted(THIRD)}")) == (409, "not_a_group")


async def test_15_a_group_lives_with_the_networks_verdict(client: Caller, worker: SandboxWorker) -> None:
    path = f"/v1/chats/{(await group(client))['id']}"
    renamed = await client.patch(path, {"title": "Holiday"})
    joined = await client.post(f"{path}/participants", {"handle": THIRD})
    left = await client.delete(f"{path}/participants/{THIRD}")

    assert (renamed.status, renamed.json["data"]["title"]) == (200, "Holiday")
    assert (joined.status, joined.json["data"]["participants"]) == (200, [CONTACT, SECOND, THIRD])
    assert (left.status, left.json["data"]["participants"]) == (200, [CONTACT, SECOND])


async def test_16_files_are_staged_together(client: Caller) -> None:
    body, headers = form(("a.txt", "text/plain", b"first"), ("b.txt", "text/plain", b"second"))
    answered = await client.post("/v1/attachments", body, headers=headers)

    assert answered.status == 201
    golden("attachments", answered.json)
    shown = await read(client, f"/v1/attachments/{answered.json['data'][0]['id']}")
    assert shown == answered.json["data"][0]


async def test_17_an_announced_file_is_put_and_sent(client: Caller, worker: SandboxWorker) -> None:
    announced = await client.post(
        "/v1/attachments/presign", {"filename": "a.txt", "content_type": "text/plain"}
    )
    data = announced.json["data"]
    early = await client.post("/v1/messages", {**SEND, "attachment_ids": [data["id"]]})
    put = await client.request(
        data["method"], data["upload_url"].removeprefix(BASE_URL), body=b"bytes", headers=data["headers"]
    )
    message = await sent(client, attachment_ids=[data["id"]])

    assert announced.status == 201
    golden("presign", announced.json)
    assert told(early) == (400, "invalid_attachments")
    assert put.status == 201, put.body
    assert [each["id"] for each in message["attachments"]] == [data["id"]]
    shown = await read(client, f"/v1/attachments/{data['id']}")
    assert (shown["message_id"], shown["size_bytes"]) == (message["id"], 5)


async def test_18_the_secret_is_shown_at_the_making_only(client: Caller) -> None:
    key = {"Idempotency-Key": "hook"}
    made = await client.post("/v1/webhooks", {"url": HOOK}, headers=key)
    again = await client.post("/v1/webhooks", {"url": HOOK}, headers=key)
    shown = await client.get(f"/v1/webhooks/{made.json['data']['id']}")
    listed = await client.get("/v1/webhooks")

    assert made.status == 201
    golden("webhook_made", made.json)
    assert (again.status, again.json["data"]) == (200, made.json["data"])
    assert made.json["data"]["secret"].startswith("whsec_")
    for answered in (shown, listed):
        assert answered.status == 200
        assert b"secret" not in answered.body
    assert listed.json["data"] == [shown.json["data"]]
    golden("webhook", shown.json)


EVIL = (
    "http://localhost/", "https://localhost:8443/x", "http://10.1.2.3/", "https://192.168.1.1/", "http://169.254.1.1/",
    "http://169.254.169.254/latest/meta-data", "https://[::1]/", "ftp://a.example/",
    "not a url", "",
)  # fmt: skip


@pytest.mark.parametrize("url", EVIL)
async def test_19_private_receivers_are_refused(client: Caller, url: str) -> None:
    made = await client.post("/v1/webhooks", {"url": HOOK})
    path = f"/v1/webhooks/{made.json['data']['id']}"

    assert told(await client.post("/v1/webhooks", {"url": url})) == (400, "invalid_url")
    assert told(await client.patch(path, {"url": url})) == (400, "invalid_url")
    assert (await read(client, path))["url"] == HOOK


async def test_20_rotation_gives_a_new_secret(client: Caller) -> None:
    made = (await client.post("/v1/webhooks", {"url": HOOK})).json["data"]
    rotated = await client.post(f"/v1/webhooks/{made['id']}/rotate-secret")

    assert rotated.status == 200
    assert rotated.json["data"]["secret"] != made["secret"]
    golden("webhook_made", rotated.json)


async def test_22_the_121st_request_of_a_minute_is_too_many(world: HubWorld, client: Caller) -> None:
    answers = [await client.get("/v1/numbers") for _ in range(120)]
    late = await client.get("/v1/numbers")
    native = await world.api.get("/v1/lines")
    world.clock.advance(60_000)
    later = await client.get("/v1/numbers")

    assert {each.status for each in answers} == {200}
    assert told(late) == (429, "rate_limited")
    assert late.headers["retry-after"] == "60"
    assert (native.status, later.status) == (200, 200)


async def test_22_a_key_may_have_another_limit(world: HubWorld) -> None:
    wish = KeyWish(name="few", scopes=frozenset({"lines:read"}), dialect="msgbubbles", requests_per_hour=1)
    few = world.api.with_token((await world.keys.create(wish)).text)
    answers: list[Answered] = [await few.get("/v1/numbers") for _ in range(2)]

    assert [each.status for each in answers] == [200, 429]
    assert json.loads(answers[1].body)["error"] == "rate_limited"
