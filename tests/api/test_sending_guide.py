"""The commands in docs/sending.md do what the page says, each as it stands there and in its order."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import hub
from hub.api.message_sends import MOST_PARTS, MOST_TEXT, MOST_TEXTS, NewMessage
from hub.flow.adoption import DELIVERY_UNKNOWN
from hub.flow.outgoing import MOST_ATTEMPTS
from hub.flow.wishes import URGENT_PRIORITY
from hub.rules.message_status import MessageStatus
from tests.api.test_message_sends import message, sent
from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld
from tests.support.sandbox_worker import SandboxWorker

PAGE = (Path(hub.__file__).parent.parent / "docs" / "sending.md").read_text("utf-8")


def commands() -> list[str]:
    whole = PAGE.replace("\\\n", " ")
    return re.findall(r"^ {4}(curl .+)$", whole, re.MULTILINE)


async def run(world: HubWorld, command: str, values: dict[str, str]) -> Answered:
    """Do what a shell and curl would do."""
    for name in sorted(values, key=len, reverse=True):
        command = command.replace(f"${name}", values[name])
    words = shlex.split(command)
    headers = dict(word.split(": ", 1) for option, word in itertools.pairwise(words) if option == "-H")
    del headers["Authorization"]
    path = next(word for word in words if word.startswith("HUB/")).removeprefix("HUB")
    if "POST" not in words:
        return await world.api.get(path, headers=headers)
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
    return await world.api.post(path, body, headers=headers)


async def test_each_command_works(world: HubWorld) -> None:
    worker = SandboxWorker(world)
    await worker.tell_capabilities()
    ready = await sent(world, text="Your parcel is on its way")
    failed = await sent(world, text="Hi", to="+15550100404")
    await worker.work()
    values = {
        "HUB": "HUB",
        "HUB_KEY": "key",
        "TOMORROW": str(world.clock.now_ms() + 86_400_000),
        "SENT": ready["message_id"],
        "FAILED": failed["message_id"],
    }
    answers: list[tuple[str, Answered]] = []
    for command in commands():
        answered = await run(world, command, values)
        answers.append((command, answered))
        reply = answered.json
        if "order-17" in command:
            values |= {"MESSAGE": reply["message_id"], "OUTBOX": reply["id"]}
        elif "send_at" in command:
            values["PLANNED"] = reply["message_id"]
        elif "texts" in command:
            values["OF_A_SET"] = reply["items"][1]["message_id"]
        elif command.endswith("today\"}'"):
            await worker.work()
    await worker.work()

    assert [(command, each.body) for command, each in answers if each.status >= 300] == []
    assert len(answers) == 15
    assert (await message(world, values["SENT"]))["status"] == "unsent"
    assert (await message(world, values["PLANNED"]))["status"] == "cancelled"
    assert (await message(world, values["OF_A_SET"]))["status"] == "cancelled"


def test_the_page_names_what_there_is() -> None:
    """Each field, each status, and the bounds."""
    named = set(re.findall(r"`(\w+)`", PAGE))

    assert set(NewMessage.__struct_encode_fields__) <= named | {"from", "to"}
    assert {str(status) for status in MessageStatus} - {"received"} <= named
    assert f"up to {MOST_TEXT:,} characters" in PAGE
    assert f"`parts` (up to {MOST_PARTS}," in PAGE
    assert f"`texts` (up to {MOST_TEXTS})" in PAGE
    assert f"up to {MOST_ATTEMPTS} times" in PAGE
    assert f"Edits and unsends have {URGENT_PRIORITY}." in PAGE
    assert DELIVERY_UNKNOWN in named
