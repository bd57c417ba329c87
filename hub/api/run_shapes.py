"""Runs as the REST surface tells them: what they knew, and each step with what it was given and gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hub.api.delivery_shapes import IdText
from hub.api.paging import DEFAULT_LIMIT, CursorText, IncludeTotal, Limit, Offset
from hub.api.route_shapes import Shown
from hub.model.ids import Prefix, id_text
from hub.model.observation import Instant
from hub.model.run import UNFINISHED, Run
from hub.rules.runs.redacting import Redaction
from hub.rules.runs.results import StepError, StepResult

RouteIdText = Annotated[str, Meta(min_length=1, max_length=100)]
StateText = Literal["active", "parked", "completed", "failed", "cancelled"]
StartAtText = Literal["start", "failed"]
RevisionText = Literal["same", "latest"]


class RunsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs, the newest first."""

    route_id: RouteIdText | None = None
    state: StateText | None = None
    event_id: IdText | None = None
    #: Unix ms, both included; by when the run began.
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    #: Instead of a cursor, for clients that page by number.
    offset: Offset | None = None
    include_total: IncludeTotal = False


class Cancellation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a run is cancelled."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)] = "cancelled by hand"


class RunReplay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run is to be done again. Both are said, because each means another thing."""

    #: `start`: all of it, as if it had never run. `failed`: what was over stays over, and what failed is done again
    #: under the keys that it had.
    start_at: StartAtText = msgspec.field(name="from")
    #: `same`: that of the run. `latest`: that at which the route stands now.
    revision: RevisionText


class FailedReplay(RunReplay, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which failed runs are to be done again, and how. Those that were replayed already are left alone."""

    route_id: RouteIdText
    #: Unix ms, both included; by when the run began.
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = 100


class RunReply(msgspec.Struct, frozen=True, kw_only=True):
    """A run."""

    id: str
    route_id: str
    revision_id: str
    #: Null for what a moment or a person started.
    event_id: str | None
    #: `active` (also while it waits), `parked` (another run of its lane comes first), `completed`, `failed`,
    #: `cancelled`.
    state: StateText
    #: Whether it only shows what it would do.
    is_shadow: bool
    #: Why it was stopped, or what failed.
    reason: str | None
    #: The class of what failed: docs/reference/actions.md.
    error_class: str | None
    #: The step that failed.
    failed_path: str | None
    #: Failures that the route itself took care of.
    warnings: int
    #: The run that it takes up again.
    origin_run_id: str | None
    #: Unix ms.
    created_at: int
    #: Unix ms: when it goes on; null when it is over, or parked.
    next_at: int | None
    finished_at: int | None


class BegunRun(RunReply, frozen=True, kw_only=True):
    """A run that was begun by hand."""

    request_id: str


class StepFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why the latest attempt of a step failed."""

    error_class: str = msgspec.field(name="class")
    message: str
    #: The status of the answer, where there was one.
    status: int | None
    details: Shown


class StepReply(msgspec.Struct, frozen=True, kw_only=True):
    """What is on record of one step."""

    #: Where in the run: `0`, `2/case.1/0`, `3/item.4/0`, `error/0`.
    path: str
    #: The step's id.
    id: str | None
    #: The action of a `use`, else the verb.
    does: str
    #: `begun`, `waiting`, `retrying`, `completed`, `skipped`, `timed_out` or `failed`.
    status: str
    attempts: int
    #: Unix ms.
    started_at: int
    changed_at: int
    #: Unix ms: when it is looked at again; null if it is not.
    next_at: int | None
    #: What it was given; null once it is kept no more.
    inputs: Shown
    output: Shown
    error: StepFailure | None
    #: Masked, a line each.
    requests: list[str]
    #: Why it waits, was skipped or may have happened.
    reason: str | None


class OneRun(RunReply, frozen=True, kw_only=True):
    """A run with what it knew and each of its steps."""

    #: Whether event, inputs and outputs are still kept (`keep` of the route).
    has_payload: bool
    #: As the route saw it; null once it is kept no more.
    event: Shown
    #: All events of a debounced run; else the one.
    events: list[Shown]
    #: In the order in which they come.
    steps: list[StepReply]
    #: The runs that took it up again.
    replay_ids: list[str]
    request_id: str


class LeftRun(msgspec.Struct, frozen=True, kw_only=True):
    """A failed run that cannot be done again."""

    id: str
    reason: str


class ReplayedReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the failed runs."""

    #: The runs that began.
    data: list[RunReply]
    #: Failed runs that cannot be taken up so; they are looked at again each time.
    left: list[LeftRun]
    #: Whether there are more; ask again.
    has_more: bool
    request_id: str


def run_fields(run: Run) -> dict[str, Any]:
    """Give the fields of a run."""
    return {
        "id": id_text(Prefix.RUN, run.id),
        "route_id": run.route_id,
        "revision_id": id_text(Prefix.REVISION, run.revision_id),
        "event_id": None if run.event_id is None else id_text(Prefix.EVENT, run.event_id),
        "state": run.state.name.lower(),
        "is_shadow": run.is_shadow,
        "reason": run.reason,
        "error_class": run.error_class,
        "failed_path": run.failed_path,
        "warnings": run.warnings,
        "origin_run_id": None if run.origin_run_id is None else id_text(Prefix.RUN, run.origin_run_id),
        "created_at": run.created_at,
        "next_at": run.next_at if run.state.name == "ACTIVE" else None,
        "finished_at": None if run.state in UNFINISHED else run.finished_at,
    }


def run_reply(run: Run) -> RunReply:
    """Tell of a run."""
    return msgspec.convert(run_fields(run), RunReply)


def begun_run(run: Run, *, request_id: str) -> BegunRun:
    """Tell of a run that was begun."""
    return msgspec.convert({**run_fields(run), "request_id": request_id}, BegunRun)


def one_run(
    run: Run,
    results: Sequence[StepResult],
    replay_ids: Sequence[int],
    redact: Sequence[str],
    *,
    request_id: str,
) -> OneRun:
    """Tell all of a run; what its route redacts is masked."""
    facts = msgspec.json.decode(run.facts) if run.facts else {"event": None, "events": []}
    masking = Redaction(redact, facts["events"])
    fields = run_fields(run)
    if run.reason is not None:
        fields["reason"] = masking.text(run.reason)
    return OneRun(
        **fields,
        has_payload=bool(run.facts),
        event=None if facts["event"] is None else masking.event(facts["event"]),
        events=[masking.event(each) for each in facts["events"]],
        steps=[_step(each, masking) for each in results],
        replay_ids=[id_text(Prefix.RUN, each) for each in replay_ids],
        request_id=request_id,
    )


def _step(result: StepResult, masking: Redaction) -> StepReply:
    return StepReply(
        path=result.path,
        id=result.name,
        does=result.verb,
        status=str(result.status),
        attempts=result.attempts,
        started_at=result.started_at,
        changed_at=result.changed_at,
        next_at=None if result.is_over else result.next_at,
        inputs=masking.value(result.inputs),
        output=masking.value(result.output),
        error=None if result.error is None else _failure(result.error, masking),
        requests=[masking.text(each) for each in result.requests],
        reason=None if result.reason is None else masking.text(result.reason),
    )


def _failure(error: StepError, masking: Redaction) -> StepFailure:
    return StepFailure(
        error_class=error.error_class,
        message=masking.text(error.message),
        status=error.status,
        details=masking.value(error.details),
    )
