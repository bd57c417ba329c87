"""The vendor's own client, unchanged: webhooks, logs, replays, and what is delivered (contracts: blooio §4, §10)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from blooio import APIStatusError, BadRequestError, Blooio, ConflictError, NotFoundError

from hub.dialects.blooio.webhook_form import TYPES, WRITERS, BlooioForm
from hub.dialects.blooio.webhooks import ENDED, ON_PURPOSE
from hub.flow.moved_webhooks import WAITS, WAS_OFF
from hub.flow.webhooks import BY_REQUEST
from hub.model.delivery import DeliveryState
from hub.rules.lanes import shard_of
from hub.worker.maintenance import EXPIRED
from tests.api.test_deliveries import finish
from tests.dialects.blooio.test_official_client import do
from tests.flow.posting import Line as PostingLine
from tests.flow.posting import receiver
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker
from tests.support.served import Served, served

HOOK = "https://receiver.example/hook"


@pytest.fixture
async def hub(world: HubWorld, worker: SandboxWorker) -> AsyncIterator[Served]:
    """A hub on a port whose bridge performs what somebody waits for."""
    worker.attend()
    async with served(world) as serving:
        yield serving


@pytest.fixture
def client(hub: Served, both: Caller) -> Blooio:
    """The client as a customer makes it, but for the address."""
    return Blooio(base_url=f"{hub.url}/v2/api", api_key=both.token or "", max_retries=0)


async def registered(client: Blooio, kind: Any = "message") -> tuple[str, str]:
    """Register a webhook; give its id and secret."""
    made = await do(lambda: client.webhooks.create(webhook_url=HOOK, webhook_type=kind))
    extra: dict[str, Any] = made.model_extra or {}
    return made.webhook_id or "", extra["signing_secret"]


async def posted(
    world: HubWorld, *, at_ms: int | None = None
) -> tuple[dict[str, str], dict[str, Any], bytes]:
    """Give what the first webhook receives first: headers, body, and the body's bytes."""
    webhook = (await world.store.webhooks.all())[0]
    now_ms = world.clock.now_ms() if at_ms is None else at_ms
    due = await world.store.hot.read(
        lambda tx: tx.due_deliveries(webhook.id, shard_of(webhook.id), world.clock.now_ms(), 9)
    )
    head, body = receiver(webhook, PostingLine(), forms={"blooio": BlooioForm()}).render(due[0], now_ms)
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return lines, msgspec.json.decode(body), body


def signature(secret: str, seconds: int, body: bytes) -> str:
    """As the vendor's documents have receivers compute it."""
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


async def test_18_registering(client: Blooio) -> None:
    webhook_id, secret = await registered(client)
    again = await do(lambda: client.webhooks.create(webhook_url=HOOK))
    listed = await do(client.webhooks.list)
    shown = await do(lambda: client.webhooks.retrieve(webhook_id))

    assert re.fullmatch(r"wh_[a-zA-Z0-9]+", webhook_id)
    assert secret.startswith("whsec_")
    assert (again.webhook_id, again.message) == (webhook_id, "This URL is already subscribed.")
    assert "signing_secret" not in (again.model_extra or {})
    assert listed.webhooks == [shown]
    assert secret not in str(listed.to_dict())
    assert (shown.webhook_url, shown.webhook_type, shown.valid_until) == (HOOK, "message", -1)
    assert (shown.is_active, shown.failure_count, shown.last_triggered) == (True, 0, None)
    assert shown.api_key_name == "blooio"
    with pytest.raises(BadRequestError):
        await do(lambda: client.webhooks.create(webhook_url="http://receiver.example/hook"))
    with pytest.raises(NotFoundError):
        await do(lambda: client.webhooks.retrieve("wh_0000000000000"))


async def test_18_the_sixty_fifth_is_one_too_many(world: HubWorld, api: Caller) -> None:
    for number in range(64):
        made = await api.post("/v2/api/webhooks", {"webhook_url": f"https://receiver.example/{number}"})
        assert made.status == 201, made.body
    refused = await api.post("/v2/api/webhooks", {"webhook_url": "https://receiver.example/64"})

    assert (refused.status, refused.json["code"]) == (409, "webhook_limit_reached")
    assert refused.headers["x-should-retry"] == "false"


async def test_18_a_key_with_one_number_hears_of_that_number(
    world: HubWorld, one: Caller, api: Caller
) -> None:
    made = await one.post("/v2/api/webhooks", {"webhook_url": HOOK})
    again = await one.post("/v2/api/webhooks", {"webhook_url": HOOK})
    everywhere = await api.post("/v2/api/webhooks", {"webhook_url": "https://receiver.example/all"})
    await world.say("Elsewhere", line=world.other_line)
    await world.say("Here")
    told = (await world.api.get(f"/v1/deliveries?webhook_id={made.json['webhook_id']}")).json["data"]

    assert (made.status, made.json["scope"]) == (201, "api_key")
    assert (again.status, again.json["scope"], again.json["webhook_id"]) == (
        200,
        "api_key",
        made.json["webhook_id"],
    )
    assert "signing_secret" not in again.json
    assert everywhere.json["scope"] == "organization"
    assert len(told) == 1
    shown = (await one.get("/v2/api/webhooks")).json["webhooks"]
    assert [each["webhook_id"] for each in shown] == [made.json["webhook_id"]]
    assert (await one.get(f"/v2/api/webhooks/{everywhere.json['webhook_id']}")).status == 404


