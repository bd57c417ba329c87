"""Write a test from a run: what happened, with personal data replaced, and what is to come of it again.

What is expected is taken from a rehearsal with the replaced data, never from the run: nothing that was made of a
person's words can get into a test by way of an upper-case filter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hub.rules.condition_paths import compile_path
from hub.rules.fixtures.examples import FIXTURES, SOURCE, WEBHOOK, changed, example, flat
from hub.rules.fixtures.fields import is_known
from hub.rules.runs.results import StepResult, StepStatus
from hub.rules.runs.wishing import MANUAL, SCHEDULE
from hub.rules.sources.hooks import HOOK_SOURCE, STANDARD
from hub.rules.trials.masking import Mask

#: Fields that every example has of its own.
_OWN: Final = ("id", "type", "occurred_at")
#: Fields that others follow: hub.rules.fixtures.examples.
_LEADING: Final = ("from", "to", "text", "conversation.is_group")


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRun:
    """What is kept of a run."""

    id: str
    route_id: str
    #: Unix ms.
    created_at: int
    #: `completed`, `failed` or `waiting`.
    outcome: str
    #: As the route saw them, the first one first.
    events: tuple[Mapping[str, Any], ...]
    #: What whoever started it by hand handed over.
    given: Mapping[str, Any]
    #: In the order in which they came.
    steps: tuple[StepResult, ...]


def recorded(run: RecordedRun, mask: Mask, actions: Mapping[str, Any]) -> dict[str, Any]:
    """Write the test, without what is expected but for its outcome.

    Args:
        run: What is kept.
        mask: Replaces personal data.
        actions: All actions by name.
    """
    test: dict[str, Any] = {
        "name": f"as in {run.id}",
        "route": run.route_id,
        "now": datetime.fromtimestamp(run.created_at / 1000, UTC).isoformat(timespec="seconds"),
    }
    happenings = _happenings(run, mask)
    if len(happenings) == 1:
        test["event"] = happenings[0]
    else:
        test["events"] = happenings
    if run.given:
        test["vars"] = mask.value(run.given)
    mocks = _mocks(run.steps, mask, actions)
    if mocks:
        test["mock"] = mocks
    return {**test, "expect": {"outcome": run.outcome}}


def expectations(
    outcome: str, results: Mapping[str, StepResult], is_action: Callable[[str], bool]
) -> dict[str, Any]:
    """Give all that is to come of a test, from what came of its rehearsal."""
    called = [each for each in results.values() if each.attempts and is_action(each.verb)]
    expect: dict[str, Any] = {"outcome": outcome, "calls": [each.verb for each in called]}
    steps = {each.name: {"with": each.inputs} for each in called if each.name and each.inputs}
    return {**expect, "steps": steps} if steps else expect


def went_otherwise(steps: Sequence[StepResult], results: Mapping[str, StepResult]) -> str | None:
    """Say where a rehearsal left the way of the run; None if it did not."""
    run = {each.path: str(each.status) for each in steps}
    again = {path: str(each.status) for path, each in results.items()}
    for path in sorted(run.keys() | again.keys()):
        if run.get(path) != again.get(path):
            before, now = run.get(path, "not reached"), again.get(path, "not reached")
            return f"step {path} was {before} and is {now}"
    return None


def _happenings(run: RecordedRun, mask: Mask) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    last = run.created_at
    told = [(int(each.get("occurred_at", last)), each) for each in run.events]
    last = told[0][0] if told else last
    waits = [each for each in run.steps if each.verb == "wait_for" and each.status is StepStatus.COMPLETED]
    told += [
        (each.changed_at, each.output["event"])
        for each in waits
        if isinstance(each.output, Mapping) and isinstance(each.output.get("event"), Mapping)
    ]
    for at_ms, event in told:
        after = {"after": f"{at_ms - last}ms"} if at_ms > last and found else {}
        found.append({**_happening(event, mask), **after})
        last = max(last, at_ms)
    timed_out = [each.changed_at for each in run.steps if each.status is StepStatus.TIMED_OUT]
    if timed_out and max(timed_out) > last:
        found.append({"after": f"{max(timed_out) - last + 1000}ms"})
    return found


def _happening(event: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    """Name the example that an event is like, and what is otherwise."""
    fixture = str(event.get("type"))
    if fixture == SOURCE:
        fixture = WEBHOOK if event.get("source") == HOOK_SOURCE else SOURCE
    if fixture not in FIXTURES or fixture == SCHEDULE:
        return {"fixture": fixture}
    if fixture in {SOURCE, WEBHOOK}:
        payload = event.get("payload")
        sent = payload if isinstance(payload, Mapping) else {"payload": payload}
        named = (
            {} if fixture == WEBHOOK else {key: event[key] for key in ("source", "event") if event.get(key)}
        )
        kept = {key: each for key, each in mask.value(sent).items() if key not in STANDARD}
        return {"fixture": fixture, **named, **kept}
    masked = mask.value({key: each for key, each in event.items() if key not in _OWN})
    if fixture == MANUAL:
        return {"fixture": fixture, **masked}
    fields = {
        path: each
        for path, each in flat(masked)
        if not _is_id(path.rpartition(".")[2])
        and each not in ({}, None)
        and is_known(path.split("."), (fixture,))
    }
    first = _otherwise(example(fixture), {path: fields[path] for path in _LEADING if path in fields})
    return {"fixture": fixture, **first, **_otherwise(changed(example(fixture), first), fields)}


def _otherwise(event: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the fields that an event has otherwise, or not at all."""
    return {path: each for path, each in fields.items() if compile_path(path)(event) != each}


def _is_id(name: str) -> bool:
    return name in {"id", "guid"} or name.endswith(("_id", "_guid", "_at"))


def _mocks(steps: Sequence[StepResult], mask: Mask, actions: Mapping[str, Any]) -> dict[str, Any]:
    """Give what actions answered; of those that were asked several times, the first answer."""
    mocks: dict[str, Any] = {}
    for each in steps:
        key = each.name or each.verb
        if each.verb not in actions or key in mocks or not each.attempts:
            continue
        if each.error is not None and each.status is StepStatus.FAILED and each.error.error_class != "bug":
            status = {} if each.error.status is None else {"status": each.error.status}
            mocks[key] = {"error": {"class": str(each.error.error_class), **status}}
        elif each.status is StepStatus.COMPLETED and isinstance(each.output, Mapping) and each.output:
            mocks[key] = {"output": mask.value(dict(each.output))}
    return mocks
