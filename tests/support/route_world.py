"""A hub with routes: files installed, events triaged and runs driven, when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.config.route_files import read_route_text
from hub.flow.route_store import RunCommit, RunFilter
from hub.flow.routing.book import RouteBook
from hub.flow.routing.desk import RouteDesk
from hub.flow.routing.driving import Driver
from hub.flow.routing.installing import FILES, Installed, Installing, ToInstall
from hub.flow.routing.parts import RunTexts
from hub.flow.routing.triage import Triages
from hub.model.actions import ActionCall, ActionDone, ActionFailed, ActionSpec
from hub.model.run import Decided, Run, RunState
from hub.rules.lanes import SHARD_COUNT
from hub.rules.runs.results import StepResult
from tests.support.hub_world import HubWorld

TEXTS = RunTexts(public_url="http://hub.example", env_name="test")
Answer = Callable[[ActionCall], ActionDone | ActionFailed]


def _spec(name: str, repetition: Any) -> ActionSpec:
    return ActionSpec(
        name=name,
        title=name,
        kind="write",
        repetition=repetition,
        inputs={"type": "object", "additionalProperties": True},
        sample={"id": "sample"},
    )


@dataclass
class RecordingActions:
    """Actions that remember what was asked of them, and answer as told: hub.flow.actions.Actions."""

    calls: list[ActionCall] = field(default_factory=list)
    answer: Answer = lambda call: ActionDone(output={"got": dict(call.inputs)})

    def specs(self) -> Mapping[str, ActionSpec]:
        return {name: _spec(name, name.partition(".")[2]) for name in ("do.safe", "do.keyed", "do.unsafe")}

    def connections(self) -> Mapping[str, str]:
        return {}

    async def run(self, call: ActionCall) -> ActionDone:
        self.calls.append(call)
        told = self.answer(call)
        if isinstance(told, ActionFailed):
            raise told
        return told

    async def preview(self, call: ActionCall) -> Sequence[str]:
        return (call.name,)


class RouteWorld:
    """The part of a worker that runs routes, step by step."""

    def __init__(self, world: HubWorld, actions: Any = None) -> None:
        self.world = world
        self.actions: Any = actions or RecordingActions()
        self.book = RouteBook(world.store.routes)
        self.installing = Installing(routes=world.store.routes, clock=world.clock, new_id=world.new_id)
        self.triages = self._triages()
        self.driver = self._driver()

    def _triages(self) -> Triages:
        return Triages(
            store=self.world.store,
            directory=self.world.directory,
            book=self.book,
            clock=self.world.clock,
            new_id=self.world.new_id,
            texts=TEXTS,
        )

    def _driver(self) -> Driver:
        runs = self.world.store.runs

        async def commit(commit: RunCommit) -> bool:
            return bool(await runs.commit([commit]))

        return Driver(
            store=self.world.store,
            book=self.book,
            actions=self.actions,
            clock=self.world.clock,
            draw=lambda: 0.0,
            texts=TEXTS,
            commit=commit,
        )

    @property
    def desk(self) -> RouteDesk:
        """What people ask for."""
        return RouteDesk(
            store=self.world.store,
            directory=self.world.directory,
            book=self.book,
            clock=self.world.clock,
            new_id=self.world.new_id,
            wake_ups=self.world.wake_ups,
            texts=TEXTS,
        )

    async def install(self, written: str) -> Installed:
        """Let the routes of one file stand."""
        found = read_route_text(written, source="routes.yaml")
        assert not found.problems, [str(each) for each in found.problems]
        wanted = [ToInstall(id=each.route.id, source=each.source) for each in found.routes]
        return await self.installing.install(FILES, wanted)

    async def triage(self) -> list[Decided]:
        """Look at all events that are there."""
        decided: list[Decided] = []
        has_more = True
        while has_more:
            has_more, some = await self.triages.go_on()
            decided += some
        return decided

    async def drive(self) -> list[Run]:
        """Drive whatever is due, as long as anything is; give what was driven, as it is then."""
        driven: list[Run] = []
        while due := await self.due():
            driven += [await self.driver.drive(run, is_ours=lambda: True) for run in due]
        return driven

    async def due(self) -> list[Run]:
        now = self.world.clock.now_ms()
        return await self.world.store.runs.due(range(SHARD_COUNT), now=now, without=(), limit=100)

    async def work(self) -> list[Run]:
        """Triage and drive."""
        await self.triage()
        return await self.drive()

    async def runs(self, state: RunState | None = None) -> list[Run]:
        """All runs, the oldest first."""
        found = await self.world.store.runs.page(RunFilter(state=state), before=None, limit=1000)
        return found[::-1]

    async def steps(self, run: Run) -> dict[str, StepResult]:
        """What is recorded of a run, by path."""
        recorded = (await self.world.store.runs.results([run.id]))[run.id]
        return {each.path: each for each in recorded}

    @property
    def inputs(self) -> list[Any]:
        """What actions were asked for so far."""
        return [dict(call.inputs) for call in self.actions.calls]
