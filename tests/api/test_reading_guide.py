"""The commands in docs/reading-messages.md do what the page says, each as it stands there."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import hub
from hub.api.message_reads import MessageQuery
from hub.flow.message_pages import MOST_READ
from hub.rules.message_status import MessageStatus
from hub.rules.textsearch import MOST_QUERY
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

PAGE = (Path(hub.__file__).parent.parent / "docs" / "reading-messages.md").read_text("utf-8")


def commands(values: dict[str, str]) -> list[list[str]]:
    """The page's commands as words, with the reader's variables filled in."""
    text = PAGE.replace("\\\n", " ")
    found = re.findall(r"^ {4}(curl .+)$", text, re.MULTILINE)
    for name in sorted(values, key=len, reverse=True):
        found = [command.replace(f"${name}", values[name]) for command in found]
    return [shlex.split(command) for command in found]


async def run(world: HubWorld, words: list[str]) -> Answered:
    """Do what curl would do."""
    options = {"-H": [word for option, word in itertools.pairwise(words) if option == "-H"]}
    headers = dict(header.split(": ", 1) for header in options["-H"])
    del headers["Authorization"]
    url = next(word for word in words if word.startswith("HUB/"))
    if "-d" not in words:
        return await world.api.get(url.removeprefix("HUB"), headers=headers)
    body = json.loads(words[words.index("-d") + 1])
    return await world.api.post(url.removeprefix("HUB"), body, headers=headers)


async def test_each_command_works(world: HubWorld) -> None:
    await world.say("Viele Grüße")
    await world.say("one more")
    message = (await world.api.get("/v1/messages?q=more")).json["data"][0]
    cursor = (await world.api.get("/v1/messages?limit=1")).json["next_cursor"]
    sent = await world.api.post("/v1/typing", {"from": SANDBOX_LINE, "to": CONTACT})
    values = {
        "HUB": "HUB",
        "HUB_KEY": "key",
        "MESSAGE": message["id"],
        "CURSOR": cursor,
        "OUTBOX": sent.json["id"],
    }
    found = commands(values)
    answers = [await run(world, words) for words in found]

    assert len(answers) >= 14
    assert [
        (words, each.body) for words, each in zip(found, answers, strict=True) if each.status >= 300
    ] == []
    waited = [each.headers["preference-applied"] for each in answers if "preference-applied" in each.headers]
    assert waited == ["wait=10", "wait=10"]


def test_the_page_names_what_there_is() -> None:
    """Each parameter, each status, and the bounds."""
    named = set(re.findall(r"`(\w+)`", PAGE))

    assert set(MessageQuery.__struct_encode_fields__) <= named | {"limit", "cursor"}
    assert {str(status) for status in MessageStatus} <= named
    assert f"at most\n{MOST_READ:,} a page" in PAGE
    assert f"up to {MOST_QUERY} characters" in PAGE
