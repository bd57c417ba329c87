"""What Twilio tells, taken in by a real hub: statuses that contradict each other, and numbers that nobody owns."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.networks import CONTACT, LINE
from tests.bridge.twilio.conftest import TwilioHarness
from tests.flow.test_send import due, sending
from tests.support.hub_world import HubWorld, open_world


async def sent(world: HubWorld, harness: TwilioHarness) -> tuple[str, str]:
    """Send one; give the message's id and Twilio's."""
    body = {"from": LINE, "to": CONTACT, "text": "hello"}
    message_id = (await world.api.post("/v1/messages", body)).json["message_id"]
    await sending(world).step(await due(world), world.sandbox_line, harness.adapter)
    return message_id, harness.twilio.messages[-1]["sid"]


async def told(world: HubWorld, harness: TwilioHarness, sid: str, *words: str) -> None:
    for word in words:
        code = 30008 if word in {"failed", "undelivered"} else None
        reply = await harness.hook(harness.twilio.progress(sid, word, code))
        await world.observe(world.sandbox_line, *reply.observations)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("delivered", "sent", "queued"), "delivered"),
        (("read", "delivered", "sent"), "read"),
        (("delivered", "undelivered"), "delivered"),
        (("delivered", "failed", "sent", "failed"), "delivered"),
        (("sent", "undelivered", "sent", "queued"), "failed"),
        (("undelivered", "delivered"), "delivered"),
    ],
)
async def test_contradicting_statuses_never_go_backwards(
    harness: TwilioHarness, tmp_path: Path, words: tuple[str, ...], status: str
) -> None:
    """What arrived has arrived, whatever a carrier says before or after."""
    async with open_world(tmp_path) as world:
        message_id, sid = await sent(world, harness)
        await told(world, harness, sid, *words)

        assert (await world.api.get(f"/v1/messages/{message_id}")).json["status"] == status


async def test_in_whatever_order_the_end_is_the_same(harness: TwilioHarness, tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        ends: set[Any] = set()
        for words in permutations(("sent", "delivered", "failed")):
            message_id, sid = await sent(world, harness)
            await told(world, harness, sid, *words)
            ends.add((await world.api.get(f"/v1/messages/{message_id}")).json["status"])

        assert ends == {"delivered"}


async def test_ten_files_and_no_words_are_one_message(harness: TwilioHarness, tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        for sender in (CONTACT, "VODAFONE", "55501"):
            request = harness.twilio.receive("", sender=sender, files=10)
            for _ in range(2):
                await world.observe(world.sandbox_line, *(await harness.hook(request)).observations)

        listed = (await world.api.get("/v1/messages?direction=inbound")).json["data"]
        assert [(each["sender"], each["text"], len(each["attachments"])) for each in listed] == [
            ("55501", None, 10),
            ("VODAFONE", None, 10),
            (CONTACT, None, 10),
        ]
