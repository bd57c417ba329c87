"""Let things happen to one route, in memory and without waiting: the rules of live runs, a clock that jumps.

Time passes only when a test says so, and at the end, when delays and repetitions are let run out. What waits for an
event by then goes on waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from hub.model.actions import ActionDone, ActionFailed, ActionSpec
from hub.model.ids import Prefix, id_text
from hub.model.run import Run, RunState, RunVerdict, RunWish
from hub.rules.routes.model import ManualTrigger, Route
from hub.rules.runs.evaluating import WrittenWrong
from hub.rules.runs.facts import Known, RunFacts
from hub.rules.runs.looking import End
from hub.rules.runs.memory import RunMemory
from hub.rules.runs.rehearsing import Rehearsal
from hub.rules.runs.signals import Attempt
from hub.rules.runs.wishing import MANUAL, Standing, Wanted, ask, by_hand, in_order, types_of

Answer = Callable[[Attempt], ActionDone | ActionFailed]
ENV_NAME: Final = "test"
_RUN_ID: Final = 0x0F2_4D41_1D00_0000


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What became of an event."""

    verdict: Literal["begun", "joined", "skipped"]
    #: Why it was skipped: the path of `when`, `if`, `trigger`, `throttle`, …
    because: str | None = None
    #: The same for people.
    detail: str | None = None
    run_id: int | None = None
    #: A condition or a key has no value: JSON pointer and message.
    fault: str | None = None


