"""Whole answers, field by field, as the reference shows them (contracts: blooio §2, §3)."""

from __future__ import annotations

from tests.dialects.blooio.asking import sent
from tests.dialects.blooio.goldens import check
from tests.dialects.blooio.test_sends import FILE
from tests.outbound.receivers import answering, listening
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker


async def test_a_conversation(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    worker.attend()
    await world.api.post("/v1/contacts", {"name": "Ann Lee", "handles": [CONTACT]})
    await world.say("Do you have a cat?")
    async with listening(answering(FILE)) as source:
        answered = await sent(one, CONTACT, text="Yes:", attachments=[source.url("/cat.png")])
    await worker.work()
    chat = f"/v2/api/chats/{CONTACT}"
    path = f"{chat}/messages/{answered.json['message_id']}"
    await one.post(f"{path}/reactions", {"reaction": "+love"})
    await worker.work()

    check("send", answered.json)
    check("chats", (await one.get("/v2/api/chats")).json)
    check("chat", (await one.get(chat)).json)
    check("messages", (await one.get(f"{chat}/messages")).json)
    check("message", (await one.get(path)).json)
    check("message_status", (await one.get(f"{path}/status")).json)


async def test_a_group(world: HubWorld, one: Caller, worker: SandboxWorker) -> None:
    worker.attend()
    answered = await sent(one, f"{CONTACT},ann@example.com", text="Hello both")
    await worker.work()

    check("send_to_several", answered.json)
    check("group_chat", (await one.get(f"/v2/api/chats/{answered.json['group_id']}")).json)


async def test_several_messages(one: Caller) -> None:
    check("send_several", (await sent(one, text=["one", "two"])).json)


async def test_a_cancel(one: Caller) -> None:
    message_id = (await sent(one)).json["message_id"]

    check("cancel", (await one.delete(f"/v2/api/chats/+15551234567/messages/{message_id}")).json)


async def test_errors(world: HubWorld, one: Caller, both: Caller) -> None:
    path = "/v2/api/chats/+15551234567/messages"

    check("error_400", (await one.post(path, {})).json)
    check("error_401", (await world.api.with_token(None).get(path)).json)
    check("error_403", (await both.post(path, {"text": "Hello", "from_number": OTHER_LINE})).json)
    check("error_404", (await one.get(path)).json)
