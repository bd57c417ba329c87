"""What a beginner does wrong gets a hint, not only a refusal."""

from __future__ import annotations

import json

import pytest

from hub.api.openapi import described
from hub.api.openapi_document import build_document
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

SEND = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"}
DOCUMENT = build_document(described(), version="0")


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/v1/message", "/v1/messages"),
        ("/v1/messages/", "/v1/messages"),
        ("/v1/webhook", "/v1/webhooks"),
        ("/v1/Messages", "/v1/messages"),
        ("/v1/messages/msg_0e9k2m4q6r8st/cancell", "/v1/messages/{id}/cancel"),
    ],
)
async def test_a_path_that_is_nearly_one_is_told(world: HubWorld, path: str, near: str) -> None:
    answered = await world.api.get(path)

    assert (answered.status, answered.code) == (404, "route_not_found")
    assert f"Did you mean {near}?" in answered.json["error"]["message"]


async def test_a_path_that_is_like_none_is_not_guessed(world: HubWorld) -> None:
    message = (await world.api.get("/wp-login.php")).json["error"]["message"]

    assert message == "No endpoint has this path. /docs shows them all."


async def test_fields_that_nobody_reads_are_told(world: HubWorld) -> None:
    answered = await world.api.post("/v1/messages", {**SEND, "atachments": ["x"], "txt": 1})

    assert answered.status == 201
    assert answered.headers["x-ignored-fields"] == "atachments, txt"


async def test_names_that_no_header_can_hold_are_left_out(world: HubWorld) -> None:
    odd = {"a\r\nset-cookie: x": 1, "\u2603": 1, "x" * 65: 1}
    answered = await world.api.post("/v1/messages", {**SEND, **odd, "fine": 1})

    assert answered.status == 201
    assert answered.headers["x-ignored-fields"] == "fine"


async def test_a_body_without_a_slip_has_no_such_header(world: HubWorld) -> None:
    assert "x-ignored-fields" not in (await world.api.post("/v1/messages", SEND)).headers


@pytest.mark.parametrize("header", ["sk_live_abc", "Basic abc", "Bearer"])
async def test_a_key_without_bearer_is_told_the_form(world: HubWorld, header: str) -> None:
    caller = world.api.with_token(None)
    answered = await caller.get("/v1/lines", headers={"authorization": header})

    assert (answered.status, answered.code) == (401, "invalid_api_key")
    assert "'Authorization: Bearer sk_live_…'" in answered.json["error"]["message"]


async def test_a_browser_at_the_front_is_led_to_the_page(world: HubWorld) -> None:
    answered = await world.api.with_token(None).get("/")

    assert (answered.status, answered.headers["location"]) == (302, "/docs")


@pytest.mark.parametrize("scopes", [("lines:read",), ("messages:write",)])
async def test_refusals_tell_the_rate_too(world: HubWorld, scopes: tuple[str, ...]) -> None:
    caller = await world.caller(*scopes, requests_per_hour=2)
    answered = [await caller.get("/v1/lines") for _ in range(3)]

    assert [each.headers["x-ratelimit-remaining"] for each in answered] == ["1", "0", "0"]
    assert answered[2].status == 429
    assert int(answered[2].headers["retry-after"]) > 0


# ---- descriptions


def test_comments_above_fields_are_their_descriptions() -> None:
    fields = DOCUMENT["components"]["schemas"]["NewMessage"]["properties"]

    assert fields["send_at"]["description"].startswith("Unix ms, at most a year ahead")
    assert fields["reply_to"]["description"] == "A `msg_` id or the network's GUID."
    assert fields["to"]["description"].startswith("A phone number (E.164)")


def test_inherited_fields_have_theirs() -> None:
    fields = DOCUMENT["components"]["schemas"]["MessageReply"]["properties"]

    assert fields["actor"]["description"].startswith("Who did what the event says")


def test_pages_have_theirs() -> None:
    fields = DOCUMENT["components"]["schemas"]["Listed_ContactReply_"]["properties"]

    assert fields["next_cursor"]["description"].startswith("Give it as `cursor`")


def test_query_parameters_have_theirs() -> None:
    parameters = {each["name"]: each for each in DOCUMENT["paths"]["/v1/messages"]["get"]["parameters"]}

    assert parameters["since"]["description"] == "By `sent_at`: from then on."
    assert "description" not in parameters["since"]["schema"]


def test_tags_come_in_the_order_of_the_alphabet() -> None:
    names = [tag["name"] for tag in DOCUMENT["tags"]]

    assert names == sorted(names)
    assert "FaceTime" in json.dumps(DOCUMENT["tags"])
