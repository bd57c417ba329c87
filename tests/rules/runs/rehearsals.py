"""Rehearse a route that is written in YAML, with actions that answer as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.config.loader import read_document
from hub.config.plain import plain
from hub.model.actions import ActionDone, ActionFailed, ActionSpec
from hub.rules.routes.model import Route
from hub.rules.routes.reading import RouteDocument, read_routes
from hub.rules.runs.facts import Known, RunFacts
from hub.rules.runs.rehearsing import Rehearsal
from hub.rules.runs.signals import Attempt

#: 2026-08-04 22:10 UTC, a Tuesday.
NOW_MS = 1_785_881_400_000
EVENT = {
    "type": "message.received",
    "id": "evt_1",
    "from": "+14155550123",
    "text": "Hello",
    "tags": ["a", "b", "c"],
}


def routes(written: str) -> dict[str, Route]:
    node, problems = read_document(written, source="routes.yaml", is_prose=True)
    assert node is not None, problems
    found = read_routes(plain(node))
    assert isinstance(found, RouteDocument), [str(each) for each in found]
    return {route.id: route for route in found.routes}


def route_of(steps: str, *, more: str = "") -> str:
    """A file with one route, whose steps are given without indentation."""
    indented = "\n".join(f"      {line}" for line in steps.strip("\n").split("\n"))
    above = "\n".join(f"    {line}" for line in more.strip("\n").split("\n") if line)
    return (
        f"version: 1\nroutes:\n  - id: main\n    trigger: message.received\n{above}\n    steps:\n{indented}\n"
    )


class Callees:
    """Routes of one file; a revision is a place in it."""

    def __init__(self, known: Mapping[str, Route]) -> None:
        self._routes = list(known.values())

    def newest(self, route_id: str) -> int | None:
        return next((place for place, route in enumerate(self._routes) if route.id == route_id), None)

    def route(self, revision: int) -> Route:
        return self._routes[revision]


SPECS = {
    f"do.{repetition}": ActionSpec(
        name=f"do.{repetition}",
        title="Do it",
        kind="write",
        repetition=repetition,
        inputs={},
        sample={"id": "sample"},
    )
    for repetition in ("safe", "keyed", "unsafe")
} | {
    "do.tell": ActionSpec(
        name="do.tell", title="Tell", kind="message", repetition="keyed", inputs={}, sample={"id": "sample"}
    )
}


@dataclass
class Played:
    """A rehearsal whose actions answer what is queued for their path, and else with their inputs."""

    rehearsal: Rehearsal
    queued: dict[str, list[ActionDone | ActionFailed]] = field(default_factory=dict)

    @property
    def calls(self) -> list[tuple[str, Any]]:
        return [(each.begun.path, each.begun.inputs) for each in self.rehearsal.attempts]

    def status(self, path: str) -> str:
        return str(self.rehearsal.results[path].status)


def played(
    written: str,
    *,
    answers: Mapping[str, list[ActionDone | ActionFailed]] | None = None,
    event: Mapping[str, Any] = EVENT,
    **facts: Any,
) -> Played:
    """Prepare the route called main."""
    known = routes(written)
    queued = {path: list(each) for path, each in (answers or {}).items()}

    def answer(attempt: Attempt) -> ActionDone | ActionFailed:
        waiting = queued.get(attempt.begun.path)
        if waiting:
            return waiting.pop(0)
        return ActionDone(output={"got": attempt.begun.inputs})

    rehearsal = Rehearsal(
        route=known["main"],
        facts=RunFacts(
            id="run_1",
            url="http://hub/run_1",
            started_at=NOW_MS,
            event=event,
            events=(event,),
            key_seed="run_1",
            **facts,
        ),
        known=Known(actions=SPECS, callees=Callees(known)),
        answer=answer,
        now_ms=NOW_MS,
    )
    return Played(rehearsal, queued)
