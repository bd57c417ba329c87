"""Which steps of a route no test has come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.rules.routes.model import CallStep, Route, Step
from hub.rules.runs.places import find_step
from hub.rules.runs.results import StepResult, StepStatus
from hub.rules.runs.waits import all_steps


def reached(
    route: Route, routes: Mapping[str, Route], results: Mapping[str, StepResult]
) -> set[tuple[str, str]]:
    """Give the steps that a run has done: the id of their route, and where they are written."""
    found = set()
    for path, result in results.items():
        owner, step = _step_at(route, routes, path)
        if step is not None and result.status is not StepStatus.SKIPPED:
            found.add((owner.id, step.pointer))
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


def _step_at(route: Route, routes: Mapping[str, Route], path: str) -> tuple[Route, Step | None]:
    """Give the step at a path, and the route that it stands in."""
    owner = route

    def called(call_path: str) -> Route | None:
        nonlocal owner
        step = find_step(route, call_path, called)
        callee = routes.get(step.route) if isinstance(step, CallStep) else None
        owner = callee or owner
        return callee

    step = find_step(route, path, called)
    return owner, step
