"""What ends the walk through a route early, and what a walk asks of its worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hub.rules.routes.model import EventTrigger, Retry, SourceTrigger, UseStep
from hub.rules.routes.when import When
from hub.rules.runs.results import StepResult


class RouteStopped(Exception):
    """A `stop` was reached."""

    def __init__(self, outcome: Literal["completed", "failed"], reason: str, result: StepResult) -> None:
        super().__init__(reason)
        self.outcome: Literal["completed", "failed"] = outcome
        self.reason = reason
        self.result = result


class RouteFailed(Exception):
    """A step failed, and nothing in the route takes care of it."""

    def __init__(self, result: StepResult) -> None:
        self.result = result
        self.reason = result.error.message if result.error else "it failed"
        super().__init__(self.reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt at an action, to be made now."""

    step: UseStep
    #: The step as begun: its path, its inputs, the count of attempts with this one.
    begun: StepResult
    #: Whether it has to be recorded as begun before it is made.
    must_be_recorded: bool
    #: The same for each attempt.
    key: str
    timeout_ms: int
    retry: Retry | Literal[False]


@dataclass(frozen=True, kw_only=True, slots=True)
class Waited:
    """An event that a run listens for."""

    path: str
    trigger: EventTrigger | SourceTrigger
    when: When
    #: Of whom, or in which conversation; empty: of anybody (hub.rules.runs.listening).
    people: tuple[str, ...] = ()
    #: Unix ms.
    until_ms: int


Inputs = dict[str, Any]
