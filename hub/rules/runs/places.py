"""Find the step of a route that a result is of, by the path under which it is recorded (hub.rules.runs.walk)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from hub.rules.routes.model import (
    CallStep,
    DelayStep,
    ForeachStep,
    ParallelStep,
    Route,
    SetStep,
    Step,
    StopStep,
    SwitchStep,
    UseStep,
    WaitStep,
)

#: Gives the route that the call at a path has called; None if that is not known.
Called = Callable[[str], Route | None]
VERBS: Final[Mapping[type, str]] = {
    DelayStep: "delay",
    WaitStep: "wait_for",
    SwitchStep: "switch",
    ForeachStep: "foreach",
    ParallelStep: "parallel",
    CallStep: "call",
    SetStep: "set",
    StopStep: "stop",
}


def verb_of(step: Step) -> str:
    """Say what a step does: the action of a `use`, else the verb."""
    return step.action if isinstance(step, UseStep) else VERBS[type(step)]


def find_step(route: Route, path: str, called: Called) -> Step | None:
    """Give the step at a path; None where there is none, or the path names no step (`vars`).

    Args:
        route: The run's own.
        path: As in StepResult.
        called: Knows the routes of calls.
    """
    parts = path.split("/")
    steps: tuple[Step, ...] | None = route.steps
    step: Step | None = None
    for place, part in enumerate(parts):
        if part == "call" and step is not None:
            callee = called("/".join(parts[:place]))
            if callee is None:
                return None
            route, steps, step = callee, callee.steps, None
        elif part == "error" and step is None:
            steps = route.on_error
        elif part.isdigit():
            within = steps if steps is not None else step.steps if isinstance(step, ParallelStep) else ()
            if int(part) >= len(within):
                return None
            step, steps = within[int(part)], None
        else:
            steps = _inside(step, part)
            if steps is None:
                return None
    return step if steps is None else None


def _inside(step: Step | None, part: str) -> tuple[Step, ...] | None:
    """Give the steps that a named part of a step holds."""
    name, _, number = part.partition(".")
    match step:
        case UseStep() if name == "error" and not isinstance(step.on_error, str):
            return step.on_error
        case WaitStep() if name == "timeout":
            return step.on_timeout
        case ForeachStep() if name == "item":
            return step.steps
        case SwitchStep() if name == "case" and number.isdigit() and int(number) < len(step.cases):
            return step.cases[int(number)].steps
    return None
