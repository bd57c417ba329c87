"""One path, two surfaces: the key decides, and where only one has the path, the path."""

from __future__ import annotations

import pytest

from tests.dialects.msgbubbles.bubbles import FOREIGN, SEND, a_client, read, sent, staged, told
from tests.support.asgi import Answered, Caller
from tests.support.file_parts import BASE_URL
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

#: Both have them.
SHARED = ("/v1/messages", "/v1/chats", "/v1/webhooks", f"/v1/messages/{FOREIGN}", f"/v1/webhooks/{FOREIGN}")
THEIRS = ("/v1/numbers", "/v1/handles/availability", f"/v1/attachments/{FOREIGN}")
NATIVE = ("/v1/lines", "/v1/contacts", "/v1/events", "/v1/outbox?id=obx_0f2m4h8x0g001")
UNKNOWN_KEY = "sk_live_" + "x" * 32


def native(answered: Answered) -> tuple[int, str | None]:
    """Status and code of an error in the native envelope, which is checked."""
    assert set(answered.json) == {"error", "request_id"}, answered.json
    return answered.status, answered.code


async def test_the_same_path_answers_each_in_its_own_words(world: HubWorld, client: Caller) -> None:
    theirs = (await client.post("/v1/messages", SEND)).json
    ours = (await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hi"})).json

    assert set(theirs) == {"data", "request_id"}
    assert {"id", "status", "message_id"} <= set(ours)
    assert told(await client.post("/v1/messages", {"from": SANDBOX_LINE})) == (400, "invalid_request")
    assert native(await world.api.post("/v1/messages", SEND)) == (400, "missing_required_parameter")
    listed = {each["id"] for each in (await client.get("/v1/messages")).json["data"]}
    assert len(listed) == len((await world.api.get("/v1/messages")).json["data"]) == 2


@pytest.mark.parametrize("path", SHARED)
async def test_on_shared_paths_the_native_envelope_refuses_who_shows_no_key(
    world: HubWorld, path: str
) -> None:
    nobody, stranger = world.api.with_token(None), world.api.with_token(UNKNOWN_KEY)

    assert native(await nobody.get(path)) == (401, "missing_api_key")
    assert native(await stranger.get(path)) == (401, "invalid_api_key")


@pytest.mark.parametrize("path", THEIRS)
async def test_a_path_that_only_they_have_is_theirs_whatever_the_key(world: HubWorld, path: str) -> None:
    for token in (None, UNKNOWN_KEY, "sk_test_" + "x" * 32, "short"):
        assert told(await world.api.with_token(token).get(path)) == (401, "unauthorized")
    assert "error" not in (await world.api.get("/v1/numbers")).json


@pytest.mark.parametrize("path", NATIVE)
async def test_a_path_that_only_the_native_surface_has_is_its_own(
    world: HubWorld, client: Caller, path: str
) -> None:
    everything = await a_client(world, scopes=frozenset({"admin"}))
    answered = await everything.get(path)

    assert answered.status in {200, 404}
    assert "request_id" in answered.json
    if answered.status == 404:
        assert native(answered)[1] == "outbox_item_not_found"
    lacking = await client.get(path)
    assert lacking.status == 200 or native(lacking) == (403, "insufficient_scope")


async def test_what_nobody_has_is_told_in_the_words_of_the_key(world: HubWorld, client: Caller) -> None:
    assert told(await client.get("/v1/no-such-thing")) == (404, "not_found")
    assert native(await world.api.get("/v1/no-such-thing")) == (404, "route_not_found")
    assert native(await world.api.with_token(None).get("/v1/no-such-thing")) == (404, "route_not_found")


async def test_what_is_open_to_anybody_is_open_to_them(client: Caller) -> None:
    for path in ("/healthz", "/openapi.json", "/docs"):
        assert (await client.get(path)).status == 200


async def test_a_signed_address_works_with_their_key_beside_it(client: Caller) -> None:
    (file_id,) = await staged(client)
    shown = await read(client, f"/v1/attachments/{file_id}")

    assert (await client.get(shown["url"].removeprefix(BASE_URL))).body == b"file 0"


async def test_wrong_methods_name_the_right_ones(world: HubWorld, client: Caller) -> None:
    theirs = await client.request("PUT", "/v1/messages", body={})
    ours = await world.api.request("PUT", "/v1/messages", body={})
    alone = await world.api.with_token(None).request("DELETE", "/v1/numbers")

    assert told(theirs) == (405, "invalid_request")
    assert theirs.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert native(ours) == (405, "method_not_allowed")
    assert (told(alone), alone.headers["allow"]) == ((405, "invalid_request"), "GET, HEAD, OPTIONS")


async def test_a_method_that_only_the_native_surface_has_is_not_theirs(
    world: HubWorld, client: Caller
) -> None:
    """DELETE /v1/webhooks with a body is messages.dev's; of theirs the path decides first, then the key."""
    assert told(await client.delete("/v1/webhooks", {"id": "wh_0f2m4h8x0g001"})) == (405, "invalid_request")
    assert native(await world.api.delete("/v1/webhooks", {"id": "wh_0f2m4h8x0g001"})) == (
        404,
        "webhook_not_found",
    )


async def test_head_and_options_are_answered(client: Caller) -> None:
    head = await client.request("HEAD", "/v1/numbers")
    options = await client.request("OPTIONS", "/v1/numbers")
    missing = await client.request("HEAD", f"/v1/messages/{FOREIGN}")

    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "application/json")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (missing.status, missing.body) == (404, b"")


