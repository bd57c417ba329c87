"""What receivers get, byte by byte; and what becomes of webhooks that clients register."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox import contacts
from hub.dialects.msgbubbles.event_names import EVENTS, NAMES, native_events, vendor_events
from hub.dialects.msgbubbles.webhooks import FORM
from hub.flow.event_shapes import SHAPES
from hub.flow.rows import DueDelivery
from hub.model.ids import first_id_at
from hub.rules.lanes import shard_of
from hub.rules.signing import InvalidSecret, Secret
from tests.dialects.msgbubbles.bubbles import (
    BY_SMS,
    SECOND,
    UUID,
    a_client,
    golden,
    group,
    read,
    sent,
    told,
)
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker
from tests.support.webhooks import a_webhook

HOOK = "https://receiver.example/hook"
AT = 1_781_202_064_000
SECRET = Secret.from_bytes(b"s" * 32).text
EVENTS_GOLDEN = Path(__file__).parents[2] / "golden" / "events"


def due(event_type: str, data: str, *, attempt: int = 0) -> DueDelivery:
    return DueDelivery(first_id_at(AT) + 7, first_id_at(AT), 3, attempt, event_type, data)


def received(delivery: DueDelivery, now_ms: int, *, secret: str = SECRET) -> tuple[dict[str, str], Any]:
    """What one attempt sends; the signature is checked as a receiver would, without our code."""
    head, body = FORM.compile(a_webhook(), [secret])(delivery, now_ms)
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    signed = headers["X-Webhook-Timestamp"].encode() + b"." + body
    assert hmac.new(secret.encode(), signed, "sha256").hexdigest() == headers["X-Webhook-Signature"]
    return headers, json.loads(body)


def told_in(event_type: str) -> str:
    """The native data of an event, as the hub's own golden files have it."""
    return json.dumps(json.loads((EVENTS_GOLDEN / f"{event_type}.json").read_text()))


@pytest.mark.parametrize("event_type", sorted([*NAMES, "webhook.test"]))
def test_each_event_is_told_as_it_is_kept(event_type: str) -> None:
    headers, document = received(due(event_type, told_in(event_type)), AT + 5)

    golden(f"delivery_{event_type}", document)
    assert headers["X-Webhook-Event"] == document["event"]
    assert UUID.fullmatch(headers["X-Webhook-Delivery-Id"])
    assert document["created_at"] == "2026-06-11T18:21:04.000Z"


def test_a_retry_is_the_same_event_signed_anew() -> None:
    first, again = (
        received(due("message.sent", told_in("message.sent"), attempt=n), AT + n * 5_000) for n in (0, 1)
    )

    assert first[1] == again[1]
    assert first[0]["X-Webhook-Delivery-Id"] == again[0]["X-Webhook-Delivery-Id"]
    assert first[0]["X-Webhook-Signature"] != again[0]["X-Webhook-Signature"]


def test_only_the_newest_secret_signs() -> None:
    newest = Secret.from_bytes(b"n" * 32).text
    delivery = due("message.sent", told_in("message.sent"))
    head, body = FORM.compile(a_webhook(), [newest, SECRET])(delivery, AT)

    expected = hmac.new(newest.encode(), b"%d." % AT + body, "sha256").hexdigest()
    assert head.count(b"Signature") == 1
    assert expected.encode() in head


def test_a_secret_of_ones_own_must_be_able_to_sign() -> None:
    FORM.check_secret(SECRET)
    with pytest.raises(InvalidSecret):
        FORM.check_secret("short")


def test_the_names_are_those_of_native_types() -> None:
    assert set(NAMES) <= set(SHAPES)
    assert FORM.event_types == frozenset(NAMES)


def test_events_are_named_there_and_back() -> None:
    for name in EVENTS:
        assert vendor_events(native_events([name])) == [name]
    assert vendor_events(native_events([])) == list(EVENTS)


async def deliveries(world: HubWorld) -> list[Any]:
    """What the only webhook receives, oldest first, checked with its secret."""
    (webhook,) = await world.store.webhooks.all()
    later = world.clock.now_ms() + 10_000
    rows = await world.store.hot.read(
        lambda tx: tx.due_deliveries(webhook.id, shard_of(webhook.id), later, 100)
    )
    ordered = sorted(rows, key=lambda each: each.event_id)
    return [received(each, later, secret=webhook.secrets[0].text)[1] for each in ordered]


async def test_21_every_change_of_status_is_one_delivery(
    world: HubWorld, client: Caller, worker: SandboxWorker
) -> None:
    """The body is the event itself, no `{data, request_id}`."""
    await client.post("/v1/webhooks", {"url": HOOK})
    message = await sent(client)
    await worker.work()
    told_of = await deliveries(world)

    assert [each["event"] for each in told_of] == ["message.sent", "message.delivered", "message.read"]
    assert [each["data"]["status"] for each in told_of] == ["sent", "delivered", "read"]
    assert {each["data"]["id"] for each in told_of} == {message["id"]}
    assert all(set(each) == {"event", "data", "created_at", "id"} for each in told_of)
    shown = await read(client, f"/v1/messages/{message['id']}")
    last = {name: value for name, value in told_of[-1]["data"].items() if not name.endswith("_handle")}
    assert last == shown
    assert (shown["channel"], shown["created_at"]) == ("imessage", message["created_at"])


