"""What every event looks like to a receiver, field by field (contracts: blooio §4)."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.dialects.blooio.webhook_form import WRITERS, BlooioForm
from hub.rules.lanes import shard_of
from tests.dialects.blooio.asking import sent
from tests.dialects.blooio.goldens import check
from tests.dialects.blooio.test_official_client import PNG
from tests.flow.posting import Line as PostingLine
from tests.flow.posting import receiver
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.sandbox_worker import SandboxWorker

POLLED, NOBODY = "+15550100200", "+15550100404"
#: All names that the vendor has for what happens.
NAMES = {name for name, _ in WRITERS.values()} | {"poll.received"}


async def told(world: HubWorld) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Give all that the first webhook is sent: headers and body."""
    webhook = (await world.store.webhooks.all())[0]
    due = await world.store.hot.read(
        lambda tx: tx.due_deliveries(webhook.id, shard_of(webhook.id), world.clock.now_ms(), 200)
    )
    render = receiver(webhook, PostingLine(), forms={"blooio": BlooioForm()}).render
    posted = [render(each, world.clock.now_ms()) for each in due]
    return [
        (
            dict(line.split(": ", 1) for line in head.decode().split("\r\n")),
            msgspec.json.decode(body),
        )
        for head, body in posted
    ]


async def act(world: HubWorld, deed: str, **body: Any) -> dict[str, Any]:
    world.clock.advance(1)
    answered = await world.api.post(f"/v1/sandbox/{deed}", body)
    assert answered.status == 201, answered.body
    acted: dict[str, Any] = answered.json
    return acted


async def everything_happens(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    """Have each event that the vendor has a name for happen at least once."""
    worker.attend()
    said = await act(world, "say", contact=CONTACT, text="Hello")
    await sent(one, CONTACT, text="Hi")
    await sent(one, NOBODY, text="Anybody?")
    await worker.work()
    await act(world, "react", message_id=said["message_guid"], type="love")
    await act(world, "react", message_id=said["message_guid"], type="love", removed=True)
    await one.post(f"/v2/api/chats/{POLLED}/polls", {"title": "Lunch?", "options": ["Soup", "Salad"]})
    await worker.work()
    await act(world, "ask", contact=CONTACT, title="Tea?", options=["Yes", "No"])
    group = await one.post("/v2/api/groups", {"name": "Trip", "members": [CONTACT, "ann@example.com"]})
    path = f"/v2/api/groups/{group.json['group_id']}"
    await sent(one, group.json["group_id"], text="Hello both")
    await one.patch(path, {"name": "Holiday"})
    form = b'--x\r\nContent-Disposition: form-data; name="icon"\r\n\r\n' + PNG + b"\r\n--x--\r\n"
    await one.request(
        "POST", f"{path}/icon", body=form, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    await worker.work()


async def test_every_event_as_its_receiver_gets_it(
    world: HubWorld, one: Caller, worker: SandboxWorker
) -> None:
    await one.post(
        "/v2/api/webhooks", {"webhook_url": "https://receiver.example/hook", "webhook_type": "all"}
    )
    await everything_happens(world, one, worker)
    first: dict[str, dict[str, Any]] = {}
    for headers, body in await told(world):
        kind = (
            body["event"]
            + (".group" if body.get("is_group") else "")
            + f".{body.get('action', '')}".rstrip(".")
        )
        first.setdefault(kind, {**body, "received_at": 0} if "received_at" in body else body)
        assert headers["X-Blooio-Event"] == body["event"]
        assert headers["X-Blooio-Message-Id"] == body.get("message_id", body.get("poll_id", ""))

    assert {body["event"] for body in first.values()} == NAMES
    check("webhook_events", dict(sorted(first.items())))
