"""Say what a route would make of an event: its conditions one by one, and what it would do. Nothing is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from hub.model.actions import ActionDone, ActionFailed
from hub.rules.event_types import expand_pattern
from hub.rules.expressions import ExpressionError, Surroundings
from hub.rules.expressions.templates import Condition
from hub.rules.fixtures.examples import FIXTURES, SOURCE, WEBHOOK, changed, example, unknown_fixture
from hub.rules.problems import Problem
from hub.rules.routes.model import (
    EventTrigger,
    ManualTrigger,
    Route,
    ScheduleTrigger,
    SourceTrigger,
    WebhookTrigger,
)
from hub.rules.routes.when import Judged
from hub.rules.runs import evaluating
from hub.rules.runs.evaluating import WrittenWrong
from hub.rules.runs.facts import Known, RunFacts
from hub.rules.runs.rehearsing import Rehearsal, TooMuch
from hub.rules.runs.signals import Attempt
from hub.rules.runs.wishing import MANUAL, SCHEDULE, Standing, names_for, types_of

#: What is shown of one that would do more.
MOST_ATTEMPTS: Final = 100
#: Results that are looked at for one that would do more: a second at the most, and not minutes for a thousand delays.
MOST_SEEN: Final = 20_000
IF: Final = "if"
Outcome = Literal["completed", "failed", "waiting", "unfinished"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What would come of an event."""

    #: Whether it would begin a run: it is of a type of the route's, and all conditions hold.
    matches: bool
    is_of_type: bool
    conditions: tuple[Judged, ...]
    #: The first attempt at each step, in order. Empty where nothing matches.
    attempts: tuple[Attempt, ...]
    #: Null where nothing matches. `unfinished`: it would do more than is tried.
    outcome: Outcome | None
    #: Why it would fail or stop.
    reason: str | None


def try_route(route: Route, event: Mapping[str, Any], known: Known, *, env_name: str, now_ms: int) -> Tried:
    """Try a route, whether it is switched on or not; what it remembers (dedupe, throttle …) is not asked.

    Args:
        route: It.
        event: As routes see it.
        known: The actions, whose samples stand for what they would give, and the routes that it may call.
        env_name: What this hub is called.
        now_ms: Unix ms.
    """
    standing = Standing(route=route, revision_id=0, since_position=0, types=types_of(route))
    is_of_type = _is_of_type(standing, event)
    conditions = judged(route, event, env_name=env_name, now_ms=now_ms)
    if not is_of_type or not all(each.holds for each in conditions):
        return Tried(
            matches=False,
            is_of_type=is_of_type,
            conditions=conditions,
            attempts=(),
            outcome=None,
            reason=None,
        )
    attempts, outcome, reason = _rehearsed(route, event, known, env_name=env_name, now_ms=now_ms)
    return Tried(
        matches=True,
        is_of_type=True,
        conditions=conditions,
        attempts=attempts,
        outcome=outcome,
        reason=reason,
    )


def _is_of_type(standing: Standing, event: Mapping[str, Any]) -> bool:
    event_type = event.get("type")
    if event_type == MANUAL:
        return any(isinstance(each, ManualTrigger) for each in standing.route.triggers)
    return event_type in standing.types and standing.fits(str(event_type), event)


def imagined(route: Route, given: Mapping[str, Any], *, now_ms: int) -> dict[str, Any] | Problem:
    """Give an event as a route sees it: an example of what starts the route, with some fields otherwise.

    Args:
        route: It.
        given: Fields, nested or dotted; `type` chooses among the events, else it is what the first trigger names.
        now_ms: When it happens. Unix ms.
    """
    name = given.get("type", _first_type(route))
    if not isinstance(name, str) or name not in FIXTURES:
        return unknown_fixture(name, "/type")
    is_hook = name == SOURCE and any(isinstance(each, WebhookTrigger) for each in route.triggers)
    told = {key: value for key, value in given.items() if key != "type"}
    for each in route.triggers:
        if name == SOURCE and isinstance(each, SourceTrigger) and "source" not in given:
            told = {"source": each.source, "event": next(iter(each.events), "received"), **told}
            is_hook = False
            break
    fixture = WEBHOOK if is_hook and "source" not in told else name
    return changed(example(fixture, now_ms=now_ms, route=route), told)


def _first_type(route: Route) -> str:
    match route.triggers[0]:
        case EventTrigger(patterns=patterns):
            return expand_pattern(patterns[0])[0]
        case SourceTrigger() | WebhookTrigger():
            return SOURCE
        case ScheduleTrigger():
            return SCHEDULE
        case ManualTrigger():
            return MANUAL


def judged(route: Route, event: Mapping[str, Any], *, env_name: str, now_ms: int) -> tuple[Judged, ...]:
    """Judge all conditions of a route, also those after one that does not hold."""
    found = list(route.when.judged(event, now_ms))
    if route.if_ is not None:
        names = names_for(route, event, env_name)
        surroundings = Surroundings(now_ms=now_ms, timezone=route.timezone or "UTC")
        holds, actual = False, "false"
        try:
            holds = evaluating.holds(route.if_, names, surroundings)
            actual = "true" if holds else "false"
        except WrittenWrong as wrong:
            actual = str(wrong).partition(": ")[2]
        found.append(Judged(path=IF, matcher="", expected=str(route.if_.source), actual=actual, holds=holds))
    return tuple(found)


def asked(
    condition: Condition, route: Route, event: Mapping[str, Any], *, env_name: str, now_ms: int
) -> bool | str:
    """Ask an expression of the same event; the text says why it has no value."""
    surroundings = Surroundings(now_ms=now_ms, timezone=route.timezone or "UTC")
    try:
        return condition.holds(names_for(route, event, env_name), surroundings)
    except ExpressionError as error:
        return str(error)


def _rehearsed(
    route: Route, event: Mapping[str, Any], known: Known, *, env_name: str, now_ms: int
) -> tuple[tuple[Attempt, ...], Outcome, str | None]:
    attempts: list[Attempt] = []

    def answer(attempt: Attempt) -> ActionDone | ActionFailed:
        if len(attempts) == MOST_ATTEMPTS:
            raise TooMuch
        attempts.append(attempt)
        spec = known.actions.get(attempt.step.action)
        if spec is None:
            return ActionFailed("bug", f"There is no action {attempt.step.action}.")
        return ActionDone(output=spec.sample)

    facts = RunFacts(
        id="run_0000000000000",
        url="",
        started_at=now_ms,
        event=event,
        events=(event,),
        env_name=env_name,
        key_seed="try",
    )
    rehearsal = Rehearsal(
        route=route, facts=facts, known=known, answer=answer, now_ms=now_ms, most_seen=MOST_SEEN
    )
    try:
        rehearsal.go()
    except TooMuch:
        return _first(attempts), "unfinished", None
    end = rehearsal.end()
    return _first(attempts), "waiting" if end is None else end.outcome, None if end is None else end.reason


def _first(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    return tuple(each for each in attempts if each.begun.attempts == 1)
