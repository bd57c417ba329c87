"""Say of an event and each route that listens to its type why it began a run, or why it did not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.model.run import Decided, RunVerdict
from hub.rules.routes.when import Failed
from hub.rules.runs.why import Why
from hub.rules.runs.wishing import Standing, ask, in_order


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What one route says to an event."""

    route_id: str
    revision_id: int
    why: Why
    #: A sentence.
    reason: str
    #: The first line of its `when` that does not hold.
    failed: Failed | None = None
    #: The run that began, or that the event joined.
    run_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """An event, and what is known of it."""

    type: str
    position: int
    #: As it was recorded.
    data: Mapping[str, Any]
    #: As routes see it.
    shown: Mapping[str, Any]
    hops: int
    #: Unix ms: when it was looked at.
    now_ms: int
    env_name: str
    #: Whether it is certain that it was looked at: where no route wanted anything, that is not kept.
    is_decided: bool


_SAID: Final[Mapping[RunVerdict, str]] = {
    RunVerdict.BEGUN: "it began a run",
    RunVerdict.JOINED: "it went into a run that had not begun yet (debounce, or throttle with `then: last`)",
    RunVerdict.DEDUPE: "the same key had started a run (dedupe)",
    RunVerdict.THROTTLE: "the key had as many runs as `throttle` lets it have in its time",
    RunVerdict.CONCURRENCY: "another run of its lane was under way (concurrency, `then: skip`)",
    RunVerdict.ERROR: "it could not be decided",
    RunVerdict.LOOP: "routes trigger one another",
}
#: Routes that were asked and wanted the event, whatever became of that.
_WANTED: Final = frozenset(
    {Why.BEGUN, Why.JOINED, Why.DEDUPE, Why.THROTTLE, Why.CONCURRENCY, Why.CHANGED_SINCE, Why.NOT_YET}
)


def answers(standings: Iterable[Standing], asked: Asked, decided: Collection[Decided]) -> list[Answer]:
    """Work out what each route that listens to the type of an event says to it, in the order in which they are asked.

    First come the runs that waited for it: one route may have several, and another answer besides.

    Args:
        standings: Routes as they stood then, those included that are switched off.
        asked: The event.
        decided: What is on record.
    """
    found = [_taken(each) for each in decided if each.step is not None]
    by_route = {each.route_id: each for each in decided if each.step is None}
    stopper: str | None = None
    for standing in in_order(each for each in standings if asked.type in each.types):
        answer = _answer(standing, asked, by_route.get(standing.route.id), stopper)
        found.append(answer)
        if standing.route.stop_others and answer.why in _WANTED and stopper is None:
            stopper = standing.route.id
    return found


def _taken(decided: Decided) -> Answer:
    return Answer(
        route_id=decided.route_id,
        revision_id=decided.revision_id,
        why=Why(decided.verdict.value),
        reason=f"its step '{decided.step}' waited for it (wait_for) and took it",
        run_id=decided.run_id,
    )


def _answer(standing: Standing, asked: Asked, decided: Decided | None, stopper: str | None) -> Answer:
    if decided is not None:
        reason = _SAID[decided.verdict] + (f": {decided.reason}" if decided.reason else "")
        return _said(standing, Why(decided.verdict.value), reason, run_id=decided.run_id)
    early = _before_conditions(standing, asked, stopper)
    if early is not None:
        return _said(standing, *early)
    failed = standing.route.when.failed(asked.shown, asked.now_ms)
    if failed is not None:
        return _said(standing, Why.WHEN, str(failed), failed=failed)
    return _said(standing, *_after_conditions(standing, asked))


def _after_conditions(standing: Standing, asked: Asked) -> tuple[Why, str]:
    """Its `when` holds."""
    told = ask([standing], asked.shown, env_name=asked.env_name, hops=asked.hops, now_ms=asked.now_ms)
    if told.decided:
        return Why(told.decided[0].verdict.value), told.decided[0].reason or ""
    if not told.wanted:
        assert standing.route.if_ is not None
        return Why.IF, f"its `if` is false: {standing.route.if_.source}"
    if not asked.is_decided:
        return Why.NOT_YET, "it would start; the event waits to be looked at, or things changed since"
    return Why.CHANGED_SINCE, "as things are known now it would start, and it did not then"


def _before_conditions(standing: Standing, asked: Asked, stopper: str | None) -> tuple[Why, str] | None:
    if asked.position <= standing.since_position:
        return Why.INSTALLED_LATER, "the route came later than the event; POST /v1/routes/{id}/run starts it"
    if not standing.route.is_enabled:
        return Why.DISABLED, "the route is switched off: enabled: false"
    if not standing.fits(asked.type, asked.data):
        return Why.OTHER_SOURCE, "its trigger names another source, or other events of it"
    if stopper is not None:
        return Why.STOPPED, f"{stopper} comes before it and stops the others"
    return None


def _said(
    standing: Standing, why: Why, reason: str, *, failed: Failed | None = None, run_id: int | None = None
) -> Answer:
    return Answer(
        route_id=standing.route.id,
        revision_id=standing.revision_id,
        why=why,
        reason=reason,
        failed=failed,
        run_id=run_id,
    )
