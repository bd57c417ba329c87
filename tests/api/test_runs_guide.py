"""The commands in docs/runs.md do what the page says, each as it stands there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import hub
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.model.run import RunState
from hub.rules.runs.why import Why
from tests.support.asgi import Answered
from tests.support.hub_world import STRANGER, HubWorld
from tests.support.route_world import RouteWorld

PAGE = (Path(hub.__file__).parent.parent / "docs" / "runs.md").read_text("utf-8")
ROUTES = """
version: 1
routes:
  - id: lead
    trigger: [message.received, { manual: true }]
    steps: [{ use: do.safe, with: { text: "{{ event.text }}" } }]
  - id: later
    trigger: message.received
    steps: [{ delay: 1h }]
"""


def commands(values: dict[str, str]) -> list[list[str]]:
    """The page's requests as words, with the reader's variables filled in."""
    found = re.findall(r"^ {4}(curl .+)$", PAGE, re.MULTILINE)
    for name in sorted(values, key=len, reverse=True):
        found = [command.replace(f"${name}", values[name]) for command in found]
    return [shlex.split(command) for command in found]


async def ask(world: HubWorld, words: list[str]) -> Answered:
    """Do what curl would do."""
    path = next(word for word in words if word.startswith("HUB/")).removeprefix("HUB")
    if "-d" not in words:
        return await world.api.get(path)
    return await world.api.post(path, json.loads(words[words.index("-d") + 1]))


async def test_each_command_works(world: HubWorld) -> None:
    routes = RouteWorld(world)

    def answer(call: ActionCall) -> ActionDone | ActionFailed:
        return ActionFailed("permission", "Missing scope", status=403)

    routes.actions.answer = answer
    await routes.install(ROUTES)
    for contact in ("+15550100001", STRANGER):
        await world.say("Hello", contact=contact)
    await routes.work()
    failed = (await world.api.get("/v1/runs?state=failed")).json["data"]
    waiting = (await world.api.get("/v1/runs?state=active")).json["data"]
    values = {
        "HUB": "HUB",
        "HUB_KEY": "key",
        "ROUTE": "lead",
        "RUN": failed[0]["id"],
        "WAITING": waiting[0]["id"],
        "EVENT": failed[0]["event_id"],
    }
    found = commands(values)
    answers = [await ask(world, words) for words in found]

    assert len(answers) == 10
    assert [
        (words, each.body) for words, each in zip(found, answers, strict=True) if each.status >= 300
    ] == []
    together = next(each.json for each in answers if "left" in each.json)
    assert [each["origin_run_id"] for each in together["data"]] == [failed[1]["id"]]


def test_the_page_names_what_there_is() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))

    assert {state.name.lower() for state in RunState} <= named
    assert {str(why) for why in Why} <= named
