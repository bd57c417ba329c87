"""Routes in a worker: nothing until there is a first one, then everything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.flow.connection_states import ConnectionStanding
from hub.flow.routing.moments import Moments
from hub.observe.metrics import Metrics
from hub.rules.lanes import SHARD_COUNT
from hub.worker.connection_rounds import ConnectionRounds
from hub.worker.late_rounds import LateRounds
from hub.worker.runs import MomentRounds, RouteRounds, RunRounds, TriageRounds
from tests.support.hub_world import HubWorld, open_world
from tests.support.route_world import TEXTS, RouteWorld
from tests.worker.time_by_hand import eventually

SHARDS = range(SHARD_COUNT)
ECHO = """version: 1
routes:
  - id: echo
    trigger: message.received
    steps: [{ use: do.safe, with: { text: "{{ event.text }}" } }]
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as world:
        yield world


class NoConnections:
    """There are none to look after."""

    async def go_round(self, is_ours: Callable[[], bool]) -> Sequence[ConnectionStanding]:
        return ()

    def rest(self) -> None:
        pass


@dataclass
class Rig:
    """What a worker does for routes, and how often it opened what runs them."""

    world: HubWorld
    routes: RouteWorld
    opened: list[RouteRounds] = field(default_factory=list)
    #: Reading what runs them from disk takes until this is set.
    read: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        store = self.world.store
        self.late = LateRounds(store.routes, open_rounds=self._open)

    async def _open(self) -> RouteRounds:
        store, clock, routes = self.world.store, self.world.clock, self.routes
        runs = RunRounds(runs=store.runs, driver=routes.driver, clock=clock, most_at_once=10)
        moments = Moments(
            runs=store.runs, book=routes.book, clock=clock, new_id=self.world.new_id, texts=TEXTS
        )
        rounds = RouteRounds(
            runs=runs,
            triage=TriageRounds(
                triages=routes.triages,
                feed=self.world.parts.live.feed,
                events=store.events,
                on_decided=lambda decided: runs.wake(),
            ),
            moments=MomentRounds(moments=moments, clock=clock, on_decided=lambda decided: runs.wake()),
            connections=ConnectionRounds(NoConnections(), metrics=Metrics()),
        )
        self.opened.append(rounds)
        await self.read.wait()
        return rounds

    @property
    def texts(self) -> list[object]:
        return [each["text"] for each in self.routes.inputs]


@pytest.fixture
async def rig(world: HubWorld) -> AsyncIterator[Rig]:
    rig = Rig(world, RouteWorld(world))
    rig.read.set()
    working = asyncio.ensure_future(rig.late.run())
    yield rig
    await rig.late.stop()
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def test_a_hub_without_routes_opens_nothing_whatever_happens(rig: Rig) -> None:
    rig.late.own(SHARDS)
    await rig.world.say("Before")
    for _ in range(3):
        rig.late.wake()
        await asyncio.sleep(0.01)
    await rig.late.drain()

    assert rig.opened == []
    assert rig.late.in_hand == 0


async def test_the_first_route_runs_from_the_next_event_on_without_a_start(rig: Rig) -> None:
    rig.late.own(SHARDS)
    await rig.world.say("Before")
    await rig.routes.install(ECHO)
    rig.late.wake_triage()
    await eventually(lambda: rig.opened)
    await rig.world.say("After")
    await eventually(lambda: rig.texts)
    await rig.late.drain()

    assert rig.texts == ["After"]
    assert len(rig.opened) == 1


async def test_shards_that_were_taken_before_are_worked_on(rig: Rig) -> None:
    await rig.routes.install(ECHO)
    await rig.world.say("Hello")
    rig.late.wake_triage()
    await eventually(lambda: rig.opened)
    rig.late.own(SHARDS)
    await eventually(lambda: rig.texts)

    assert rig.texts == ["Hello"]


async def test_a_worker_that_is_told_to_end_while_it_opens_them_begins_no_run(rig: Rig) -> None:
    rig.read.clear()
    rig.late.own(SHARDS)
    await rig.routes.install(ECHO)
    rig.late.wake_triage()
    await eventually(lambda: rig.opened)
    await rig.late.drain()
    rig.read.set()
    await rig.world.say("Hello")
    await asyncio.sleep(0.2)

    assert rig.texts == []
