"""The webhook feed: registered by the bridge, believed only after a look, and made up for by the history."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.bluebubbles.webhooks import MOST_BODY_BYTES, BlueBubblesHooks
from hub.flow.bridge_kinds import HookReply, HookRequest
from tests.bridge.bluebubbles.harness import CONTACT, BlueBubblesHarness
from tests.worker.time_by_hand import eventually

HOOK = "https://hub.example/v1/bridge/hooks/brg_1/token"


async def post(bb: BlueBubblesHarness, body: bytes, method: str = "POST") -> HookReply:
    hooks = BlueBubblesHooks(bb.settings(feed="webhook"), bb.surroundings())
    request = HookRequest(method=method, url=HOOK, query=(), headers={}, body=body)
    return await hooks.receive(request)


def told(name: str, data: Any) -> bytes:
    return json.dumps({"type": name, "data": data}).encode()


async def test_the_bridge_registers_itself_once(bb: BlueBubblesHarness) -> None:
    bb.hook_url = HOOK
    bb.server.webhooks = [{"id": 9, "url": HOOK, "events": '["new-message"]', "created": 0}]
    bb.restarted(feed="webhook")
    for _ in range(2):
        async with bb.listening('{"at":1}') as seen:
            await seen.kind("line.status")

    assert [(hook["url"], hook["events"]) for hook in bb.server.webhooks] == [(HOOK, ["*"])]
    assert bb.server.asked.count("POST /webhook") == 1
    assert bb.server.connects == 0


async def test_what_is_told_is_what_the_server_has(bb: BlueBubblesHarness) -> None:
    row = bb.mac.write(bb.chat, "true words", author=CONTACT)
    forged = {**bb.server.shown(row, is_notification=True), "text": "forged", "isFromMe": True}

    (seen,) = (await post(bb, told("new-message", forged))).observations

    assert (seen.kind, seen.actor) == ("message.received", CONTACT)
    assert seen.message is not None
    assert seen.message.parts[0].text == "true words"


async def test_a_message_that_nobody_has_is_none(bb: BlueBubblesHarness) -> None:
    reply = await post(bb, told("new-message", {"guid": "FORGED", "text": "pay me"}))

    assert (reply.status, reply.observations) == (200, ())


async def test_an_own_send_brings_its_attempt(bb: BlueBubblesHarness) -> None:
    row = bb.mac.write(bb.chat, "hi")
    data = {**bb.server.shown(row, is_notification=True), "tempGuid": "attempt"}

    (seen,) = (await post(bb, told("new-message", data))).observations

    assert seen.message is not None
    assert seen.message.attempt_id == "attempt"


async def test_what_cannot_be_looked_at_is_not_taken(bb: BlueBubblesHarness) -> None:
    bb.server.faults.broken = {"/message/": 503}
    row = bb.mac.write(bb.chat, "hi")
    reply = await post(bb, told("updated-message", bb.server.shown(row, chats=False)))

    assert (reply.status, reply.observations) == (503, ())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"type":7}', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b" " * (MOST_BODY_BYTES + 1), 400),
        (b'{"type":"new-message","data":null}', 200),
        (b'{"type":"no-such-thing","data":{}}', 200),
        (b'{"type":"hello-world","data":null}', 200),
    ],
    ids=range(10),
)
async def test_bad_bodies_are_answered(bb: BlueBubblesHarness, body: bytes, status: int) -> None:
    reply = await post(bb, body)

    assert (reply.status, reply.observations) == (status, ())


async def test_typing_needs_no_look(bb: BlueBubblesHarness) -> None:
    reply = await post(bb, told("typing-indicator", {"display": True, "guid": bb.chat}))

    assert [each.kind for each in reply.observations] == ["typing.started"]


async def test_lost_webhooks_are_found_in_the_history(bb: BlueBubblesHarness) -> None:
    bb.hook_url = HOOK
    bb.restarted(feed="webhook")
    async with bb.listening('{"at":1}') as seen:
        await seen.kind("line.status")
        bb.mac.write(bb.chat, "lost", author=CONTACT)
        bb.sleep.advance(300)
        await seen.kind("message.received")


async def test_webhooks_reach_the_bridge_as_the_server_sends_them(bb: BlueBubblesHarness) -> None:
    bb.hook_url = HOOK
    bb.restarted(feed="webhook")
    sent: list[bytes] = []
    bb.server.on_webhook = lambda url, body: sent.append(body)
    async with bb.listening('{"at":1}') as seen:
        await eventually(lambda: bb.server.webhooks)
        await seen.quiet()
        await bb.server.new_message(bb.mac.write(bb.chat, "hi", author=CONTACT))

    assert [each.kind for each in (await post(bb, sent[-1])).observations] == ["message.received"]
