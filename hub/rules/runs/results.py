"""What a step of a run came to, so far. The results of its steps are all the state that a run has (decision 20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hub.model.actions import ErrorClass


class StepStatus(StrEnum):
    """Where a step is."""

    #: Its attempt has begun. Recorded before an attempt that must not be repeated.
    BEGUN = "begun"
    #: For an instant, or an event.
    WAITING = "waiting"
    #: An attempt failed; the next one is due at `next_at`.
    RETRYING = "retrying"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    #: What was waited for did not come.
    TIMED_OUT = "timed_out"
    FAILED = "failed"


#: Nothing follows.
OVER: Final = frozenset({StepStatus.COMPLETED, StepStatus.SKIPPED, StepStatus.TIMED_OUT, StepStatus.FAILED})


@dataclass(frozen=True, kw_only=True, slots=True)
class StepError:
    """Why the latest attempt failed; what `error` offers to expressions."""

    error_class: ErrorClass
    message: str
    status: int | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StepResult:
    """What is recorded of one step at one place of a run."""

    #: Where in the run: `0`, `2/case.1/0`, `3/item.4/0`, `error/0`.
    path: str
    #: The step's id, for people and expressions.
    name: str | None
    #: What it does: the action of a `use`, else the verb.
    verb: str
    status: StepStatus
    #: Unix ms: when it was first reached; what `now()` is to its expressions.
    started_at: int
    #: Unix ms: of its latest change.
    changed_at: int
    attempts: int = 0
    #: Unix ms: when to look at it again.
    next_at: int | None = None
    #: What it was given, rendered once and the same for each attempt.
    inputs: Any = None
    output: Any = None
    error: StepError | None = None
    #: Masked, a line each.
    requests: tuple[str, ...] = ()
    #: Why it waits, was skipped or may have happened.
    reason: str | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing follows."""
        return self.status in OVER

    @property
    def shown(self) -> dict[str, Any]:
        """What `steps.<id>` offers to expressions: an output only where there is one."""
        known: dict[str, Any] = {"status": str(self.status), "attempts": self.attempts}
        if self.status in {StepStatus.COMPLETED, StepStatus.TIMED_OUT}:
            known["output"] = self.output
        if self.error is not None:
            known["error"] = error_fields(self.error, name=self.name or self.path, attempts=self.attempts)
        return known


def error_fields(error: StepError, *, name: str, attempts: int) -> dict[str, Any]:
    """What `error` offers to expressions (facts: routes A2, `on_error`)."""
    return {
        "class": error.error_class,
        "message": error.message,
        "status": error.status,
        "step": name,
        "attempts": attempts,
        **(error.details or {}),
    }
