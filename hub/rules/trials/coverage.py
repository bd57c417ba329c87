"""Which steps of a route no test has come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.rules.routes.model import (
    CallStep,
    ForeachStep,
    ParallelStep,
    Route,
    Step,
    SwitchStep,
    UseStep,
    WaitStep,
)
from hub.rules.runs.results import StepResult, StepStatus
from hub.rules.runs.waits import all_steps


def reached(
    route: Route, routes: Mapping[str, Route], results: Mapping[str, StepResult]
) -> set[tuple[str, str]]:
    """Give the steps that a run has done: the id of their route, and where they are written."""
    found = set()
    for path, result in results.items():
        place = None if result.status is StepStatus.SKIPPED else step_at(route, routes, path)
        if place is not None:
            found.add((place[0].id, place[1].pointer))
    return found


def unreached(route: Route, done: Iterable[tuple[str, str]]) -> list[Step]:
    """Give the steps of a route that none has done; of those within one that was not, the outer one alone."""
    known = {pointer for route_id, pointer in done if route_id == route.id}
    missing: list[Step] = []
    for step in all_steps((*route.steps, *route.on_error)):
        is_own = step.pointer.startswith(f"{route.pointer}/")
        is_within = any(step.pointer.startswith(f"{outer.pointer}/") for outer in missing)
        if is_own and not is_within and step.pointer not in known:
            missing.append(step)
    return missing


def step_at(route: Route, routes: Mapping[str, Route], path: str) -> tuple[Route, Step] | None:
    """Find the step to which a path of a run belongs; None for what is none (`vars`)."""
    parts = path.split("/")
    steps = route.steps
    if parts[0] == "error":
        steps, parts = route.on_error, parts[1:]
    while parts and parts[0].isdecimal():
        step = steps[int(parts[0])]
        parts = parts[1:]
        if not parts:
            return route, step
        if isinstance(step, CallStep) and parts[0] == "call":
            called = routes.get(step.route)
            return None if called is None else step_at(called, routes, "/".join(parts[1:]))
        steps, parts = _inner(step, parts)
    return None


def _inner(step: Step, parts: list[str]) -> tuple[tuple[Step, ...], list[str]]:
    match step:
        case SwitchStep():
            return step.cases[int(parts[0].removeprefix("case."))].steps, parts[1:]
        case ForeachStep():
            return step.steps, parts[1:]
        case ParallelStep():
            return step.steps, parts
        case WaitStep():
            return step.on_timeout, parts[1:]
        case UseStep(on_error=tuple(steps)):
            return steps, parts[1:]
    return (), []