async def test_18_webhooks_of_other_forms_are_not_there(world: HubWorld, client: Blooio) -> None:
    native = await world.webhook()

    assert (await do(client.webhooks.list)).webhooks == []
    with pytest.raises(NotFoundError):
        await do(lambda: client.webhooks.delete(native["id"]))


async def test_19_a_delivery_is_signed(world: HubWorld, client: Blooio) -> None:
    _, secret = await registered(client)
    await world.say("Hello")
    headers, body, content = await posted(world, at_ms=1_710_000_000_999)

    assert headers["X-Blooio-Event"] == "message.received"
    assert headers["X-Blooio-Message-Id"] == body["message_id"]
    assert headers["X-Blooio-Signature"] == f"t=1710000000,v1={signature(secret, 1_710_000_000, content)}"
    assert "X-Blooio-Replay" not in headers


async def test_20_what_came_in_is_one_flat_object(world: HubWorld, client: Blooio) -> None:
    await registered(client)
    await world.say("Hello")
    _, body, _ = await posted(world)

    now = world.clock.now_ms()
    assert {**body, "message_id": "", "received_at": 0} == {
        "event": "message.received",
        "message_id": "",
        "external_id": CONTACT,
        "internal_id": SANDBOX_LINE,
        "status": "received",
        "protocol": "imessage",
        "timestamp": now,
        "is_group": False,
        "group_id": None,
        "group_name": None,
        "participants": None,
        "text": "Hello",
        "attachments": [],
        "sender": CONTACT,
        "received_at": 0,
    }
    assert now - 60_000 < body["received_at"] <= now


async def test_21_types_choose(world: HubWorld, client: Blooio, worker: SandboxWorker) -> None:
    await registered(client, "status")
    await world.say("Hello")
    await do(lambda: client.chats.messages.send(CONTACT, text="Hi"))
    await worker.work()
    told = (await world.api.get("/v1/deliveries?limit=100")).json["data"]

    assert {each["event_type"] for each in told} == {"message.sent", "message.delivered", "message.read"}


async def test_21_a_failure_tells_why(world: HubWorld, client: Blooio, worker: SandboxWorker) -> None:
    await registered(client, "status")
    await do(lambda: client.chats.messages.send("+15550100404", text="Hi", from_number=SANDBOX_LINE))
    await worker.work()
    headers, body, _ = await posted(world)

    assert (headers["X-Blooio-Event"], body["status"]) == ("message.failed", "failed")
    assert body["error_code"]


async def test_22_a_rotation_ends_the_old_secret(world: HubWorld, client: Blooio) -> None:
    webhook_id, old = await registered(client)
    first = await do(lambda: client.webhooks.secret.rotate(webhook_id))
    second = await do(lambda: client.webhooks.secret.rotate(webhook_id))
    await world.say("Hello")
    headers, _, content = await posted(world)
    stamp, _, signed = headers["X-Blooio-Signature"].partition(",v1=")
    seconds = int(stamp.removeprefix("t="))

    assert (first.rotation_count, second.rotation_count, second.rotated_by) == (1, 2, "blooio")
    assert signed == signature(second.signing_secret or "", seconds, content)
    assert signed != signature(old, seconds, content)
    assert isinstance(second.rotated_at, int)


async def test_23_a_webhook_is_paused_and_goes_on(world: HubWorld, client: Blooio) -> None:
    webhook_id, _ = await registered(client)
    await world.say("before")
    paused = await do(lambda: client.webhooks.update(webhook_id, deprecate=True))
    await world.say("meanwhile")
    logs = await do(lambda: client.webhooks.logs.list(webhook_id))
    again = await do(lambda: client.webhooks.update(webhook_id, deprecate=False))

    assert (paused.is_active, paused.deprecated_at) == (False, world.clock.now_ms() - 1)
    assert (again.is_active, again.deprecated_at) == (True, None)
    assert logs.logs
    states = {each["status"] for each in (await world.api.get("/v1/deliveries")).json["data"]}
    assert states == {"pending", "held"}


