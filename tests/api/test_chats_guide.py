"""docs/chats-and-groups.md: what it shows works as shown, on the sandbox line."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Any

from tests.api.test_groups import picture
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, HubWorld, line_id
from tests.support.sandbox_worker import SandboxWorker

GUIDE = (Path(__file__).parents[2] / "docs" / "chats-and-groups.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    curl (.+)$", GUIDE.replace("\\\n", ""), re.MULTILINE)


def read(command: str, names: dict[str, str]) -> tuple[str, str, bytes | None, dict[str, str]]:
    """Read a curl command: method, path, body and headers."""
    for name, value in names.items():
        command = command.replace(f"${name}", value)
    words = shlex.split(command)
    method = words[words.index("-X") + 1] if "-X" in words else ""
    body = words[words.index("-d") + 1].encode() if "-d" in words else None
    headers = dict(each.split(": ", 1) for flag, each in itertools.pairwise(words) if flag == "-H")
    headers.pop("Authorization")
    (url,) = [word for word in words if word.startswith("http://hub")]
    return method or ("GET" if body is None else "POST"), url.removeprefix("http://hub"), body, headers


async def test_every_command_works(world: HubWorld) -> None:
    worker = SandboxWorker(world)
    worker.attend()
    await world.say("Hi")
    chat: dict[str, Any] = (await world.api.get("/v1/chats")).json["data"][0]
    names = {
        "HUB_KEY": "key",
        "HUB": "http://hub",
        "LINE": line_id(world.sandbox_line),
        "PICTURE": await picture(world),
        "CHAT": chat["id"],
    }
    tried = 0
    for command in COMMANDS:
        method, path, body, headers = read(command, names)
        if "capabilities_off" in command:
            body = b'{"capabilities_off": []}'
        if "$" in path:
            raise AssertionError(f"nothing was made yet for {path}")
        answered = await world.api.request(method, path, body=body, headers={"Prefer": "wait=5", **headers})
        assert answered.status < 300, (command, answered.body)
        assert answered.json.get("state", "sent") == "sent", (command, answered.body)
        _remember(names, path, answered)
        await worker.listen()
        tried += 1

    assert tried == len(COMMANDS) > 20


def _remember(names: dict[str, str], path: str, answered: Answered) -> None:
    """Keep the ids that later commands name."""
    result = answered.json.get("result") or {}
    if path == "/v1/chats" and "chat_id" in result:
        names["GROUP"] = result["chat_id"]
    if "poll_id" in answered.json:
        names["POLL"] = answered.json["poll_id"]


async def test_the_numbers_of_the_guide_are_the_sandboxs() -> None:
    assert CONTACT in GUIDE
