"""/v1/events/{id}/routes: why an event started a route, or did not."""

from __future__ import annotations

import pytest

from tests.support.hub_world import CONTACT, HubWorld
from tests.support.route_stories import BY_HAND, ECHO, said, why, written
from tests.support.route_world import RouteWorld


@pytest.fixture
def routes(world: HubWorld) -> RouteWorld:
    return RouteWorld(world)


async def test_each_route_says_why_it_ran_or_did_not(world: HubWorld, routes: RouteWorld) -> None:
    def route(name: str, more: str = "") -> str:
        return ECHO.replace("id: echo", f"id: {name}\n{more}".rstrip())

    await routes.install(
        written(
            route("begun", "priority: 9"),
            route("off", "enabled: false"),
            route("when", "when: { direction: inbound, text: { contains: refund } }"),
            route("missing", "when: { nothing.there: 1 }"),
            route("if-false", "if: event.text == 'Bye'"),
            route("wrong", "if: event.nothing == 1"),
            route("once", "dedupe: { key: '{{ event.from }}', for: 7d }"),
            route("rarely", "throttle: { limit: 1, per: 1h, key: '{{ event.from }}', then: skip }"),
            route("alone", "concurrency: { key: '{{ event.from }}', limit: 1, then: skip }").replace(
                "steps:", "steps:\n  - delay: 1h"
            ),
            route("last", "priority: -1\nstop_others: true"),
            route("never", "priority: -2"),
            BY_HAND,
        )
    )
    await said(world)
    await routes.work()
    event_id = await said(world)
    before = await why(world, event_id)
    await routes.work()
    decided_at = world.clock.now_ms()
    world.clock.advance(1)
    await routes.install(written(route("begun"), route("later")))
    answered = (await world.api.get(f"/v1/events/{event_id}/routes")).json
    told = {each["route_id"]: each for each in answered["data"]}

    assert before["begun"] == "not_yet"
    assert {name: each["why"] for name, each in told.items()} == {
        "begun": "begun",
        "off": "disabled",
        "when": "when",
        "missing": "when",
        "if-false": "if",
        "wrong": "error",
        "once": "dedupe",
        "rarely": "throttle",
        "alone": "concurrency",
        "last": "begun",
        "never": "stopped",
        "later": "installed_later",
    }
    assert told["when"]["failed"] == {
        "pointer": "/routes/2/when/text/contains",
        "path": "text",
        "matcher": "contains",
        "expected": '"refund"',
        "actual": '"Hello"',
    } | {"pointer": told["when"]["failed"]["pointer"]}
    assert told["missing"]["reason"] == "nothing.there: the event has no such field"
    assert "event.text == 'Bye'" in told["if-false"]["reason"]
    assert "nothing" in told["wrong"]["reason"]
    assert "last comes before it" in told["never"]["reason"]
    assert (await world.api.get(f"/v1/runs/{told['begun']['run_id']}")).json["event_id"] == event_id
    assert answered["decided_at"] == decided_at


ASKS = """
id: asks
trigger: message.received
when: { text: "?" }
concurrency: { key: "{{ event.id }}" }
steps:
  - id: answer
    wait_for: { trigger: message.received, when: { text: "yes" }, timeout: 1h }
"""


async def test_a_run_that_waited_for_the_event_is_told(world: HubWorld, routes: RouteWorld) -> None:
    """Of each such run there is an answer, beside that of its route to the event."""
    await routes.install(written(ASKS, ECHO))
    asking = [await said(world, "?") for _ in range(2)]
    await routes.work()
    answer = await said(world, "yes")
    await routes.work()
    runs = (await world.api.get("/v1/runs?route_id=asks")).json["data"]
    told = (await world.api.get(f"/v1/events/{answer}/routes")).json["data"]

    assert [(each["route_id"], each["why"]) for each in told] == [
        ("asks", "joined"),
        ("asks", "joined"),
        ("asks", "when"),
        ("echo", "begun"),
    ]
    assert {each["run_id"] for each in told[:2]} == {each["id"] for each in runs}
    assert {each["event_id"] for each in runs} == set(asking)
    assert told[0]["reason"] == "its step 'answer' waited for it (wait_for) and took it"


async def test_what_was_known_then_decides(world: HubWorld, routes: RouteWorld) -> None:
    tagged = ECHO.replace("id: echo", "id: tagged\nwhen: { contact.tags: vip }")
    await routes.install(written(ECHO, tagged))
    event_id = await said(world)
    await routes.work()
    contact = {"first_name": "Ann", "tags": ["vip"], "handles": [{"handle": CONTACT}]}
    await world.api.post("/v1/contacts", contact)

    assert await why(world, event_id) == {"echo": "begun", "tagged": "when"}


async def test_an_event_that_nobody_wanted_is_explained_with_what_is_known_now(
    world: HubWorld, routes: RouteWorld
) -> None:
    tagged = ECHO.replace("id: echo", "id: tagged\nwhen: { contact.tags: vip }")
    await routes.install(written(tagged))
    event_id = await said(world)
    await routes.work()
    first = (await world.api.get(f"/v1/events/{event_id}/routes")).json
    contact = {"first_name": "Ann", "tags": ["vip"], "handles": [{"handle": CONTACT}]}
    await world.api.post("/v1/contacts", contact)

    assert (first["data"][0]["why"], first["decided_at"]) == ("when", None)
    assert await why(world, event_id) == {"tagged": "not_yet"}
    await world.store.routes.skip_to(await world.store.events.newest_position())
    assert await why(world, event_id) == {"tagged": "changed_since"}


async def test_the_revision_of_then_is_asked(world: HubWorld, routes: RouteWorld) -> None:
    narrow = ECHO.replace("steps:", "when: { text: never }\nsteps:")
    await routes.install(written(narrow))
    event_id = await said(world)
    await routes.work()
    world.clock.advance(1000)
    await routes.install(written(ECHO))

    assert await why(world, event_id) == {"echo": "when"}


async def test_explanations_page_and_can_be_of_one_route(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(*(ECHO.replace("id: echo", f"id: echo-{each}") for each in "abc")))
    event_id = await said(world)
    await routes.work()
    path = f"/v1/events/{event_id}/routes"
    first = (await world.api.get(f"{path}?limit=2")).json
    second = (await world.api.get(f"{path}?limit=2&cursor={first['next_cursor']}")).json
    one = (await world.api.get(f"{path}?route_id=echo-b")).json

    assert [each["route_id"] for each in first["data"] + second["data"]] == ["echo-a", "echo-b", "echo-c"]
    assert [each["route_id"] for each in one["data"]] == ["echo-b"]
    assert (await world.api.get("/v1/events/evt_0000000000001/routes")).code == "event_not_found"
