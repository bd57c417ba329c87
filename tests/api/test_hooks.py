"""POST /hooks/{name}: believed once, recorded durably, told to those who asked by name; all else is turned away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld, open_world
from tests.support.inbound_sources import SECRET

BODY = b'{"type":"invoice.paid","data":{"amount":4200}}'


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def tell(world: HubWorld, body: bytes = BODY, *, number: str = "msg_1", **changed: str) -> Answered:
    """Tell as a sender of Standard Webhooks does, with the official library."""
    at = datetime.fromtimestamp(world.clock.now_ms() // 1000, UTC)
    headers = {
        "webhook-id": number,
        "webhook-timestamp": str(world.clock.now_ms() // 1000),
        "webhook-signature": Webhook(SECRET).sign(number, at, body.decode()),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return await world.api.with_token(None).post("/hooks/payments", body, headers=headers)


async def events(world: HubWorld) -> list[dict[str, Any]]:
    answered = await world.api.get("/v1/events?type=source.*&order=asc")
    found: list[dict[str, Any]] = answered.json["data"]
    return found


async def test_what_is_told_is_an_event(world: HubWorld) -> None:
    answered = await tell(world)
    (event,) = await events(world)

    assert (answered.status, answered.body) == (200, b"")
    assert (event["type"], event["line_id"], event["chat_id"]) == ("source.received", None, None)
    assert event["data"] == {
        "source": "payments",
        "event": "invoice.paid",
        "source_event_id": "msg_1",
        "hook": None,
        "received_at": world.clock.now_ms(),
        "payload": {"type": "invoice.paid", "data": {"amount": 4200}},
    }


async def test_a_repeat_is_answered_alike_and_adds_nothing(world: HubWorld) -> None:
    answers = [await tell(world) for _ in range(3)]

    assert {each.status for each in answers} == {200}
    assert len(await events(world)) == 1


async def test_an_id_is_forgotten_after_its_time(world: HubWorld) -> None:
    await tell(world)
    world.clock.advance(7 * 86_400_000)
    await tell(world)

    assert len(await events(world)) == 2


async def test_webhooks_get_it_only_if_they_ask_by_name(world: HubWorld) -> None:
    await world.webhook(events=["*"])
    named = await world.webhook(events=["source.*"])
    await tell(world)
    (event,) = await events(world)
    answered = await world.api.get(f"/v1/events/{event['id']}/explain")

    assert {each["webhook_id"]: each["why"] for each in answered.json["data"]}[named["id"]] == "matched"
    assert sorted(each["why"] for each in answered.json["data"]) == ["matched", "other_type"]


async def test_a_bad_signature_is_401_and_echoes_nothing(world: HubWorld) -> None:
    answered = await tell(world, webhook_signature="v1,bm90IGl0")

    assert (answered.status, answered.code) == (401, "invalid_signature")
    assert b"4200" not in answered.body
    assert await events(world) == []


async def test_what_was_turned_away_is_kept_with_the_reason_and_masked(world: HubWorld) -> None:
    body = b'{"type":"invoice.paid","customer":"Annabelle Lee-Example","api_token":"hunter2"}'
    await tell(world, body, webhook_signature="v1,bm90IGl0")
    (kept,) = (await world.api.get("/v1/sources/payments/rejected")).json["data"]
    (source,) = (await world.api.get("/v1/sources")).json["data"]

    assert (kept["reason"], kept["method"], kept["body_bytes"]) == ("bad_signature", "POST", len(body))
    assert kept["body"] == '{"type":"invoice.paid","customer":"Annabelle Le…","api_token":"***"}'
    assert kept["headers"]["webhook-signature"] == "v1,b…"
    assert (source["rejected_count"], source["last_rejected_at"]) == (1, kept["rejected_at"])
    assert (source["url"], source["secret_count"]) == ("http://127.0.0.1:8080/hooks/payments", 1)


async def test_an_unknown_source_is_404(world: HubWorld) -> None:
    for path in ("/hooks/nobody", "/hooks/", "/hooks/payments/x"):
        answered = await world.api.post(path, BODY)
        assert (answered.status, answered.code) == (404, "source_not_found")


async def test_a_flood_of_forgeries_keeps_few(world: HubWorld) -> None:
    for _ in range(60):
        await tell(world, webhook_signature="v1,bm90IGl0")

    (source,) = (await world.api.get("/v1/sources")).json["data"]
    assert source["rejected_count"] == 20
