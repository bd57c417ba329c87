"""The acceptance checklist of contracts: messages.dev §9, lines 21 to 23 and 25: what webhooks receive.

Line 25 needs the vendor's SDK; here its calls are made one after the other, and what it verifies is.
"""

from __future__ import annotations

import hmac
import json
import re
from typing import Any

from hub.rules.lanes import shard_of
from hub.rules.signing import NativeSigner
from tests.api.test_checklist import FILE, SEND
from tests.flow.posting import Line as PostingLine
from tests.flow.posting import receiver
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker


def test_21_parity_vector() -> None:
    expected = "42b9ff8446017f9eba94c7f0cb68470eda2ff9ff523fedd917060a2ddb3f6ebe"

    assert hmac.new(b"whsec_abc", b'1710000000000.{"a":1}', "sha256").hexdigest() == expected
    assert NativeSigner("whsec_abc").sign(1_710_000_000_000, b'{"a":1}').decode() == expected


async def delivered(world: HubWorld, at_ms: int) -> tuple[dict[str, str], bytes]:
    """Give what the first webhook receives first, as an attempt at that moment sends it."""
    webhook = (await world.store.webhooks.all())[0]
    shard = shard_of(webhook.id)
    due = await world.store.hot.read(lambda tx: tx.due_deliveries(webhook.id, shard, at_ms, 1))
    compiled = receiver(webhook, PostingLine())
    head, body = compiled.render(due[0], at_ms)
    static = {name.decode(): value.decode() for name, value in compiled.target[1]}
    return static | dict(line.split(": ", 1) for line in head.decode().split("\r\n")), body


def verify_webhook(body: bytes, header: str, secret: str, now_ms: int) -> dict[str, Any]:
    """What the vendor's SDK does (contracts: messages.dev §6)."""
    document: dict[str, Any] = json.loads(body)
    timestamp = document["timestamp"]
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, "sha256").hexdigest()
    assert hmac.compare_digest(signed, header)
    assert abs(now_ms - timestamp) <= 300_000
    data = document["data"]
    named = {"id", "chat_id", "guid", "sender", "attachments", "is_from_me", "sent_at", "line_handle"}
    assert all(data[name] is not None for name in named)
    return document


async def test_22_a_delivery_of_message_sent(world: HubWorld) -> None:
    webhook = await world.webhook(events=["message.sent"])
    await world.api.post("/v1/messages", SEND)
    await SandboxWorker(world).work()
    now_ms = world.clock.now_ms()
    headers, body = await delivered(world, now_ms)
    document = verify_webhook(body, headers["X-Webhook-Signature"], webhook["secret"], now_ms)

    assert headers["Content-Type"] == "application/json"
    assert re.fullmatch("[0-9a-f]{64}", headers["X-Webhook-Signature"])
    assert headers["X-Webhook-Timestamp"] == str(document["timestamp"])
    assert headers["X-Webhook-Delivery-Id"] == document["delivery_id"]
    assert document["delivery_id"].startswith("dlv_")
    assert document["event"] == "message.sent"
    data = document["data"]
    assert (data["line_handle"], data["attachments"], data["is_from_me"]) == (SANDBOX_LINE, [], True)


async def test_23_a_retry_is_signed_anew_under_the_same_delivery_id(world: HubWorld) -> None:
    webhook = await world.webhook(events=["message.received"])
    await world.say("Hi")
    now_ms = world.clock.now_ms()
    first, retry = [await delivered(world, at_ms) for at_ms in (now_ms, now_ms + 5_000)]
    seen = [
        verify_webhook(body, headers["X-Webhook-Signature"], webhook["secret"], at_ms)
        for (headers, body), at_ms in ((first, now_ms), (retry, now_ms + 5_000))
    ]

    assert [document["timestamp"] for document in seen] == [now_ms, now_ms + 5_000]
    assert seen[0]["delivery_id"] == seen[1]["delivery_id"]
    assert first[0]["X-Webhook-Signature"] != retry[0]["X-Webhook-Signature"]


async def test_25_the_calls_of_the_sdk(world: HubWorld) -> None:
    """Create webhook, upload, start typing, send text and file, verify, list, react to the newest, delete."""
    worker, place = SandboxWorker(world), {"from": SANDBOX_LINE, "to": CONTACT}
    await world.say("Hi")
    webhook = await world.webhook(**{"from": SANDBOX_LINE, "events": ["message.sent"]})
    uploaded = await world.api.post("/v1/files", b"hello", headers=FILE)
    typing = await world.api.post("/v1/typing", place)
    made = await world.api.post(
        "/v1/messages", {**place, "text": "Here", "attachments": [uploaded.json["id"]]}
    )
    await worker.work()
    headers, body = await delivered(world, world.clock.now_ms())
    document = verify_webhook(body, headers["X-Webhook-Signature"], webhook["secret"], world.clock.now_ms())
    listed = await world.api.get(f"/v1/messages?from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}&limit=1")
    newest = listed.json["data"][0]
    reacted = await world.api.post("/v1/reactions", {**place, "message_id": newest["id"], "type": "love"})
    deleted = await world.api.delete("/v1/webhooks", {"id": webhook["id"]})

    assert [each.status for each in (typing, made, reacted, deleted)] == [201, 201, 201, 200]
    assert all(each.json["status"] == "pending" for each in (typing, made, reacted))
    assert (document["data"]["text"], newest["id"]) == ("Here", document["data"]["id"])
    assert [each["filename"] for each in document["data"]["attachments"]] == ["a.txt"]
