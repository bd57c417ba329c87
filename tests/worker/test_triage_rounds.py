"""Events are looked at as they come; those that nobody wanted are not looked at again with what is known later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.sandbox import contacts
from hub.worker import runs
from hub.worker.runs import TriageRounds
from tests.support.hub_world import CONTACT, HubWorld, open_world
from tests.support.route_stories import ECHO, written
from tests.support.route_world import RouteWorld

LISTENS = """
id: listens
trigger: message.received
concurrency: { key: "{{ event.id }}" }
steps:
  - wait_for: { trigger: reaction.added, timeout: 1h }
  - use: do.safe
    with: { text: heard }
"""
VIP = ECHO.replace("steps:", "when: { contact.tags: vip }\nsteps:")


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HubWorld]:
    monkeypatch.setattr(runs, "_REST_SECONDS", 0.02)
    async with open_world(tmp_path) as world:
        yield world


@contextlib.asynccontextmanager
async def looking(world: HubWorld) -> AsyncIterator[RouteWorld]:
    """A worker that owns the first shard."""
    routes = RouteWorld(world)
    rounds = TriageRounds(
        triages=routes.triages,
        feed=world.parts.live.feed,
        events=world.store.events,
        on_decided=lambda decided: None,
    )
    rounds.own([0])
    task = asyncio.get_running_loop().create_task(rounds.run())
    yield routes
    task.cancel()
    await asyncio.wait([task])


async def looked_at(world: HubWorld) -> None:
    newest = await world.store.events.newest_position()
    async with asyncio.timeout(5):
        while await world.store.routes.position() < newest:  # noqa: ASYNC110 - a row tells nobody that it changed
            await asyncio.sleep(0.01)


async def tag(world: HubWorld) -> None:
    body = {"first_name": "Ann", "tags": ["vip"], "handles": [{"handle": CONTACT}]}
    assert (await world.api.post("/v1/contacts", body)).status == 201


async def test_what_nobody_wanted_is_not_wanted_later(world: HubWorld) -> None:
    """Not by a worker that begins anew, when the contact has come to be what a route asks for."""
    async with looking(world) as routes:
        await routes.install(written(VIP))
        await world.say("before")
        await looked_at(world)
    await tag(world)
    async with looking(world) as routes:
        await world.say("after")
        await looked_at(world)
        begun = await routes.runs()

    assert ["after" in run.facts for run in begun] == [True]


async def test_a_route_that_comes_to_want_more_does_not_want_what_was(world: HubWorld) -> None:
    other = ECHO.replace("id: echo", "id: other").replace("message.received", "message.read")
    async with looking(world) as routes:
        await routes.install(written(VIP))
        await world.say("before")
        await looked_at(world)
        await routes.install(written(ECHO, other))
        await asyncio.sleep(0.1)
        await world.say("after")
        await looked_at(world)
        begun = await routes.runs()

    assert ["after" in run.facts for run in begun] == [True]


async def test_what_comes_right_after_a_run_began_to_listen_is_not_passed_over(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody wanted such events before, and one that was wanted all the time comes behind it."""
    monkeypatch.setattr(runs, "_REST_SECONDS", 60)
    await RouteWorld(world).install(written(LISTENS))
    async with looking(world) as routes, asyncio.timeout(10):
        await following(world)
        guid = await world.say("first")
        while not await routes.due():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # nothing tells that it has taken note of who listens
        await routes.drive()
        scene = contacts.direct(world.sandbox_line.handle, CONTACT)
        reaction = contacts.react(scene, guid, "like", guid="r1", at=world.clock.now_ms())
        await world.observe(world.sandbox_line, reaction)
        await world.say("second")

        while not routes.inputs:
            await routes.drive()
            await asyncio.sleep(0.01)

    assert routes.inputs == [{"text": "heard"}]


async def following(world: HubWorld) -> None:
    """Wait until somebody follows."""
    while not world.parts.live.feed.follower_count:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
