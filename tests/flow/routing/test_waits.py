"""Runs that wait: for an answer in their conversation, of those to whom they wrote, or for what happens in none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hub.model.run import RunState
from tests.flow.routing.written_routes import ECHO, HOUR, written
from tests.support.hub_world import CONTACT, STRANGER, HubWorld
from tests.support.route_world import RouteWorld

WAIT = """
id: ask
trigger: message.received
when: { text: "?" }
concurrency: { key: "{{ event.id }}" }
steps:
  - id: answer
    wait_for: { trigger: message.received, when: { text: { any_of: ["yes", "no"] } }, timeout: 1h }
  - use: do.safe
    with: { status: "{{ steps.answer.status }}", text: "{{ get(steps, 'answer.output.event.text', 'none') }}" }
"""


async def test_a_run_waits_for_an_answer_in_its_own_conversation(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(WAIT))
    await world.say("?")
    await world.say("?", contact=STRANGER)
    await routes.work()
    await world.say("perhaps")
    await world.say("yes")
    await routes.work()
    assert routes.inputs == [{"status": "completed", "text": "yes"}]

    world.clock.advance(HOUR)
    await routes.work()
    assert routes.inputs[1:] == [{"status": "timed_out", "text": "none"}]
    assert await world.store.runs.awaited_types() == frozenset()


ASKED_BY_HAND = """
id: ask
trigger: { manual: true }
steps:
  - use: message.send
    with: { to: "{{ vars.to }}" }
  - id: answer
    wait_for: { trigger: message.received, timeout: 1h }
  - use: do.safe
    with: { to: "{{ vars.to }}", text: "{{ get(steps, 'answer.output.event.text', 'none') }}" }
"""


async def test_runs_that_ask_two_people_do_not_take_each_others_answers(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(written(ASKED_BY_HAND))
    for to in (CONTACT, STRANGER):
        await routes.desk.start("ask", given={"to": to})
    await routes.work()
    await world.say("no", contact=STRANGER)
    await routes.work()
    assert routes.inputs[2:] == [{"to": STRANGER, "text": "no"}]

    await world.say("yes")
    await routes.work()
    assert routes.inputs[3:] == [{"to": CONTACT, "text": "yes"}]


async def test_a_revision_that_cannot_be_read_any_more_fails_its_runs_and_holds_up_no_others(
    world: HubWorld, routes: RouteWorld, tmp_path: Path
) -> None:
    await routes.install(written(WAIT, ECHO))
    await world.say("?")
    await routes.work()
    (waiting,) = await routes.runs(RunState.ACTIVE)
    spoil_revision(tmp_path, waiting.revision_id)

    later = RouteWorld(world)
    await world.say("yes")
    await later.work()
    assert [each["text"] for each in later.inputs] == ["yes"]
    world.clock.advance(HOUR)
    await later.work()
    (failed,) = await later.runs(RunState.FAILED)
    assert (failed.id, failed.error_class) == (waiting.id, "bug")
    assert "cannot read the route as it was written" in (failed.reason or "")


def spoil_revision(folder: Path, revision_id: int) -> None:
    """As another version of the hub may have written it."""
    with closing(sqlite3.connect(folder / "hub.db")) as connection, connection:
        spoilt = '{"version": 1, "routes": [{"id": "ask", "trigger": "message.lost"}]}'
        connection.execute("UPDATE route_revisions SET source = ? WHERE id = ?", (spoilt, revision_id))


async def test_what_happens_in_no_conversation_comes_to_runs_that_have_one(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(
        written("""
id: wait
trigger: message.received
steps:
  - wait_for: { trigger: webhook.test, timeout: 1h }
  - use: do.safe
""")
    )
    await world.say("Hello")
    await routes.work()
    assert await world.store.runs.waiting("webhook.test", {0}) != []


async def test_answers_and_new_runs_come_of_the_same_events(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(WAIT, ECHO))
    for text in ("?", "yes", "?", "no"):
        await world.say(text)
    await routes.work()
    await world.say("yes")
    await routes.work()

    answers = [each["text"] for each in routes.inputs if "status" in each]
    assert sorted(answers) == ["yes"] * 2 or answers == ["yes", "no"]
    assert len([each for each in routes.inputs if "from" in each]) == 5
