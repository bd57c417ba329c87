"""One step that uses an action: when an attempt is made, and what follows the failure of the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from hub.model.actions import ActionFailed, ActionKind, Repetition
from hub.rules.chatkeys import normalize_handle
from hub.rules.phone_zones import zone_of
from hub.rules.routes.model import UseStep
from hub.rules.runs import retries
from hub.rules.runs.listening import sides_of
from hub.rules.runs.quiet import quiet_until
from hub.rules.runs.results import StepError, StepResult, StepStatus, error_fields
from hub.rules.runs.scope import RunScope
from hub.rules.runs.signals import Attempt, RouteFailed

if TYPE_CHECKING:
    from hub.rules.runs.walk import Walk

#: Of one attempt, where neither step nor route says.
TIMEOUT_MS: Final = 30_000
_UNKNOWN: Final = (
    "the hub stopped while this was under way, so it may have happened; it is not done twice. "
    "Look at the other side, and replay the run from here if it did not"
)


def use(walk: Walk, step: UseStep, path: str, scope: RunScope, result: StepResult | None) -> bool:
    """Bring a step on; tell whether it is over.

    Raises:
        RouteFailed: It failed for good, and its `on_error` is `fail`.
    """
    result = _brought_on(walk, step, path, scope, result)
    if result is None or not result.is_over:
        return False
    scope.note(result)
    return result.status is not StepStatus.FAILED or _cared_for(walk, step, scope, result)


def _brought_on(
    walk: Walk, step: UseStep, path: str, scope: RunScope, result: StepResult | None
) -> StepResult | None:
    """Begin an attempt if one is due; give the result where that changed, or is over."""
    if result is None:
        return _reached(walk, step, path, scope)
    match result.status:
        case StepStatus.WAITING if walk.is_due(result):
            return _begun_unless_quiet(walk, step, result)
        case StepStatus.RETRYING if walk.is_due(result):
            return _begun(walk, step, result)
        case StepStatus.BEGUN if path not in walk.in_hand:
            return _resumed(walk, step, result)
    return result


def _reached(walk: Walk, step: UseStep, path: str, scope: RunScope) -> StepResult:
    begun = walk.first(step, path)
    try:
        result = replace(begun, inputs=walk.value(step.with_, scope, begun))
    except RouteFailed as failure:
        return failure.result
    if walk.facts.is_shadow:
        spec = walk.known.actions.get(step.action)
        reason = "shadow: nothing was sent"
        return walk.record(
            replace(
                result, status=StepStatus.COMPLETED, output=dict(spec.sample) if spec else {}, reason=reason
            )
        )
    return _begun_unless_quiet(walk, step, result)


def _begun_unless_quiet(walk: Walk, step: UseStep, result: StepResult) -> StepResult:
    quiet = walk.within.quiet_hours
    is_held = quiet is not None and _kind(walk, step) == "message" and "quiet_hours" not in step.ignore
    if not is_held or quiet is None:
        return _begun(walk, step, result)
    until_ms = quiet_until(
        quiet, walk.now_ms, timezone=walk.timezone, contact_timezone=_recipients_zone(walk, result)
    )
    if until_ms is None:
        return _begun(walk, step, result)
    if quiet.then == "skip":
        return walk.record(replace(result, status=StepStatus.SKIPPED, reason="quiet hours"))
    waiting = replace(result, status=StepStatus.WAITING, next_at=until_ms, reason="quiet hours")
    walk.is_due(waiting)
    return walk.record(waiting)


def _recipients_zone(walk: Walk, result: StepResult) -> str | None:
    """Give the time zone of whom the step writes to: the event's contact, or whose number is named."""
    to = result.inputs.get("to") if isinstance(result.inputs, Mapping) else None
    handle = normalize_handle(to) if isinstance(to, str) else None
    if handle is None or not handle.startswith("+") or handle in sides_of(walk.facts.event):
        return walk.facts.contact_timezone
    return zone_of(handle)


def _resumed(walk: Walk, step: UseStep, result: StepResult) -> StepResult:
    """An attempt was under way when its worker ended: make it again if that does no harm."""
    if _repetition(walk, step) != "unsafe":
        return _begun(walk, step, result)
    error = StepError(error_class="timeout_unknown", message=_UNKNOWN)
    return walk.record(replace(result, status=StepStatus.FAILED, next_at=None, error=error))


def _begun(walk: Walk, step: UseStep, result: StepResult) -> StepResult:
    begun = replace(
        result,
        status=StepStatus.BEGUN,
        attempts=result.attempts + 1,
        changed_at=walk.now_ms,
        next_at=None,
        reason=None,
    )
    must_be_recorded = _repetition(walk, step) == "unsafe"
    if must_be_recorded:
        walk.record(begun)
    timeout = step.timeout_ms or walk.within.timeout_ms or TIMEOUT_MS
    retry = walk.within.retry if step.retry is None else step.retry
    walk.attempts.append(
        Attempt(
            step=step,
            begun=begun,
            must_be_recorded=must_be_recorded,
            key=sha256(f"{walk.facts.key_seed}/{result.path}".encode()).hexdigest(),
            timeout_ms=timeout,
            retry=retries.STANDARD if retry is None else retry,
        )
    )
    return begun


def _cared_for(walk: Walk, step: UseStep, scope: RunScope, result: StepResult) -> bool:
    """Do what the step says for its failure; tell whether that is over."""
    if step.on_error == "fail":
        raise RouteFailed(result)
    walk.warnings += 1
    if step.on_error == "continue":
        return True
    error = result.error or StepError(error_class="bug", message="it failed")
    fields = error_fields(error, name=result.name or result.path, attempts=result.attempts)
    return walk.steps(step.on_error, f"{result.path}/error/", scope.failing(fields))


def followed(
    attempt: Attempt, fault: ActionFailed, *, repetition: Repetition, now_ms: int, jitter: float
) -> StepResult:
    """Give what follows an attempt that failed."""
    return retries.failed(
        attempt.begun, fault, retry=attempt.retry, repetition=repetition, now_ms=now_ms, jitter=jitter
    )


def _kind(walk: Walk, step: UseStep) -> ActionKind | None:
    spec = walk.known.actions.get(step.action)
    return None if spec is None else spec.kind


def _repetition(walk: Walk, step: UseStep) -> Repetition:
    """What is not known (an action that was removed since) is not done twice."""
    spec = walk.known.actions.get(step.action)
    return "unsafe" if spec is None else spec.repetition
