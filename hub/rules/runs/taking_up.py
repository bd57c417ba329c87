"""Take a run that failed up again where it failed: which of its results the new run begins with.

What is over stays over: it is not done again. What failed the run is done again, under the keys that it had, so that
a provider that knows them does nothing twice. Choices that were made (the case of a switch, the items of a list, the
revision of a route that is called) stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from hub.rules.routes.model import Route, UseStep
from hub.rules.runs.places import Called, find_step, verb_of
from hub.rules.runs.results import StepResult, StepStatus

_VARS: Final = "vars"
_STOP: Final = "stop"
_CONTAINERS: Final = frozenset({"switch", "foreach", "parallel", "call"})
#: What a route does when it has failed for good; its own, and that of a route that it called.
_AFTERWARDS: Final = ("error/", "/call/error/")


class Misfit(Exception):
    """Another revision has other steps where something was done already; the message says which."""


def taken_up(
    route: Route, results: Iterable[StepResult], called: Called, *, is_other_revision: bool
) -> tuple[StepResult, ...]:
    """Give the results that a run begins with which takes up one that failed.

    Args:
        route: At the revision of the new run.
        results: Of the run that failed.
        called: Knows the routes of its calls.
        is_other_revision: Whether the new run's revision is another one.

    Raises:
        Misfit: The other revision has another step at a place where something was done.
    """
    kept = tuple(
        _as_begun(each) if _is_broken_container(each) else each
        for each in results
        if _stays(each, route, called, is_other_revision=is_other_revision)
    )
    if is_other_revision:
        for each in kept:
            _require_fit(route, each, called)
    return kept


def called_in(results: Iterable[StepResult]) -> Mapping[str, int]:
    """Give the revisions that calls have begun, by the path of the call."""
    return {
        each.path: each.inputs["revision"]
        for each in results
        if each.verb == "call" and isinstance(each.inputs, dict)
    }


def _stays(result: StepResult, route: Route, called: Called, *, is_other_revision: bool) -> bool:
    if result.path.startswith(_AFTERWARDS[0]) or _AFTERWARDS[1] in result.path or result.verb == _STOP:
        return False
    if result.verb == _VARS:
        return not (is_other_revision and result.path == _VARS)
    if result.verb in _CONTAINERS and result.inputs is not None:
        return True
    if result.status is StepStatus.FAILED:
        return _is_cared_for(result, route, called)
    return result.is_over


def _is_cared_for(result: StepResult, route: Route, called: Called) -> bool:
    """Whether the route went on after a failure."""
    step = find_step(route, result.path, called)
    return isinstance(step, UseStep) and step.on_error != "fail"


def _is_broken_container(result: StepResult) -> bool:
    return result.verb in _CONTAINERS and result.status is StepStatus.FAILED


def _as_begun(result: StepResult) -> StepResult:
    return replace(result, status=StepStatus.BEGUN, error=None)


def _require_fit(route: Route, result: StepResult, called: Called) -> None:
    if result.verb == _VARS:
        return
    step = find_step(route, result.path, called)
    if step is None or (step.id, verb_of(step)) != (result.name, result.verb):
        was = f"{result.name} ({result.verb})" if result.name else result.verb
        now = "nothing" if step is None else f"{step.id} ({verb_of(step)})" if step.id else verb_of(step)
        raise Misfit(f"step {result.path} was {was} and is {now} in the latest revision")
