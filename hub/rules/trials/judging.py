"""Play a test and say in what it came otherwise than expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.model.actions import ActionDone, ActionFailed, ActionSpec
from hub.model.run import RunState
from hub.rules.condition_paths import MISSING
from hub.rules.fixtures.examples import changed, example
from hub.rules.routes.model import Route
from hub.rules.runs.results import StepResult, error_fields
from hub.rules.runs.signals import Attempt
from hub.rules.trials.comparing import Difference, difference, differences, shown
from hub.rules.trials.model import Expected, Mock, Trial
from hub.rules.trials.stage import Stage, Told

#: Reads rendered inputs as the action would; raises ActionFailed.
CheckInputs = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A template or a condition that has no value for the data of the test."""

    #: JSON pointer; empty where it stands in a route that was called.
    pointer: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What came of a test."""

    trial: Trial
    differences: tuple[Difference, ...]
    faults: tuple[Fault, ...]
    #: What the runs did, a line each, for whoever looks for the reason.
    story: tuple[str, ...]
    #: The results of all runs, by run.
    results: tuple[Mapping[str, StepResult], ...]

    @property
    def has_passed(self) -> bool:
        """Tell whether all was as expected."""
        return not self.differences and not self.faults


def play(
    trial: Trial,
    *,
    routes: Mapping[str, Route],
    actions: Mapping[str, ActionSpec],
    check_inputs: CheckInputs,
) -> Verdict:
    """Play a test.

    Args:
        trial: It.
        routes: That which is tested, and all that it may call.
        actions: All actions by name.
        check_inputs: Reads rendered inputs as the action would.
    """
    route = routes[trial.route]
    answering = Answering(trial.mocks, actions, check_inputs)
    stage = Stage(
        route,
        routes=routes,
        actions=actions,
        answer=answering.answer,
        now_ms=trial.now_ms,
        beside=[routes[each] for each in trial.beside],
    )
    told: list[Told] = []
    for happening in trial.happenings:
        stage.pass_time(happening.after_ms)
        if happening.fixture is None:
            continue
        event = example(happening.fixture, now_ms=stage.now_ms, number=len(told) + 1, route=route)
        told.append(stage.happen(changed(event, happening.overrides), given=trial.given))
    stage.settle()
    return Verdict(
        trial=trial,
        differences=tuple(_differences(trial, stage, told)),
        faults=tuple(_faults(stage, told)),
        story=tuple(_story(stage, told)),
        results=tuple(each.results for each in stage.rehearsals.values()),
    )


@dataclass(frozen=True, slots=True)
class Answering:
    """Gives what is mocked, and else the action's sample, if its inputs fit."""

    mocks: Mapping[str, Mock]
    actions: Mapping[str, ActionSpec]
    check_inputs: CheckInputs

    def answer(self, attempt: Attempt) -> ActionDone | ActionFailed:
        """Answer one attempt."""
        spec = self.actions.get(attempt.step.action)
        if spec is None:
            return ActionFailed("bug", f"There is no action {attempt.step.action}.")
        try:
            self.check_inputs(spec.name, attempt.begun.inputs)
        except ActionFailed as failure:
            return failure
        mock = self.mocks.get(attempt.step.id or "") or self.mocks.get(spec.name)
        if mock is None:
            return ActionDone(output=spec.sample)
        return mock.answers[min(attempt.begun.attempts, len(mock.answers)) - 1]


# ---- what came of it


def _differences(trial: Trial, stage: Stage, told: list[Told]) -> Iterator[Difference]:
    if trial.last is not None:
        final = told[-1] if told else Told(verdict="skipped", because="nothing happened")
        run_outcome = None if final.run_id is None else _outcome(stage, final.run_id)
        yield from _compared(trial.last, stage, final, run_outcome or "skipped", "")
    for place, (expected, each) in enumerate(zip(trial.each or (), told, strict=False)):
        outcome = "skipped" if each.verdict == "skipped" else "joined" if each.verdict == "joined" else None
        found = outcome or _outcome(stage, each.run_id or 0)
        yield from _compared(expected, stage, each, found, f"event {place + 1}: ")