class Routes:
    """The routes that may be called; a revision is a place among them."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = list(routes.values())
        self._places = {route.id: place for place, route in enumerate(self._routes)}

    def newest(self, route_id: str) -> int | None:
        """Give the place of a route."""
        return self._places.get(route_id)

    def route(self, revision: int) -> Route:
        """Give the route at a place."""
        return self._routes[revision]


class Stage:
    """One route, and what it remembers.

    Args:
        route: It.
        beside: Others that hear of the same events first, and may keep them from it.
        routes: All that it may call, by id.
        actions: All actions by name.
        answer: What they give.
        now_ms: When it begins. Unix ms.
    """

    def __init__(
        self,
        route: Route,
        *,
        routes: Mapping[str, Route],
        actions: Mapping[str, ActionSpec],
        answer: Answer,
        now_ms: int,
        beside: Iterable[Route] = (),
    ) -> None:
        self.now_ms = now_ms
        self.memory = RunMemory()
        self.rehearsals: dict[int, Rehearsal] = {}
        self._route = route
        self._standing = _standing(route)
        self._beside = tuple(map(_standing, beside))
        self._known = Known(actions=actions, callees=Routes({route.id: route, **routes}))
        self._answer = answer
        self._given: dict[int, Mapping[str, Any]] = {}

    def pass_time(self, ms: int) -> None:
        """Let time go by."""
        self.now_ms += ms
        self._advance(self.now_ms)

    def happen(self, event: Mapping[str, Any], *, given: Mapping[str, Any] | None = None) -> Told:
        """Let something happen now.

        Args:
            event: As routes see it.
            given: What whoever starts it by hand hands over.
        """
        arrived = self._arrive(event)
        told = self._decide(event, given or {})
        self._advance(self.now_ms)
        if told.verdict == "skipped" and arrived is not None:
            return Told(verdict="joined", run_id=arrived)
        return told

    def start(self, event: Mapping[str, Any], given: Mapping[str, Any]) -> Told:
        """Start the route as a person does: nothing is asked but its lane."""
        try:
            wanted = by_hand(self._standing, event, env_name=ENV_NAME, now_ms=self.now_ms)
        except WrittenWrong as wrong:
            return Told(verdict="skipped", because="error", fault=str(wrong))
        return self._begin(wanted, event, given)

    def settle(self) -> None:
        """Let delays and repetitions run out."""
        self._advance(None)

    def end(self, run_id: int) -> End | None:
        """Give how a run ended, if it did."""
        rehearsal = self.rehearsals.get(run_id)
        return None if rehearsal is None else rehearsal.end()

    # ---- events

    def _arrive(self, event: Mapping[str, Any]) -> int | None:
        """Give an event to the runs that wait for it."""
        found = None
        event_type = str(event.get("type"))
        for run_id, rehearsal in self.rehearsals.items():
            is_active = self.memory.runs[run_id].state is RunState.ACTIVE
            if is_active and rehearsal.tell(event_type, event):
                found = run_id
        return found

    def _decide(self, event: Mapping[str, Any], given: Mapping[str, Any]) -> Told:
        route, standing = self._route, self._standing
        is_by_hand = event.get("type") == MANUAL and any(
            isinstance(each, ManualTrigger) for each in route.triggers
        )
        if is_by_hand and route.is_enabled:
            return self.start(event, given)
        refused = self._refused(standing, event)
        if refused is not None:
            return refused
        others = [each for each in self._beside if self._refused(each, event) is None]
        found = ask(in_order([standing, *others]), event, env_name=ENV_NAME, hops=0, now_ms=self.now_ms)
        for each in found.decided:
            told = each.reason if each.route_id == route.id else f"{each.route_id}: {each.reason}"
            return Told(verdict="skipped", because="error", fault=told)
        for wanted in found.wanted:
            if wanted.standing is standing:
                return self._begin(wanted, event, given)
        if found.stopped_by is not None:
            return _skipped("stop_others", f"{found.stopped_by} lets no other route see the event")
        return _skipped("if", "its `if` does not hold")

    def _refused(self, standing: Standing, event: Mapping[str, Any]) -> Told | None:
        """Say why an event is not for a route, before anything is evaluated."""
        event_type = str(event.get("type"))
        if not standing.route.is_enabled:
            return _skipped("enabled", "the route is switched off")
        if event_type not in standing.types or not standing.fits(event_type, event):
            return _skipped("trigger", f"{event_type} is not what it waits for")
        failed = standing.route.when.failed(event, self.now_ms)
        return None if failed is None else _skipped(failed.path, str(failed))

    def _begin(self, wanted: Wanted, event: Mapping[str, Any], given: Mapping[str, Any]) -> Told:
        run = self._run(wanted, event)
        self._given[run.id] = given
        decided = self.memory.begin(
            RunWish(
                run=run,
                event=msgspec.json.encode(event).decode(),
                once=wanted.once,
                throttled=wanted.throttled,
                gathered=wanted.gathered,
                then=wanted.then,
            )
        )
        match decided.verdict:
            case RunVerdict.BEGUN:
                return Told(verdict="begun", run_id=decided.run_id)
            case RunVerdict.JOINED:
                return Told(verdict="joined", run_id=decided.run_id)
        return _skipped(str(decided.verdict), f"held back by {decided.verdict}")

    def _run(self, wanted: Wanted, event: Mapping[str, Any]) -> Run:
        return Run(
            id=_RUN_ID + len(self._given) + 1,
            route_id=self._route.id,
            revision_id=0,
            event_id=None,
            state=RunState.ACTIVE,
            shard=0,
            lane=wanted.lane,
            lane_limit=wanted.lane_limit,
            next_at=self.now_ms,
            version=0,
            created_at=self.now_ms,
            finished_at=None,
            facts=msgspec.json.encode({"event": event, "events": [event]}).decode(),
            is_shadow=False,
            hops=1,
        )

    # ---- runs

    def _advance(self, until_ms: int | None) -> None:
        """Bring every run on, and those that have their turn because another one ended."""
        is_moving = True
        while is_moving:
            is_moving = False
            active = [run for run in self.memory.runs.values() if run.state is RunState.ACTIVE]
            for run in sorted(active, key=lambda each: (each.next_at, each.id)):
                if until_ms is None or run.next_at <= until_ms:
                    is_moving |= self._bring_on(run, until_ms)

    def _bring_on(self, run: Run, until_ms: int | None) -> bool:
        """Bring a run on; tell whether it ended."""
        rehearsal = self.rehearsals.get(run.id)
        if rehearsal is None:
            rehearsal = self.rehearsals[run.id] = self._rehearsal(run)
        seen = rehearsal.go(until_ms=until_ms)
        if until_ms is None and seen.end is None and seen.waits:
            # Beside what waits for an event, other branches go on as long as it does.
            seen = rehearsal.go(until_ms=min(each.until_ms for each in seen.waits) - 1)
        end = seen.end
        if end is None:
            return False
        state = RunState.COMPLETED if end.outcome == "completed" else RunState.FAILED
        self.memory.end(run.id, state, rehearsal.now_ms)
        return True

    def _rehearsal(self, run: Run) -> Rehearsal:
        facts = msgspec.json.decode(run.facts)
        contact = facts["event"].get("contact")
        name = id_text(Prefix.RUN, run.id)
        return Rehearsal(
            route=self._route,
            facts=RunFacts(
                id=name,
                url=f"https://hub.example/v1/runs/{name}",
                started_at=run.created_at,
                event=facts["event"],
                events=tuple(facts["events"]),
                contact_timezone=contact.get("timezone") if isinstance(contact, dict) else None,
                env_name=ENV_NAME,
                key_seed=name,
                given=self._given[run.id],
            ),
            known=self._known,
            answer=self._answer,
            now_ms=run.next_at,
        )


def _standing(route: Route) -> Standing:
    return Standing(route=route, revision_id=0, since_position=0, types=types_of(route))


def _skipped(because: str, detail: str) -> Told:
    return Told(verdict="skipped", because=because, detail=detail)
