"""Find a step of a route again by the place at which it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.rules.routes.model import (
    ForeachStep,
    ParallelStep,
    Route,
    Step,
    SwitchStep,
    UseStep,
    WaitStep,
)


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Give steps with all that are within them."""
    for step in steps:
        yield step
        match step:
            case SwitchStep():
                for case in step.cases:
                    yield from all_steps(case.steps)
            case ForeachStep() | ParallelStep():
                yield from all_steps(step.steps)
            case WaitStep():
                yield from all_steps(step.on_timeout)
            case UseStep() if not isinstance(step.on_error, str):
                yield from all_steps(step.on_error)


def find_wait(route: Route, pointer: str) -> WaitStep | None:
    """Give the waiting step that is written at a place."""
    for step in all_steps((*route.steps, *route.on_error)):
        if step.pointer == pointer and isinstance(step, WaitStep):
            return step
    return None
