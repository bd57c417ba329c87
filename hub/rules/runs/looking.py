"""Look at a run: from what is recorded, what is to be recorded, attempted and waited for now (decision 20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from hub.rules.routes.model import Route
from hub.rules.runs.facts import Known, RunFacts
from hub.rules.runs.results import StepError, StepResult, StepStatus
from hub.rules.runs.signals import Attempt, RouteFailed, RouteStopped, Waited
from hub.rules.runs.walk import Walk


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How a run ended."""

    outcome: Literal["completed", "failed"]
    #: Why it was stopped, or what failed.
    reason: str | None
    #: What failed, if something did.
    failed_path: str | None = None
    error: StepError | None = None
    #: Failures that the route itself took care of.
    warnings: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a run wants now."""

    #: New results and changed ones, to be recorded before anything is attempted.
    changes: tuple[StepResult, ...]
    #: To be made now.
    attempts: tuple[Attempt, ...]
    #: What it listens for.
    waits: tuple[Waited, ...]
    #: Unix ms: when to look again, whatever happens; None if only an attempt or nothing can bring it on.
    wake_at: int | None
    #: Set when it is over; attempts under way are let end before.
    end: End | None


def look(
    route: Route,
    facts: RunFacts,
    known: Known,
    results: Mapping[str, StepResult],
    *,
    now_ms: int,
    in_hand: frozenset[str] = frozenset(),
) -> Look:
    """Look at a run.

    Args:
        route: The revision that it began with.
        facts: What it knows from its beginning.
        known: Actions and routes.
        results: What is recorded, by path.
        now_ms: Unix ms.
        in_hand: Paths of attempts that are under way right now.
    """
    walk = Walk(route, facts, known, results, now_ms=now_ms, in_hand=in_hand)
    end: End | None = None
    try:
        if walk.route(route, "", dict(facts.given), depth=0) is not None:
            end = End(outcome="completed", reason=None, warnings=walk.warnings)
    except RouteStopped as stopped:
        end = End(outcome=stopped.outcome, reason=stopped.reason, warnings=walk.warnings)
    except RouteFailed as failure:
        end = End(
            outcome="failed",
            reason=failure.reason,
            failed_path=failure.result.path,
            error=failure.result.error,
            warnings=walk.warnings,
        )
    is_over = end is not None
    return Look(
        changes=tuple(walk.changes.values()),
        attempts=() if is_over else tuple(walk.attempts),
        waits=() if is_over else tuple(walk.waits),
        wake_at=None if is_over else walk.wake_at,
        end=end,
    )


def arrived(waiting: StepResult, event: Mapping[str, object], *, now_ms: int) -> StepResult:
    """Give the result of a wait whose event has come."""
    return replace(
        waiting, status=StepStatus.COMPLETED, changed_at=now_ms, next_at=None, output={"event": event}
    )