async def test_20_the_next_delivery_is_signed_with_the_new_secret_only(
    world: HubWorld, client: Caller
) -> None:
    made = (await client.post("/v1/webhooks", {"url": HOOK})).json["data"]
    rotated = (await client.post(f"/v1/webhooks/{made['id']}/rotate-secret")).json["data"]
    await world.say("Hi")
    (webhook,) = await world.store.webhooks.all()
    live = [
        each.text
        for each in webhook.secrets
        if (each.expires_at or world.clock.now_ms() + 1) > world.clock.now_ms()
    ]

    assert live == [rotated["secret"]]
    (told_of,) = await deliveries(world)
    assert (told_of["event"], told_of["data"]["text"]) == ("message.received", "Hi")


async def test_who_wrote_to_whom_is_told(world: HubWorld, client: Caller, worker: SandboxWorker) -> None:
    await client.post("/v1/webhooks", {"url": HOOK, "events": ["message.received", "message.sent"]})
    await world.say("Hi")
    await sent(client)
    await worker.perform()
    await group(client, CONTACT, SECOND)
    await worker.work()
    told_of = [each["data"] for each in await deliveries(world)]

    assert [(each["from_handle"], each["remote_handle"], each["sender_handle"]) for each in told_of] == [
        (SANDBOX_LINE, CONTACT, CONTACT),
        (SANDBOX_LINE, CONTACT, SANDBOX_LINE),
        (SANDBOX_LINE, None, SANDBOX_LINE),
    ]


async def test_a_webhook_is_changed_and_deleted(client: Caller) -> None:
    made = (await client.post("/v1/webhooks", {"url": HOOK, "events": ["message.reaction"]})).json["data"]
    path = f"/v1/webhooks/{made['id']}"
    changed = await client.patch(path, {"events": ["message.read", "message.sent"], "enabled": False})
    everything = await client.patch(path, {"events": None, "url": "https://b.example/"})
    nothing = await client.patch(path, {})
    gone = await client.delete(path)

    assert made["events"] == ["message.reaction"]
    assert (changed.json["data"]["events"], changed.json["data"]["enabled"]) == (
        ["message.sent", "message.read"],
        False,
    )
    assert everything.json["data"]["events"] == list(EVENTS)
    assert (nothing.json["data"]["url"], nothing.json["data"]["enabled"]) == ("https://b.example/", False)
    assert gone.json["data"] == {"id": made["id"], "deleted": True}
    assert told(await client.get(path)) == (404, "not_found")
    assert told(await client.delete(path)) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [{}, {"url": HOOK, "events": ["message.*"]}, {"url": HOOK, "events": "message.sent"}, {"url": HOOK, "from": "*"},
     {"url": HOOK, "events": [7]}, {"url": 7}, {"url": HOOK, "secret": "mine"}],
    ids=str,
)  # fmt: skip
async def test_what_cannot_be_registered_is_refused(client: Caller, body: dict[str, Any]) -> None:
    assert told(await client.post("/v1/webhooks", body)) == (400, "invalid_request")


async def test_webhooks_of_another_form_are_not_there(world: HubWorld, client: Caller) -> None:
    native = await world.webhook()
    mine = (await client.post("/v1/webhooks", {"url": HOOK})).json["data"]

    assert [each["id"] for each in (await client.get("/v1/webhooks")).json["data"]] == [mine["id"]]
    assert {each["form"] for each in (await world.api.get("/v1/webhooks?from=*")).json["data"]} == {
        "native",
        "msgbubbles",
    }
    everyone = {each["id"] for each in (await world.api.get("/v1/webhooks?from=*")).json["data"]}
    assert native["id"] in everyone


async def test_a_restricted_key_hears_its_own_number_only(world: HubWorld) -> None:
    one = await a_client(world, line_ids=frozenset({world.other_line.id}))
    both = await a_client(world, line_ids=frozenset({world.other_line.id, world.sandbox_line.id}))
    made = await one.post("/v1/webhooks", {"url": HOOK})
    await world.say("for the sandbox")
    await world.say("for the other", line=world.other_line)

    assert made.status == 201
    assert [each["data"]["text"] for each in await deliveries(world)] == ["for the other"]
    assert told(await both.post("/v1/webhooks", {"url": HOOK})) == (403, "forbidden")


async def test_a_cancelled_message_is_told_as_failed(world: HubWorld, client: Caller) -> None:
    await client.post("/v1/webhooks", {"url": HOOK})
    message = await sent(client, to=BY_SMS)
    (ours,) = (await world.api.get("/v1/messages")).json["data"]
    await world.api.post(f"/v1/messages/{ours['id']}/cancel")
    (told_of,) = await deliveries(world)

    assert (told_of["event"], told_of["data"]["error"]["code"]) == ("message.failed", "cancelled")
    assert (await read(client, f"/v1/messages/{message['id']}"))["status"] == "failed"


async def test_reactions_of_contacts_are_told_and_their_taking_back(
    world: HubWorld, client: Caller, worker: SandboxWorker
) -> None:
    """The vendor tells of contacts' reactions; our own are none of them."""
    await client.post("/v1/webhooks", {"url": HOOK, "events": ["message.reaction"]})
    message = await sent(client)
    await worker.work()
    assert (await client.post(f"/v1/messages/{message['id']}/react", {"reaction": "like"})).status == 200
    (ours,) = (await world.api.get("/v1/messages")).json["data"]
    scene = contacts.direct(SANDBOX_LINE, CONTACT)
    for number, is_removed in enumerate((False, True)):
        at = world.clock.now_ms() + number
        seen = contacts.react(scene, ours["guid"], "love", guid=f"r{number}", at=at, is_removed=is_removed)
        await world.observe(world.sandbox_line, seen)
    told_of = [each["data"] for each in await deliveries(world)]

    assert [(each["reaction"], each["removed"]) for each in told_of] == [("love", False), ("love", True)]
    assert {(each["message_id"], each["sender_handle"]) for each in told_of} == {(message["id"], CONTACT)}
