"""From an event to what its routes do: triaged once, driven to the end, taken up again where it was left."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest

from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.model.ids import Prefix, id_text
from hub.model.run import RunState, RunVerdict
from hub.rules.runs.results import StepStatus
from tests.flow.routing.written_routes import ECHO, HOUR, written
from tests.support.hub_world import CONTACT, STRANGER, HubWorld
from tests.support.route_world import RouteWorld


async def test_an_event_is_seen_as_people_think_of_it(world: HubWorld, routes: RouteWorld) -> None:
    await world.api.post(
        "/v1/contacts",
        {"first_name": "Ann", "tags": ["vip"], "handles": [{"handle": CONTACT}], "metadata": {"plan": "pro"}},
    )
    await routes.install(
        written("""
id: see
trigger: message.received
steps:
  - use: do.safe
    with:
      channel: "{{ event.channel }}"
      direction: "{{ event.direction }}"
      from: "{{ event.from }}"
      to: "{{ event.to }}"
      line: "{{ event.line }}"
      conversation: "{{ event.conversation }}"
      name: "{{ event.contact.first_name }}"
      tags: "{{ event.contact.tags }}"
      plan: "{{ event.contact.metadata.plan }}"
      zone: "{{ event.contact.timezone }}"
      message: "{{ event.message.text }}"
      type: "{{ event.type }}"
      same: "{{ event.conversation_id == event.chat_id and event.message_id == event.message.id }}"
""")
    )
    await world.say("Hello")
    await routes.work()
    seen = routes.inputs[0]

    assert seen | {"conversation": None} == {
        "channel": "imessage",
        "direction": "inbound",
        "from": CONTACT,
        "to": world.sandbox_line.handle,
        "line": world.sandbox_line.label or world.sandbox_line.handle,
        "conversation": None,
        "name": "Ann",
        "tags": ["vip"],
        "plan": "pro",
        "zone": seen["zone"],
        "message": "Hello",
        "type": "message.received",
        "same": True,
    }
    assert (seen["conversation"]["is_new"], seen["conversation"]["is_group"]) == (True, False)


async def test_only_the_first_message_of_a_chat_is_new(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(
        written("""
id: new
trigger: message.received
when: { conversation.is_new: true, contact.tags: { none_of: [customer] } }
steps: [{ use: do.safe, with: { text: "{{ event.text }}" } }]
""")
    )
    for text, contact in (("a", CONTACT), ("b", CONTACT), ("c", STRANGER)):
        await world.say(text, contact=contact)
    await routes.work()

    assert routes.inputs == [{"text": "a"}, {"text": "c"}]


async def test_a_route_is_for_what_comes_after_it(world: HubWorld, routes: RouteWorld) -> None:
    await world.say("before")
    await routes.install(written(ECHO))
    await world.say("after")
    await routes.work()
    await routes.install(written(ECHO, ECHO.replace("echo", "late")))
    await routes.work()

    assert [each["text"] for each in routes.inputs] == ["after"]


async def test_an_event_is_looked_at_once_whoever_looks(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(ECHO))
    for number in range(30):
        await world.say(str(number), contact=f"+1415555{number:04}")
    others = [RouteWorld(world, routes.actions) for _ in range(3)]
    await asyncio.gather(*(each.triage() for each in (routes, *others)), return_exceptions=True)
    await routes.work()

    assert sorted(int(each["text"]) for each in routes.inputs) == list(range(30))


async def test_the_higher_priority_is_first_and_can_stop_the_others(
    world: HubWorld, routes: RouteWorld
) -> None:
    stop = """