def _compared(
    expected: Expected, stage: Stage, told: Told, outcome: str, prefix: str
) -> Iterator[Difference]:
    if expected.outcome is not None:
        yield from differences(expected.outcome, outcome, f"{prefix}outcome")
    rehearsal = stage.rehearsals.get(told.run_id or 0)
    end = None if rehearsal is None else rehearsal.end()
    if expected.because is not None:
        because = told.because if rehearsal is None or end is None else end.reason
        yield from differences(expected.because, MISSING if because is None else because, f"{prefix}because")
    called = _calls([] if rehearsal is None else rehearsal.attempts)
    if expected.calls is not None:
        yield from _calls_differ(expected.calls, called, f"{prefix}calls")
    names = [each.step.action for each in called]
    for name in expected.not_called:
        if name in names:
            yield difference(f"{prefix}not_called", f"no call of {name}", shown(names))
    results = {} if rehearsal is None else rehearsal.results
    for name, wanted in (expected.steps or {}).items():
        yield from differences(wanted, _step(results, name), f"{prefix}steps.{name}")
    if expected.warnings is not None:
        yield from differences(expected.warnings, 0 if end is None else end.warnings, f"{prefix}warnings")


def _calls(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Give the first attempt at each step: repetitions are no calls of their own."""
    return [each for each in attempts if each.begun.attempts == 1]


def _calls_differ(expected: tuple[Any, ...], called: list[Attempt], path: str) -> Iterator[Difference]:
    wanted = [each["use"] if isinstance(each, Mapping) else each for each in expected]
    names = [each.step.action for each in called]
    if wanted != names:
        yield difference(path, shown(wanted), shown(names))
        return
    for place, (want, call) in enumerate(zip(expected, called, strict=True)):
        if isinstance(want, Mapping) and "with" in want:
            yield from differences(want["with"], call.begun.inputs, f"{path}[{place}].with")


def _step(results: Mapping[str, StepResult], name: str) -> dict[str, Any]:
    found = [each for each in results.values() if each.name == name]
    if not found:
        return {"status": "not_reached", "attempts": 0}
    result = found[-1]
    shape: dict[str, Any] = {"status": str(result.status), "attempts": result.attempts}
    if result.attempts:
        shape["with"] = result.inputs
    if result.output is not None:
        shape["output"] = result.output
    if result.error is not None:
        shape["error"] = error_fields(result.error, name=name, attempts=result.attempts)
    return shape


def _outcome(stage: Stage, run_id: int) -> str:
    if stage.memory.runs[run_id].state is RunState.CANCELLED:
        return "cancelled"
    end = stage.end(run_id)
    return "waiting" if end is None else end.outcome


def _faults(stage: Stage, told: list[Told]) -> Iterator[Fault]:
    """Give what has no value: a mistake of the route, whether anything is expected of it or not."""
    for each in told:
        if each.fault is not None:
            yield _fault(each.fault)
    for rehearsal in stage.rehearsals.values():
        for path, result in rehearsal.results.items():
            if result.error is not None and result.error.error_class == "bug" and result.attempts == 0:
                yield _fault(result.error.message, is_called="/call/" in path)


def _fault(message: str, *, is_called: bool = False) -> Fault:
    pointer, _, rest = message.partition(": ")
    if is_called or not pointer.startswith("/"):
        return Fault(pointer="", message=message)
    return Fault(pointer=pointer, message=rest)


def _story(stage: Stage, told: list[Told]) -> Iterator[str]:
    for place, each in enumerate(told, start=1):
        why = f" ({each.detail or each.fault})" if each.detail or each.fault else ""
        yield f"event {place}: {each.verdict}{why}"
    for run_id, rehearsal in stage.rehearsals.items():
        for result in rehearsal.results.values():
            error = f": {result.error.error_class}, {result.error.message}" if result.error else ""
            name = f"{result.name} ({result.verb})" if result.name else result.verb
            yield f"  {result.path}  {name}  {result.status}{error}"
        end = rehearsal.end()
        reason = f": {end.reason}" if end is not None and end.reason else ""
        yield f"  the run: {_outcome(stage, run_id)}{reason}"