async def test_23_a_webhook_ends_when_it_shall(world: HubWorld, client: Blooio) -> None:
    webhook_id, _ = await registered(client)
    end = world.clock.now_ms() + 60_000
    ending = await do(lambda: client.webhooks.update(webhook_id, valid_until=end, webhook_type="all"))
    lasting = await do(lambda: client.webhooks.update(webhook_id, valid_until=-1))

    assert (ending.valid_until, ending.webhook_type) == (end, "all")
    assert (lasting.valid_until, lasting.webhook_type) == (-1, "all")
    native = (await world.api.get(f"/v1/webhooks/{webhook_id}")).json
    assert sorted(native["events"]) == sorted(WRITERS)


async def test_24_logs_page_and_filter(world: HubWorld, client: Blooio) -> None:
    webhook_id, _ = await registered(client)
    for text in ("one", "two", "three"):
        await world.say(text)
    await finish(world, DeliveryState.DEAD)
    whole = await do(lambda: client.webhooks.logs.list(webhook_id, sort="asc"))
    page = await do(lambda: client.webhooks.logs.list(webhook_id, limit=2, offset=1))
    bad = await do(lambda: client.webhooks.logs.list(webhook_id, min_status=500, max_status=599))
    exact = await do(lambda: client.webhooks.logs.list(webhook_id, status=404))
    shown = await do(lambda: client.webhooks.retrieve(webhook_id))

    assert whole.logs
    assert [each.event_body.text for each in whole.logs if each.event_body] == ["one", "two", "three"]
    assert page.pagination
    assert page.pagination.to_dict() == {
        "limit": 2,
        "offset": 1,
        "total": 3,
        "returned": 2,
        "has_more": False,
    }
    assert bad.logs
    assert all(each.response_status == 500 for each in bad.logs)
    assert exact.logs == []
    assert shown.failure_count == len(bad.logs)
    assert isinstance(shown.last_triggered, int)


async def test_24_a_replay_says_so(world: HubWorld, client: Blooio) -> None:
    webhook_id, _ = await registered(client)
    await world.say("Hello")
    await finish(world, DeliveryState.DEAD)
    logs = (await do(lambda: client.webhooks.logs.list(webhook_id))).logs or []
    event_id = logs[0].event_id or ""
    seen: list[dict[str, str]] = []

    async def attempt(seconds: float) -> None:
        if not seen:
            seen.append((await posted(world))[0])
            await finish(world, DeliveryState.SUCCEEDED, number=2, status=200)

    world.naps.meanwhile = attempt
    replayed = await do(lambda: client.webhooks.logs.replay(event_id, webhook_id=webhook_id))
    log = ((await do(lambda: client.webhooks.logs.list(webhook_id))).logs or [])[0]

    assert (replayed.success, replayed.original_event_id) == (True, event_id)
    assert replayed.replay_event_id != event_id
    assert replayed.webhook_url == HOOK
    assert (seen[0]["X-Blooio-Replay"], seen[0]["X-Original-Event-Id"]) == ("true", event_id)
    assert log.metadata
    assert (log.metadata.is_replay, log.metadata.original_event_id) == (True, event_id)
    with pytest.raises(NotFoundError):
        await do(lambda: client.webhooks.logs.replay("dlv_0000000000000", webhook_id=webhook_id))


async def test_24_a_replay_without_an_answer_in_time_is_told(world: HubWorld, client: Blooio) -> None:
    webhook_id, _ = await registered(client)
    await world.say("Hello")
    await finish(world, DeliveryState.DEAD)
    event_id = ((await do(lambda: client.webhooks.logs.list(webhook_id))).logs or [])[0].event_id or ""
    with pytest.raises(APIStatusError) as refused:
        await do(lambda: client.webhooks.logs.replay(event_id, webhook_id=webhook_id))

    assert refused.value.status_code == 503


async def test_deleting(client: Blooio) -> None:
    webhook_id, _ = await registered(client)
    gone = await do(lambda: client.webhooks.delete(webhook_id))

    assert (gone.success, gone.message) == (True, "Webhook deleted")
    assert (await do(client.webhooks.list)).webhooks == []
    with pytest.raises(NotFoundError):
        await do(lambda: client.webhooks.secret.rotate(webhook_id))


async def test_a_paused_webhook_replays_nothing(world: HubWorld, client: Blooio) -> None:
    webhook_id, _ = await registered(client)
    await world.say("Hello")
    await finish(world, DeliveryState.DEAD)
    event_id = ((await do(lambda: client.webhooks.logs.list(webhook_id))).logs or [])[0].event_id or ""
    await do(lambda: client.webhooks.update(webhook_id, deprecate=True))
    with pytest.raises(ConflictError):
        await do(lambda: client.webhooks.logs.replay(event_id, webhook_id=webhook_id))


def test_every_type_tells_what_has_a_name() -> None:
    assert set(TYPES["all"]) == set(WRITERS) == BlooioForm().event_types
    assert all(set(types) <= set(WRITERS) for types in TYPES.values())


def test_the_native_reasons_are_known() -> None:
    assert all(reason.startswith(ON_PURPOSE) for reason in (BY_REQUEST, WAITS, WAS_OFF))
    assert EXPIRED.startswith(ENDED)