id: stop
priority: 100
stop_others: true
trigger: message.received
when: { text: { any_of: [STOP, END], normalize: keyword } }
steps: [{ use: do.safe, with: { text: stopped, from: "{{ event.from }}" } }]
"""
    await routes.install(written(ECHO, stop))
    await world.say(" stop. ")
    await world.say("go on")
    await routes.work()

    assert [each["text"] for each in routes.inputs] == ["stopped", "go on"]


async def test_a_route_that_cannot_decide_says_why_and_keeps_nobody_back(
    world: HubWorld, routes: RouteWorld
) -> None:
    wrong = ECHO.replace("id: echo", "id: wrong\nif: event.nothing == 1")
    await routes.install(written(ECHO, wrong))
    await world.say("Hello")
    decided = await routes.triage()

    assert {each.route_id: each.verdict for each in decided} == {
        "echo": RunVerdict.BEGUN,
        "wrong": RunVerdict.ERROR,
    }
    assert "nothing" in (next(each.reason for each in decided if each.reason) or "")


async def test_messages_of_a_conversation_are_done_in_order_and_others_beside_them(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(written(ECHO.replace("steps:", "steps:\n  - delay: 1h")))
    for text, contact in (("a1", CONTACT), ("a2", CONTACT), ("b1", STRANGER)):
        await world.say(text, contact=contact)
    await routes.work()
    assert [run.state for run in await routes.runs()] == [RunState.ACTIVE, RunState.PARKED, RunState.ACTIVE]

    world.clock.advance(HOUR)
    await routes.drive()
    assert [each["text"] for each in routes.inputs] == ["a1", "b1"]
    world.clock.advance(HOUR)
    await routes.drive()
    assert [each["text"] for each in routes.inputs] == ["a1", "b1", "a2"]
    assert await routes.due() == []


async def test_a_run_ends_on_the_revision_that_it_began_with(world: HubWorld, routes: RouteWorld) -> None:
    old = ECHO.replace("steps:", "steps:\n  - delay: 1h")
    await routes.install(written(old))
    await world.say("Hello")
    await routes.work()
    await routes.install(written(old.replace("{{ event.text }}", "new {{ event.text }}")))
    world.clock.advance(HOUR)
    await RouteWorld(world, routes.actions).work()
    await world.say("Bye")
    await routes.work()
    world.clock.advance(HOUR)
    await routes.work()

    assert [each["text"] for each in routes.inputs] == ["Hello", "new Bye"]


async def test_what_fails_is_tried_again_later_and_is_on_record(world: HubWorld, routes: RouteWorld) -> None:
    faults = [ActionFailed("retryable", "Down", status=503, requests=("POST https://x 503",))] * 2
    routes.actions.answer = lambda call: faults.pop() if faults else ActionDone(output={})
    await routes.install(written(ECHO))
    await world.say("Hello")
    for pause in (0, 2_000, 4_000):
        world.clock.advance(pause)
        await routes.work()
    (run,) = await routes.runs()
    step = (await routes.steps(run))["0"]

    assert run.state is RunState.COMPLETED
    assert (step.attempts, step.status) == (3, StepStatus.COMPLETED)
    assert len({call.key for call in routes.actions.calls}) == 1
    assert [call.attempt for call in routes.actions.calls] == [1, 2, 3]


async def test_a_run_that_fails_for_good_says_where_and_why(world: HubWorld, routes: RouteWorld) -> None:
    routes.actions.answer = lambda call: ActionFailed("permission", "Missing scope: contacts", status=403)
    await routes.install(written(ECHO))
    await world.say("Hello")
    await routes.work()
    (run,) = await routes.runs()

    assert (run.state, run.error_class, run.failed_path, run.reason) == (
        RunState.FAILED,
        "permission",
        "0",
        "Missing scope: contacts",
    )


async def test_an_action_that_is_broken_breaks_nothing_else(world: HubWorld, routes: RouteWorld) -> None:
    def broken(call: ActionCall) -> ActionDone:
        raise RuntimeError("secret-token")

    routes.actions.answer = broken
    await routes.install(written(ECHO))
    await world.say("Hello")
    await routes.work()
    (run,) = await routes.runs()

    assert (run.state, run.error_class) == (RunState.FAILED, "bug")
    assert "secret-token" not in (run.reason or "")


async def test_a_worker_that_ends_in_the_midst_does_nothing_unsafe_twice(
    world: HubWorld, routes: RouteWorld
) -> None:
    class Killed(BaseException):
        pass

    def killed(call: ActionCall) -> ActionDone:
        raise Killed

    await routes.install(written(ECHO.replace("do.safe", "do.unsafe")))
    await world.say("Hello")
    routes.actions.answer = killed
    with pytest.raises(Killed):
        await routes.work()
    routes.actions.answer = lambda call: ActionDone(output={})
    await RouteWorld(world, routes.actions).work()
    (run,) = await routes.runs()

    assert len(routes.actions.calls) == 1
    assert (run.state, run.error_class) == (RunState.FAILED, "timeout_unknown")
    assert "may have happened" in (run.reason or "")


async def test_a_run_that_is_cancelled_meanwhile_stays_cancelled_and_keeps_what_was_done(
    world: HubWorld, routes: RouteWorld
) -> None:
    await routes.install(written(ECHO + "  - use: do.safe\n"))
    await world.say("Hello")
    await routes.triage()
    (run,) = await routes.runs()
    original = routes.actions.run

    async def cancelled(call: ActionCall) -> ActionDone:
        await world.store.runs.cancel(run.id, reason="by hand", now=world.clock.now_ms())
        done: ActionDone = await original(call)
        return done

    routes.actions.run = cancelled
    await routes.drive()
    (now,) = await routes.runs()

    assert (now.state, now.reason) == (RunState.CANCELLED, "by hand")
    assert len(routes.actions.calls) == 1
    assert (await routes.steps(run))["0"].status is StepStatus.COMPLETED


async def test_a_shadow_does_nothing(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(ECHO.replace("id: echo", "id: echo\nmode: shadow")))
    await world.say("Hello")
    await routes.work()
    (run,) = await routes.runs()

    assert routes.inputs == []
    assert run.is_shadow
    assert (await routes.steps(run))["0"].inputs == {"text": "Hello", "from": CONTACT}


async def test_routes_that_trigger_one_another_are_cut_off(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(ECHO))
    await world.say("Hello")
    await routes.triage()
    (event,) = await world.store.events.newest(limit=1)
    data = msgspec.json.decode(event.data)
    looped = replace(event, data=msgspec.json.encode(data | {"metadata": {"hub_hops": 8}}).decode())
    once_more = replace(event, data=msgspec.json.encode(data | {"metadata": {"hub_hops": 7}}).decode())
    (decision, other) = await routes.triages.decisions([looped, once_more])

    assert decision.wishes == ()
    assert [each.verdict for each in decision.triage.decided] == [RunVerdict.LOOP]
    assert [each.run.hops for each in other.wishes] == [8]


async def test_what_was_decided_is_kept_with_what_was_known(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(ECHO))
    await world.say("Hello")
    (begun,) = await routes.triage()
    (run,) = await routes.runs()
    assert run.event_id is not None
    triage = await world.store.routes.triage(run.event_id)

    assert triage is not None
    assert triage.decided == (begun,)
    assert begun.run_id == run.id
    assert msgspec.json.decode(triage.context)["is_new"] is True
    assert id_text(Prefix.RUN, run.id).startswith("run_")
