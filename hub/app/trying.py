"""Try a route on one event: each condition with what the event has, each step as it would be done. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hub.app.offline import OfflineActions
from hub.model.actions import ActionCall, ActionFailed
from hub.rules.condition_paths import compile_path
from hub.rules.event_types import expand_pattern
from hub.rules.expressions import EACH
from hub.rules.routes.model import (
    EventTrigger,
    Route,
    ScheduleTrigger,
    SourceTrigger,
    WebhookTrigger,
    Written,
)
from hub.rules.routes.reads import reads_of
from hub.rules.runs.rehearsing import Rehearsal
from hub.rules.runs.results import StepResult, StepStatus
from hub.rules.runs.signals import Attempt
from hub.rules.runs.wishing import MANUAL, SCHEDULE
from hub.rules.trials.comparing import shown
from hub.rules.trials.judging import Answering
from hub.rules.trials.stage import Stage, Told


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What one route says to an event."""

    route: str
    would_start: bool
    #: For people.
    lines: tuple[str, ...]


def default_fixture(route: Route) -> str:
    """Give the example of what starts a route."""
    match route.triggers[0]:
        case EventTrigger(patterns=patterns):
            types = expand_pattern(patterns[0])
            return "message.received" if "message.received" in types else types[0]
        case SourceTrigger():
            return "source.received"
        case ScheduleTrigger():
            return SCHEDULE
        case WebhookTrigger():
            return "webhook"
    return MANUAL


def try_route(  # noqa: PLR0917 - what is tried, on what, and when
    route: Route,
    event: Mapping[str, Any],
    routes: Mapping[str, Route],
    actions: OfflineActions,
    now_ms: int,
    is_anyway: bool,
    given: Mapping[str, Any],
) -> Tried:
    """Try a route.

    Args:
        route: It.
        event: As routes see it.
        routes: All that it may call, by id.
        actions: What steps may use.
        now_ms: When it happens.
        is_anyway: Whether steps are shown of a route that would not start.
        given: What whoever starts it by hand, or calls it, hands over.
    """
    answering = Answering({}, actions.specs, actions.check_inputs)
    stage = Stage(route, routes=routes, actions=actions.specs, answer=answering.answer, now_ms=now_ms)
    told = stage.happen(event, given=given)
    lines = list(_conditions(route, event, told, now_ms))
    would_start = told.run_id is not None
    if not would_start and is_anyway:
        lines.append("  as if it started:")
        told = stage.start(event, given)
    stage.settle()
    rehearsal = stage.rehearsals.get(told.run_id or 0)
    if rehearsal is not None:
        lines += _Steps(rehearsal, actions, event).lines()
    return Tried(route=route.id, would_start=would_start, lines=tuple(lines))


# ---- conditions


def _conditions(route: Route, event: Mapping[str, Any], told: Told, now_ms: int) -> Iterator[str]:
    is_for_it = told.because not in {"trigger", "enabled"}
    yield f"  trigger  {_mark(is_for_it)}  {event.get('type')}"
    for line in route.when.lines:
        asked = f"{line.matcher} {shown(line.operand)}".lstrip()
        actual = line.actual(event, now_ms)
        yield f"  when     {_mark(line.holds(event, now_ms))}  {line.path}: {asked}   it is {actual}"
    if route.if_ is not None:
        mark = "??" if told.fault else _mark(told.because != "if")
        if told.because not in {None, "if", "error"}:
            mark = "--"  # never asked: something before it did not hold
        yield f"  if       {mark}  {route.if_.source}{_values(route.if_, event)}"
    if told.run_id is None:
        yield f"  it does not start: {told.fault or told.detail}"
    else:
        yield "  it starts"


def _mark(holds: bool) -> str:
    return "ok" if holds else "no"


def _values(written: Written, event: Mapping[str, Any]) -> str:
    """Show what a condition reads of the event."""
    known = {}
    for placed in reads_of(written):
        match placed.read.path:
            case ("event", *path) if path and EACH not in path:
                name = ".".join(map(str, path))
                known[f"event.{name}"] = shown(compile_path(name)(event))
    return f"   {', '.join(f'{name} is {value}' for name, value in known.items())}" if known else ""


# ---- steps

_WAITS: Final = frozenset({StepStatus.WAITING, StepStatus.RETRYING})


class _Steps:
    """What a run in memory came to."""

    def __init__(self, rehearsal: Rehearsal, actions: OfflineActions, event: Mapping[str, Any]) -> None:
        self._rehearsal = rehearsal
        self._actions = actions
        self._event = event
        self._attempts = {each.begun.path: each for each in rehearsal.attempts}

    def lines(self) -> Iterator[str]:
        """Tell it, a line each."""
        for result in self._rehearsal.results.values():
            yield from self._step(result)
        end = self._rehearsal.end()
        if end is None:
            yield "  the run waits here"
        else:
            yield f"  the run is {end.outcome}" + (f": {end.reason}" if end.reason else "")

    def _step(self, result: StepResult) -> Iterator[str]:
        if result.verb == "vars":
            for name, value in result.output.items():
                yield f"  vars     {name}: {shown(value)}"
            return
        name = f" ({result.name})" if result.name else ""
        yield f"  {result.path}  {result.verb}{name}  {self._state(result)}"
        attempt = self._attempts.get(result.path)
        if attempt is not None:
            for key, value in attempt.begun.inputs.items():
                yield f"      {key}: {shown(value)}"
            yield from self._requests(attempt)
        if result.verb == "set":
            for key, value in result.output.items():
                yield f"      {key}: {shown(value)}"
        if result.status is StepStatus.COMPLETED and attempt is not None:
            yield f"      its sample is taken for its answer: {shown(result.output)}"

    def _requests(self, attempt: Attempt) -> Iterator[str]:
        call = ActionCall(
            name=attempt.step.action,
            connection=attempt.step.connection,
            inputs=attempt.begun.inputs,
            key=attempt.key,
            attempt=1,
            timeout_ms=attempt.timeout_ms,
            event=self._event,
            ignore=frozenset(attempt.step.ignore),
        )
        try:
            for line in self._actions.preview(call, now_ms=attempt.begun.started_at):
                yield f"      would: {line}"
        except ActionFailed as failure:
            yield f"      would fail ({failure.error_class}): {failure.message}"

    @staticmethod
    def _state(result: StepResult) -> str:
        if result.error is not None:
            return f"{result.status}: {result.error.error_class}, {result.error.message}"
        if result.verb == "switch":
            chosen = (result.inputs or {}).get("case")
            return "no case holds" if chosen is None else f"case {chosen + 1}"
        if result.status in _WAITS or result.verb == "delay":
            at = result.next_at or result.changed_at
            return f"{result.status} until {datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        return str(result.status) + (f": {result.reason}" if result.reason else "")
