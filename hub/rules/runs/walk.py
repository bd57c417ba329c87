"""Walk the steps of a run from the beginning: what has a result gives it, what has none yet is brought on.

Nothing is remembered between two walks but the results, so there is nothing that a crash could leave out of step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from hub.model.actions import ErrorClass
from hub.rules.expressions.frame import Surroundings
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
    Written,
)
from hub.rules.runs import evaluating
from hub.rules.runs.evaluating import WrittenWrong
from hub.rules.runs.facts import Known, RunFacts
from hub.rules.runs.instants import read_instant
from hub.rules.runs.listening import wait
from hub.rules.runs.places import verb_of
from hub.rules.runs.results import StepError, StepResult, StepStatus, error_fields
from hub.rules.runs.scope import RunScope
from hub.rules.runs.signals import Attempt, RouteFailed, RouteStopped, Waited
from hub.rules.runs.using import use

MOST_RESULTS: Final = 5_000
MOST_CALLS: Final = 5


class Walk:
    """One walk through one run."""

    def __init__(
        self,
        route: Route,
        facts: RunFacts,
        known: Known,
        results: Mapping[str, StepResult],
        *,
        now_ms: int,
        in_hand: frozenset[str],
    ) -> None:
        self.facts = facts
        self.known = known
        self.now_ms = now_ms
        self.in_hand = in_hand
        self.changes: dict[str, StepResult] = {}
        self.attempts: list[Attempt] = []
        self.waits: list[Waited] = []
        self.wake_at: int | None = None
        self.warnings = 0
        self._results = results
        self._depth = 0
        #: Of the route that was called; None in the run's own.
        self.revision: int | None = None
        #: The route in which the walk is.
        self.within = route

    # ---- routes

    def route(self, route: Route, prefix: str, given: dict[str, Any], *, depth: int) -> dict[str, Any] | None:
        """Walk a route, and its `on_error` where it fails.

        Returns:
            Its `vars` at its end; None while it is not over.

        Raises:
            RouteStopped, RouteFailed: As they say.
        """
        outer, self.within, self._depth = self.within, route, depth
        scope = RunScope.of(route, self.facts, given)
        try:
            try:
                is_over = self._vars(route, prefix, scope) and self.steps(route.steps, prefix, scope)
            except RouteFailed as failure:
                if not self._handled(route, prefix, scope, failure):
                    return None
                raise
            return scope.names["vars"] if is_over else None
        finally:
            self.within = outer

    def _handled(self, route: Route, prefix: str, scope: RunScope, failure: RouteFailed) -> bool:
        """Walk what the route does when it has failed for good; tell whether it is over."""
        result = failure.result
        error = result.error or StepError(error_class="bug", message=failure.reason)
        fields = error_fields(error, name=result.name or result.path, attempts=result.attempts)
        try:
            return self.steps(route.on_error, f"{prefix}error/", scope.failing(fields))
        except RouteStopped:
            return True
        except RouteFailed:
            self.warnings += 1
            return True

    def _vars(self, route: Route, prefix: str, scope: RunScope) -> bool:
        if not route.vars:
            return True
        result = self.result(f"{prefix}vars")
        if result is None:
            begun = self._first(f"{prefix}vars", None, "vars")
            given = dict(scope.names["vars"])
            values = {}
            for name, written in route.vars.items():
                values[name] = self.value(written, scope, begun)
                scope.set({name: values[name]})
            scope.set(given)
            result = self.record(replace(begun, status=StepStatus.COMPLETED, output={**values, **given}))
        scope.set(result.output)
        return True

    # ---- steps

    def steps(self, steps: tuple[Step, ...], prefix: str, scope: RunScope) -> bool:
        """Walk steps, one after the other; tell whether all are over."""
        return all(self.step(step, f"{prefix}{place}", scope) for place, step in enumerate(steps))

    def step(self, step: Step, path: str, scope: RunScope) -> bool:
        """Walk one step; tell whether it is over."""
        result = self.result(path)
        if result is None:
            if len(self._results) + len(self.changes) >= MOST_RESULTS:
                begun = self.first(step, path)
                raise RouteFailed(self.fail(begun, "budget", f"a run has at most {MOST_RESULTS} steps"))
            if step.if_ is not None:
                begun = self.first(step, path)
                if not self._holds(step.if_, scope, begun):
                    result = self.record(
                        replace(begun, status=StepStatus.SKIPPED, reason="its `if` does not hold")
                    )
        if result is not None and result.status is StepStatus.SKIPPED:
            scope.note(result)
            return True
        return self._verb(step, path, scope, result or self.first(step, path))

    def _verb(self, step: Step, path: str, scope: RunScope, result: StepResult) -> bool:
        match step:
            case UseStep():
                is_over = use(self, step, path, scope, self.result(path))
            case DelayStep():
                is_over = self._delay(step, scope, result)
            case WaitStep():
                is_over = wait(self, step, path, scope, result)
            case SwitchStep():
                is_over = self._switch(step, path, scope, result)
            case ForeachStep():
                is_over = self._foreach(step, path, scope, result)
            case ParallelStep():
                is_over = self._parallel(step, path, scope, result)
            case CallStep():
                is_over = self._call(step, path, scope, result)
            case SetStep():
                is_over = self._set(step, scope, result)
            case StopStep():
                is_over = self._stop(step, scope, result)
        return is_over

    def _delay(self, step: DelayStep, scope: RunScope, result: StepResult) -> bool:
        if result.next_at is None:
            result = self.record(
                replace(result, status=StepStatus.WAITING, next_at=self._due(step, scope, result))
            )
        if result.status is StepStatus.WAITING and not self.is_due(result):
            return False
        return self.completed(result, scope)

    def _due(self, step: DelayStep, scope: RunScope, begun: StepResult) -> int:
        if step.until is None:
            return begun.started_at + (step.ms or 0)
        until = self.value(step.until, scope, begun)
        at_ms = read_instant(until, timezone=self.timezone)
        if at_ms is None:
            message = f"{step.until.pointer}: {str(until)[:80]!r} is no instant; write Unix ms or 2026-08-01T09:00:00Z"
            raise RouteFailed(self.fail(begun, "bug", message))
        return max(at_ms, begun.started_at)

    def _switch(self, step: SwitchStep, path: str, scope: RunScope, result: StepResult) -> bool:
        if result.inputs is None:
            holds = (
                place
                for place, case in enumerate(step.cases)
                if case.if_ is None or self._holds(case.if_, scope, result)
            )
            result = self.record(replace(result, inputs={"case": next(holds, None)}))
        chosen = result.inputs["case"]
        if chosen is None or self.steps(step.cases[chosen].steps, f"{path}/case.{chosen}/", scope):
            return self.completed(result, scope)
        return False

    def _foreach(self, step: ForeachStep, path: str, scope: RunScope, result: StepResult) -> bool:
        if result.inputs is None:
            result = self.record(replace(result, inputs={"items": self._items(step, scope, result)}))
        failure: RouteFailed | None = None
        pending = 0
        for place, item in enumerate(result.inputs["items"]):
            prefix = f"{path}/item.{place}/"
            if failure is not None and not self._has_begun(prefix):
                break
            try:
                pending += not self.steps(
                    step.steps, prefix, scope.inner(**{step.name: item, "index": place})
                )
            except RouteFailed as failed:
                failure = failure or failed
            if pending >= step.parallel:
                return False
        if pending:
            return False
        if failure is not None:
            raise failure
        return self.completed(result, scope, output={"count": len(result.inputs["items"])})

    def _has_begun(self, prefix: str) -> bool:
        return any(path.startswith(prefix) for path in (*self._results, *self.changes))

    def _items(self, step: ForeachStep, scope: RunScope, begun: StepResult) -> list[Any]:
        try:
            items = evaluating.items(step.items, scope.names, self.surroundings(begun))
        except WrittenWrong as wrong:
            raise RouteFailed(self.fail(begun, "bug", str(wrong))) from None
        if len(items) > step.limit:
            message = f"there are {len(items)} items, and `limit` is {step.limit}: raise it, or take fewer"
            raise RouteFailed(self.fail(begun, "budget", message))
        return items

    def _parallel(self, step: ParallelStep, path: str, scope: RunScope, result: StepResult) -> bool:
        if self.result(path) is None:
            result = self.record(result)
        failure: RouteFailed | None = None
        is_over = True
        for place, branch in enumerate(step.steps):
            try:
                is_over &= self.step(branch, f"{path}/{place}", scope)
            except RouteFailed as failed:
                failure = failure or failed
        if not is_over:
            return False
        if failure is not None:
            raise failure
        return self.completed(result, scope)

    def _call(self, step: CallStep, path: str, scope: RunScope, result: StepResult) -> bool:
        if result.inputs is None:
            result = self._begin_call(step, scope, result)
        depth, revision = self._depth, self.revision
        self.revision = result.inputs["revision"]
        try:
            given = self.route(
                self.known.callees.route(result.inputs["revision"]),
                f"{path}/call/",
                result.inputs["with"],
                depth=depth + 1,
            )
        except RouteStopped as stopped:
            if stopped.outcome == "failed":
                raise RouteFailed(self.fail(result, "invalid", stopped.reason)) from None
            return self.completed(result, scope, output={"stopped": stopped.reason})
        finally:
            self._depth, self.revision = depth, revision
        return given is not None and self.completed(result, scope, output={"vars": given})

    def _begin_call(self, step: CallStep, scope: RunScope, begun: StepResult) -> StepResult:
        given = self.value(step.with_, scope, begun)
        revision = self.known.callees.newest(step.route)
        if revision is None:
            message = f"no route {step.route} runs here: write one, or enable it"
            raise RouteFailed(self.fail(begun, "not_found", message))
        if self._depth >= MOST_CALLS:
            message = f"routes call one another more than {MOST_CALLS} deep"
            raise RouteFailed(self.fail(begun, "budget", message))
        return self.record(replace(begun, inputs={"revision": revision, "with": given}))

    def _set(self, step: SetStep, scope: RunScope, result: StepResult) -> bool:
        if not result.is_over:
            values = {name: self.value(written, scope, result) for name, written in step.values.items()}
            result = self.record(replace(result, status=StepStatus.COMPLETED, output=values))
        scope.set(result.output)
        scope.note(result)
        return True

    def _stop(self, step: StopStep, scope: RunScope, result: StepResult) -> bool:
        if not result.is_over:
            reason = str(self.value(step.reason, scope, result))
            result = self.record(replace(result, status=StepStatus.COMPLETED, reason=reason))
        raise RouteStopped(step.outcome, result.reason or "", result)

    # ---- what all kinds of steps need

    @property
    def timezone(self) -> str:
        return self.within.timezone or self.facts.timezone

    def result(self, path: str) -> StepResult | None:
        """Give what is known of a step."""
        return self.changes.get(path) or self._results.get(path)

    def all_results(self) -> Mapping[str, StepResult]:
        """Give what is known of all steps, by path."""
        return {**self._results, **self.changes}

    def record(self, result: StepResult) -> StepResult:
        """Have a result recorded."""
        self.changes[result.path] = replace(result, changed_at=self.now_ms)
        return self.changes[result.path]

    def first(self, step: Step, path: str) -> StepResult:
        """Give the result of a step that is reached for the first time; not recorded yet."""
        return self._first(path, step.id, verb_of(step))

    def _first(self, path: str, name: str | None, verb: str) -> StepResult:
        return StepResult(
            path=path,
            name=name,
            verb=verb,
            status=StepStatus.BEGUN,
            started_at=self.now_ms,
            changed_at=self.now_ms,
        )

    def fail(self, begun: StepResult, error_class: ErrorClass, message: str) -> StepResult:
        """Record that a step failed without an attempt."""
        error = StepError(error_class=error_class, message=message)
        return self.record(replace(begun, status=StepStatus.FAILED, next_at=None, error=error))

    def completed(self, result: StepResult, scope: RunScope, *, output: Any = None) -> bool:
        """Record, once, that a step is over."""
        if not result.is_over:
            result = self.record(
                replace(result, status=StepStatus.COMPLETED, next_at=None, output=output or {})
            )
        scope.note(result)
        return True

    def is_due(self, result: StepResult) -> bool:
        """Tell whether the instant has come for which a step waits; else have the run looked at then."""
        assert result.next_at is not None
        if result.next_at <= self.now_ms:
            return True
        self.wake_at = result.next_at if self.wake_at is None else min(self.wake_at, result.next_at)
        return False

    def value(self, written: Written, scope: RunScope, begun: StepResult) -> Any:
        """Render what is written.

        Raises:
            RouteFailed: It has no value for these data.
        """
        try:
            return evaluating.value(written, scope.names, self.surroundings(begun))
        except WrittenWrong as wrong:
            raise RouteFailed(self.fail(begun, "bug", str(wrong))) from None

    def _holds(self, written: Written, scope: RunScope, begun: StepResult) -> bool:
        try:
            return evaluating.holds(written, scope.names, self.surroundings(begun))
        except WrittenWrong as wrong:
            raise RouteFailed(self.fail(begun, "bug", str(wrong))) from None

    def surroundings(self, begun: StepResult) -> Surroundings:
        """What expressions of a step may ask for: the time is that at which it was first reached."""
        return Surroundings(now_ms=begun.started_at, timezone=self.timezone)
