"""Lines 12 to 15 of the checklist of contracts: coop §10, and the form of webhooks for every event."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import pytest

from hub.api.dialect import webhook_forms
from hub.dialects.coop import DIALECT
from hub.dialects.coop.names import EVENTS
from hub.dialects.coop.webhook_form import CoopForm, body_of
from hub.dialects.registry import DIALECTS
from hub.flow.rows import DueDelivery
from hub.model.ids import Prefix, first_id_at, parse_id
from hub.rules.event_types import validate_pattern
from tests.dialects.coop.goldens import check
from tests.dialects.coop.mail import Letter, Mail
from tests.dialects.coop.test_checklist import error, send
from tests.flow.test_payloads import RENDERED
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.sandbox_worker import SandboxWorker
from tests.support.sightings import AT
from tests.support.webhooks import a_webhook

URL = "https://receiver.example/hook"
#: Any text can be a secret: spaces, umlauts, colons.
SECRET = "so: geheim wie möglich "


def hmac_sha256(key: bytes, message: bytes) -> str:
    """HMAC as RFC 2104 writes it down, out of nothing but SHA-256."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


async def register(api: Caller, **fields: Any) -> dict[str, Any]:
    answered = await api.post("/api/v1/webhooks", {"url": URL, "events": list(EVENTS), **fields})
    assert answered.status == 201, answered.body
    made: dict[str, Any] = answered.json
    return made


