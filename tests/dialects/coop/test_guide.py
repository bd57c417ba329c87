"""The commands in docs/migrating-from-coop.md do what the page says; another hub stands for the one they come from."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path
from typing import Any

import hub
from tests.dialects.coop.test_webhooks import hmac_sha256
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, HubWorld

PAGE = (Path(hub.__file__).parent.parent / "docs" / "migrating-from-coop.md").read_text("utf-8")


def commands() -> list[list[str]]:
    return [shlex.split(each) for each in re.findall(r"^ {4,7}(curl .+)$", PAGE, re.MULTILINE)]


async def run(api: Caller, words: list[str], files: dict[str, bytes]) -> Answered:
    """Do what curl would do."""
    options = dict(itertools.pairwise(words))
    path = re.sub(r"^\$(HUB|COOP)", "", next(word for word in words if word.startswith("$")))
    if "-F" in options:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        return await api.post(path, form(files[options["-F"].partition("@")[2]]), headers=headers)
    if "-d" in options:
        return await api.post(path, json.loads(options["-d"]))
    answered = await (api.post(path) if "-X" in options else api.get(path))
    if "-o" in options:
        files[options["-o"]] = answered.body
    return answered


def form(content: bytes) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="people.json"\r\n\r\n'
    return head + content + b"\r\n--x--\r\n"


async def test_each_command_works(world: HubWorld, api: Caller) -> None:
    ann = {"firstName": "Ann", "phoneNumbers": [CONTACT], "tags": ["vip"]}
    await api.post("/api/v1/contacts", ann)
    files: dict[str, bytes] = {}
    key, *others = commands()
    made = await run(world.api, key, files)
    moved = world.api.with_token(made.json["api_key"])
    answers = [await run(moved, words, files) for words in others]
    imported: dict[str, Any] = next(each.json for each in answers if "created" in each.json)

    assert made.json["api_key"].startswith("brk_live_")
    assert [each.body for each in answers if each.status >= 300] == []
    assert len(answers) == 7
    assert imported == {"created": 0, "updated": 1, "failed": 0, "errors": []}


def test_the_receiver_of_the_page_verifies() -> None:
    code = re.search(r"```python\n(.+?)```", PAGE, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    body = b'{"event":"message.received"}'

    assert names["verify"]("as you had it", hmac_sha256(b"as you had it", body), body)
    assert not names["verify"]("another", hmac_sha256(b"as you had it", body), body)
