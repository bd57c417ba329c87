"""Everything in a route that is evaluated: its templates, conditions and lists."""

from __future__ import annotations

from collections.abc import Iterator

from hub.rules.routes.model import (
    CallStep,
    DelayStep,
    ForeachStep,
    Route,
    SetStep,
    Step,
    StopStep,
    SwitchStep,
    UseStep,
    WaitStep,
    Written,
)
from hub.rules.runs.waits import all_steps


def all_written(route: Route) -> Iterator[Written]:
    """Give every part that is evaluated, those of the steps within steps included."""
    if route.if_ is not None:
        yield route.if_
    for held in (route.dedupe, route.throttle, route.debounce, route.concurrency):
        if held and held.key is not None:
            yield held.key
    yield from route.vars.values()
    for step in all_steps((*route.steps, *route.on_error)):
        if step.if_ is not None:
            yield step.if_
        yield from _of(step)


def _of(step: Step) -> Iterator[Written]:
    match step:
        case UseStep(with_=written) | CallStep(with_=written) | StopStep(reason=written):
            yield written
        case DelayStep(until=written) | WaitStep(asked=written) if written is not None:
            yield written
        case ForeachStep(items=written):
            yield written
        case SwitchStep(cases=cases):
            yield from (case.if_ for case in cases if case.if_ is not None)
        case SetStep(values=values):
            yield from values.values()
