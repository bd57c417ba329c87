"""Routes that use built-in actions, run by the real thing: files, triage, driver, sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from hub.actions.built_in import BuiltInActions
from hub.model.actions import ActionCall, ActionDone, ActionSpec
from hub.model.run import RunState
from tests.actions.bench import Bench
from tests.support.hub_world import CONTACT, STRANGER, line_id
from tests.support.route_world import RouteWorld

STOPS = """
version: 1
routes:
  - id: stop-keyword
    priority: 100
    stop_others: true
    trigger: message.received
    when: { direction: inbound, text: { any_of: [STOP, UNSUBSCRIBE], normalize: keyword } }
    steps:
      - use: contact.suppress
        with: { address: "{{ event.from }}", channel: "{{ event.channel }}", reason: keyword }
      - use: message.reply
        ignore: [suppression, quiet_hours]
        with: { text: "You are unsubscribed and will get no more messages." }
  - id: greet
    trigger: message.received
    when: { direction: inbound, contact.tags: { none_of: [greeted] } }
    steps:
      - { id: tag, use: contact.tag, with: { add: [greeted] } }
      - { use: message.reply, with: { text: "Hello {{ steps.tag.output.tags | join(',') }}" } }
      - { use: log, with: { message: "greeted {{ event.from }}" } }
"""

TAKES_CARE = """
version: 1
routes:
  - id: take-care
    trigger: message.received
    when: { conversation.assignee: { exists: false } }
    steps: [{ use: conversation.assign, with: { team: support } }]
  - id: of-support
    trigger: message.received
    when: { conversation.assignee: support, conversation.team: support }
    steps: [{ use: message.reply, with: { text: "We are on it." } }]
"""

LOOP = """
version: 1
routes:
  - id: echo
    trigger: message.queued
    steps: [{ use: message.send, with: { to: "{{ event.to }}", text: "{{ event.text }}!" } }]
"""


async def test_a_stop_is_confirmed_once_and_nothing_else_answers(bench: Bench) -> None:
    routes = RouteWorld(bench.world, bench.actions)
    await routes.install(STOPS)
    await bench.world.say("Hi")
    await routes.work()
    await bench.worker().work()
    await bench.world.say("stop.")
    await routes.work()
    await bench.worker().work()

    assert [each["text"] for each in await bench.messages()] == [
        "You are unsubscribed and will get no more messages.",
        "Hello greeted",
    ]
    assert all(each["status"] in {"delivered", "read"} for each in await bench.messages())
    history = (await bench.world.api.get(f"/v1/consents/{quote(CONTACT)}")).json["history"]
    heard = {each["line_id"]: each["source"] for each in history}
    here, elsewhere = line_id(bench.world.sandbox_line), line_id(bench.world.other_line)
    assert (len(history), heard) == (2, {here: "keyword", elsewhere: "api"})
    assert {run.state for run in await routes.runs()} == {RunState.COMPLETED}


async def test_conditions_ask_who_takes_care(bench: Bench) -> None:
    routes = RouteWorld(bench.world, bench.actions)
    await routes.install(TAKES_CARE)
    for contact in (CONTACT, STRANGER, CONTACT):
        await bench.world.say("Hello?", contact=contact)
        await routes.work()

    assert len(await bench.messages()) == 1
    assert await bench.messages(STRANGER) == []


async def test_a_route_that_triggers_itself_is_cut_off(bench: Bench) -> None:
    """By the hops that its messages tell."""
    routes = RouteWorld(bench.world, bench.actions)
    await routes.install(LOOP)
    await bench.world.say("Hi")
    event = await bench.received()
    await bench.run("message.reply", {"text": "a"}, event=event, route=None, run=None)
    for _ in range(12):
        await routes.work()

    texts = [each["text"] for each in await bench.messages()]
    assert texts[0] == "a" + "!" * 8
    assert len(texts) == 9
    newest = (await bench.world.api.get("/v1/events?type=message.queued")).json["data"][0]
    assert newest["data"]["metadata"]["hub_route"] == "echo"
    assert newest["data"]["metadata"]["hub_hops"] == 8


OUTLIVES = """
version: 1
routes:
  - id: slow
    trigger: message.received
    steps: [{ use: message.reply, with: { text: "We are on it."%s } }]
"""


DAY = 86_400_000


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "key", ["", ', idempotency_key: "first-answer"'], ids=["of the step", "of its author"]
)
async def test_a_run_that_was_killed_after_its_send_does_not_send_again_weeks_later(
    bench: Bench, key: str
) -> None:
    """Keys go by age (`retention.idempotency_hours`), but not while the run that asked under one may ask again."""
    routes = RouteWorld(bench.world, Fatal(bench.actions))
    await routes.install(OUTLIVES % key)
    await bench.world.say("Hi")
    with pytest.raises(Killed):
        await routes.work()
    (owed,) = await bench.messages()
    bench.world.clock.advance(30 * DAY)
    forgotten = await bench.world.store.retention.expire_page(
        "idempotency_keys", before_ms=bench.world.clock.now_ms(), limit=1000
    )
    (run,) = await RouteWorld(bench.world, bench.actions).drive()

    assert forgotten == 0
    assert [each["id"] for each in await bench.messages()] == [owed["id"]]
    assert run.state is RunState.COMPLETED
    assert (await routes.steps(run))["0"].output["message_id"] == owed["id"]


@dataclass(frozen=True)
class Fatal:
    """Actions after which the process ends, before what they did is on record."""

    actions: BuiltInActions

    def specs(self) -> Mapping[str, ActionSpec]:
        return self.actions.specs()

    async def run(self, call: ActionCall) -> ActionDone:
        await self.actions.run(call)
        raise Killed
