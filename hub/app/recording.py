"""Write a test in YAML from a run that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from hub.app.offline import OfflineActions
from hub.flow.repositories import Store
from hub.flow.routing.book import RouteBook
from hub.model.ids import Prefix, id_text
from hub.model.run import Run, RunState
from hub.rules.routes.document import Reading
from hub.rules.routes.model import Route
from hub.rules.trials.judging import Verdict, play
from hub.rules.trials.masking import Mask
from hub.rules.trials.reading import read_tests
from hub.rules.trials.recording import RecordedRun, expectations, recorded, went_otherwise

_OUTCOMES = {
    RunState.ACTIVE: "waiting",
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
}


class NotRecorded(Exception):
    """Nothing can be made of the run; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """A test."""

    #: A file of tests.
    text: str
    #: In what it comes otherwise when it is played, for people; empty: it passes.
    differences: tuple[str, ...]


class _Plain(yaml.SafeDumper):
    """Writes the same value twice rather than an alias, which no file of ours may have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


async def record(store: Store, book: RouteBook, run_id: int, actions: OfflineActions) -> Recording:
    """Write a test from a run.

    Raises:
        NotRecorded: Nothing can be made of it, or there is none.
    """
    run = await store.runs.get(run_id)
    if run is None:
        raise NotRecorded("there is no such run; `hub runs list` shows them")
    if run.state not in _OUTCOMES:
        raise NotRecorded(f"it is {run.state.name.lower()}, which no test can come to by itself")
    if not run.facts:
        raise NotRecorded("what it knew is kept no more (`keep.payload` of the route)")
    await book.refresh()
    await book.ensure([run.revision_id])
    route = book.find(run.revision_id)
    source = (await store.routes.sources([run.revision_id])).get(run.revision_id)
    if route is None or source is None:
        raise NotRecorded("its revision is kept no more")
    mask = Mask(msgspec.json.decode(source))
    whole = await _whole(store, run)
    test = recorded(whole, mask, actions.specs)
    standing = [book.standing(each) for each in book.kept]
    routes = {each.route.id: each.route for each in standing if each is not None} | {route.id: route}
    return _rehearsed(whole, test, routes, actions)


async def _whole(store: Store, run: Run) -> RecordedRun:
    facts = msgspec.json.decode(run.facts)
    steps = (await store.runs.results([run.id]))[run.id]
    return RecordedRun(
        id=id_text(Prefix.RUN, run.id),
        route_id=run.route_id,
        created_at=run.created_at,
        outcome=_OUTCOMES[run.state],
        events=tuple(facts["events"]),
        given=facts.get("given") or {},
        steps=tuple(steps),
    )


def _rehearsed(
    run: RecordedRun, test: dict[str, Any], routes: Mapping[str, Route], actions: OfflineActions
) -> Recording:
    """Play a test, and let it expect what came of it, as far as that is what came of the run."""
    verdict = _played(test, routes, actions)
    if verdict.has_passed and verdict.results:
        outcome = test["expect"]["outcome"]
        full = expectations(outcome, verdict.results[-1], lambda name: name in actions.specs)
        whole = {**test, "expect": full}
        if _played(whole, routes, actions).has_passed:
            test = whole
    written = yaml.dump(
        {"version": 1, "tests": [test]}, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110
    )
    told = [*(each.message for each in verdict.faults), *(str(each) for each in verdict.differences)]
    if verdict.results and (way := went_otherwise(run.steps, verdict.results[-1])) is not None:
        told.append(way)
    return Recording(text=written, differences=tuple(told))


def _played(test: dict[str, Any], routes: Mapping[str, Route], actions: OfflineActions) -> Verdict:
    reading = Reading()
    trials = read_tests(reading, [test], "/tests", routes)
    if reading.problems:
        raise NotRecorded(f"it makes no test: {reading.problems[0]}")
    return play(trials[0], routes=routes, actions=actions.specs, check_inputs=actions.check_inputs)