@pytest.mark.parametrize(
    ("key", "message", "expected"),
    [
        # RFC 4231, cases 2 and 6.
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_our_measure_is_right(key: bytes, message: bytes, expected: str) -> None:
    assert hmac_sha256(key, message) == expected


@pytest.mark.parametrize("secret", ["s", SECRET, "whsec_x", "k" * 200])
def test_12_the_signature_is_the_bare_hex_of_the_body(secret: str) -> None:
    due = DueDelivery(7, first_id_at(AT), 3, 0, "webhook.test", '{"message":"grüße"}')
    head, body = CoopForm().compile(a_webhook(form="coop"), [secret])(due, AT + 5)
    again = CoopForm().compile(a_webhook(form="coop"), [secret])(due, AT + 5_000)

    assert head.decode() == f"X-Webhook-Signature: {hmac_sha256(secret.encode(), body)}"
    assert again == (head, body)


async def test_12_a_delivery_is_signed_only_with_a_secret(world: HubWorld, api: Caller, mail: Mail) -> None:
    signed = await register(api, url="https://signed.example/", secret=SECRET)
    plain = await register(api, url="https://plain.example/")
    await world.say("Hi")
    await mail.deliver()
    by_url = {letter.url: letter for letter in mail.letters}
    letter = by_url["https://signed.example/"]

    assert set(signed) == {"id", "url", "events", "enabled", "createdAt"}
    assert (signed["events"], plain["enabled"]) == (list(EVENTS), True)
    assert letter.headers["X-Webhook-Signature"] == hmac_sha256(SECRET.encode(), letter.body)
    assert "X-Webhook-Signature" not in by_url["https://plain.example/"].headers
    check("webhook", signed)


async def test_13_what_a_delivery_holds(
    world: HubWorld, api: Caller, worker: SandboxWorker, mail: Mail
) -> None:
    await register(api)
    await world.say("Hi")
    sent = await send(api, to=CONTACT)
    await worker.work()
    world.clock.advance(1_000)
    await mail.deliver()
    (received,), (told,) = mail.of("message.received"), mail.of("message.sent")

    assert set(received.json) == {"event", "timestamp", "data"}
    assert received.json["data"].keys() >= {"id", "from", "body", "receivedAt", "conversationId"}
    assert received.json["data"]["id"].startswith("rmsg_")
    assert set(told.json["data"]) == {"id", "to", "from", "body", "status", "conversationId"}
    assert (told.json["data"]["id"], told.json["data"]["to"]) == (sent["id"], CONTACT)
    assert [letter.json["data"]["status"] for letter in mail.of("message.delivered")] == ["delivered"]
    assert [letter.json["data"]["status"] for letter in mail.of("message.queued")] == ["queued"]


async def test_14_a_toggle_stops_deliveries_and_another_one_resumes_them(
    world: HubWorld, api: Caller, mail: Mail
) -> None:
    path = f"/api/v1/webhooks/{(await register(api))['id']}"
    off = await api.request("PATCH", f"{path}/toggle")
    await world.say("one")
    await mail.deliver()
    while_off = list(mail.letters)
    on = await api.request("PATCH", f"{path}/toggle")
    await world.say("two")
    await mail.deliver()
    deleted = await api.delete(path)
    await world.say("three")
    await mail.deliver()

    assert (off.json["enabled"], on.json["enabled"], deleted.status) == (False, True, 200)
    assert while_off == []
    assert [letter.json["data"]["body"] for letter in mail.letters] == ["two"]
    assert error(await api.request("PATCH", f"{path}/toggle"), 404, "not_found")


async def test_15_a_failed_delivery_comes_again(world: HubWorld, api: Caller, mail: Mail) -> None:
    """The pauses are those of every webhook, and grow; here the first of them."""
    await register(api, secret="s")
    await world.say("Hi")
    mail.status = 500
    (first,) = await mail.deliver()
    at_once = await mail.deliver()
    world.clock.advance(first.finish.next_attempt_at - world.clock.now_ms())
    mail.status = 200
    (second,) = await mail.deliver()

    assert (first.is_success, at_once, second.is_success) == (False, [], True)
    assert first.finish.next_attempt_at - first.attempt.started_at == 5_000
    assert _bytes(mail.letters[0]) == _bytes(mail.letters[1])


def _bytes(letter: Letter) -> tuple[str, bytes]:
    return letter.headers["X-Webhook-Signature"], letter.body


@pytest.mark.parametrize("event_type", sorted([*EVENTS.values(), "webhook.test"]))
def test_every_event_has_its_form(event_type: str) -> None:
    due = DueDelivery(7, first_id_at(AT), 3, 0, event_type, RENDERED[event_type]())

    check(f"event.{event_type}", json.loads(body_of(due)))


def test_the_form_is_registered_and_tells_all_that_it_says() -> None:
    form = webhook_forms(DIALECTS)["coop"]

    assert form is DIALECT.webhook_form
    assert form.event_types == frozenset(EVENTS.values())
    assert [validate_pattern(each) for each in EVENTS.values()] == list(EVENTS.values())


async def test_a_webhook_is_listed_and_changed(world: HubWorld, api: Caller, mail: Mail) -> None:
    await world.webhook()
    made = await register(api, events=["relay.online"])
    path = f"/api/v1/webhooks/{made['id']}"
    changed = await api.request("PUT", path, body={"events": ["message.received"], "secret": "new"})
    listed = (await api.get("/api/v1/webhooks")).json["data"]
    await world.say("Hi")
    await mail.deliver()
    (letter,) = [letter for letter in mail.letters if letter.url == URL and "delivery_id" not in letter.json]

    assert changed.json == {**made, "events": ["message.received"]}
    assert listed == [changed.json]
    assert letter.headers["X-Webhook-Signature"] == hmac_sha256(b"new", letter.body)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"events": ["message.sent"]}, "url"),
        ({"url": URL}, "events"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["message.read"]}, "events[0]"),
        ({"url": URL, "events": ["*"]}, "events[0]"),
        ({"url": "http://10.0.0.1/", "events": ["message.sent"]}, "url"),
        ({"url": URL, "events": ["message.sent"], "secret": ""}, "secret"),
    ],
)
async def test_what_is_refused(api: Caller, body: dict[str, Any], named: str) -> None:
    answered = await api.post("/api/v1/webhooks", body)

    assert error(answered, 400, "validation_error")
    assert named in answered.json["message"]


async def test_native_webhooks_are_not_there(world: HubWorld, api: Caller) -> None:
    native = await world.webhook()
    answers = [
        await api.delete(f"/api/v1/webhooks/{native['id']}"),
        await api.request("PUT", f"/api/v1/webhooks/{native['id']}", body={}),
        await api.request("PATCH", f"/api/v1/webhooks/{native['id']}/toggle"),
    ]

    assert [error(each, 404, "not_found") for each in answers] == [True] * 3
    assert parse_id(Prefix.WEBHOOK, native["id"]) in (await world.directory.refresh()).webhooks


async def test_each_toggle_at_the_same_time_flips(api: Caller) -> None:
    path = f"/api/v1/webhooks/{(await register(api))['id']}/toggle"
    answered = await asyncio.gather(*(api.patch(path) for _ in range(3)))

    assert sorted(each.json["enabled"] for each in answered) == [False, False, True]