async def test_a_key_that_is_over_is_refused_in_their_words(world: HubWorld) -> None:
    """Revoked or expired: a key that is no longer good. Forbidden is one that is good and may not (checklist 2)."""
    made = (
        await world.api.post("/v1/keys", {"name": "b", "scopes": ["messages:read"], "dialect": "msgbubbles"})
    ).json
    expiring = await a_client(world, expires_at=world.clock.now_ms() + 1_000)
    client = world.api.with_token(made["api_key"])
    before = await client.get("/v1/messages")
    await world.api.delete(f"/v1/keys/{made['id']}")
    world.clock.advance(2_000)

    assert made["api_key"].startswith("sk_live_")
    assert before.status == 200
    for path in (*SHARED, *THEIRS):
        assert told(await client.get(path)) == (401, "unauthorized")
        assert told(await expiring.get(path)) == (401, "unauthorized")


async def test_ids_of_one_surface_are_not_those_of_the_other(world: HubWorld, client: Caller) -> None:
    message = await sent(client)
    (ours,) = (await world.api.get("/v1/messages")).json["data"]

    assert told(await client.get(f"/v1/messages/{ours['id']}")) == (400, "invalid_request")
    assert native(await world.api.get(f"/v1/messages/{message['id']}")) == (404, "message_not_found")
    assert told(await client.get(f"/v1/chats/{message['id']}")) == (404, "not_found")
    assert told(await client.get(f"/v1/messages/{message['conversation_id']}")) == (404, "not_found")
    assert (await client.get(f"/v1/messages/{message['id'].upper()}")).json["data"] == message


async def test_broken_requests_are_told_in_their_words(client: Caller) -> None:
    asked: tuple[tuple[str, bytes | None, dict[str, str], int], ...] = (
        ("/v1/messages", b"{", {}, 400),
        ("/v1/messages", b"[]", {}, 400),
        ("/v1/messages", b"", {}, 400),
        ("/v1/messages", b'{"to": "\\ud800"}', {}, 400),
        ("/v1/messages", b"{}", {"Content-Type": "text/xml"}, 415),
        ("/v1/messages", b" " * 70_000, {}, 413),
        ("/v1/messages", b"{}", {"Idempotency-Key": ""}, 400),
        ("/v1/attachments", b"raw", {"Content-Type": "image/png"}, 400),
        ("/v1/attachments", b"--", {"Content-Type": "multipart/form-data; boundary=x"}, 400),
        ("/v1/attachments", b"--", {"Content-Type": "multipart/form-data"}, 400),
    )
    for path, body, headers, status in asked:
        answered = await client.post(path, body, headers=headers)
        assert told(answered) == (status, "invalid_request"), (path, body)
    assert told(await client.get("/v1/messages/%ff")) == (400, "invalid_request")
    assert told(await client.get("/v1/messages?limit=%zz")) == (400, "invalid_request")
    for query in (
        "limit=0",
        "limit=101",
        "limit=ten",
        "before=yesterday",
        "before=2026-06-11",
        "limit=1&limit=2",
    ):
        assert told(await client.get(f"/v1/messages?{query}")) == (400, "invalid_request"), query
