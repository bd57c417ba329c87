"""/v1/replays and /v1/jobs: long work with progress."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import (
    AnyEndpoint,
    Call,
    Endpoint,
    Listed,
    NoBody,
    NoQuery,
    Reply,
    field_id,
    not_found,
    path_id,
)
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_id_cursor, split_page, write_cursor
from hub.flow.jobs import ReplayWish
from hub.flow.webhook_checks import check_patterns
from hub.model.ids import Prefix, id_text
from hub.model.job import Job
from hub.model.observation import Instant

IdText = Annotated[str, Meta(min_length=1, max_length=64)]


class NewReplay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to replay: one event, what was recorded from `since` to `until` (Unix ms), or what was missed."""

    webhook_id: IdText
    event_id: IdText | None = None
    since: Instant | None = None
    #: Now, if not given.
    until: Instant | None = None
    missed_while_disabled: bool = False
    #: Only these types or families; all that the webhook wants, if not given.
    event_types: Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=1000)] | None = (
        None
    )


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of jobs."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is."""

    done: int
    #: As counted at the start.
    total: int


class JobItem(msgspec.Struct, frozen=True, kw_only=True):
    """Long work."""

    id: str
    kind: Literal["replay", "requeue", "purge"]
    status: Literal["running", "succeeded", "failed", "cancelled"]
    webhook_id: str | None
    progress: Progress
    error: str | None
    created_at: int
    finished_at: int | None


class JobReply(JobItem, frozen=True, kw_only=True):
    """A job, answered alone."""

    request_id: str


def _webhook_id(job: Job) -> int | None:
    webhook_id: int | None = msgspec.json.decode(job.arguments).get("webhook_id")
    return webhook_id


def _fields(job: Job) -> dict[str, Any]:
    webhook_id = _webhook_id(job)
    return {
        "id": id_text(Prefix.JOB, job.id),
        "kind": job.kind,
        "status": job.state,
        "webhook_id": None if webhook_id is None else id_text(Prefix.WEBHOOK, webhook_id),
        "progress": {"done": job.done_count, "total": job.total_count},
        "error": job.error,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }


def job_reply(call: Call[Any, Any], job: Job) -> JobReply:
    """Give the JSON of a job."""
    return msgspec.convert({**_fields(job), "request_id": call.request_id}, JobReply)


async def _may_see(call: Call[Any, Any], job: Job) -> bool:
    """Tell whether a restricted key may see a job: one about a webhook of its lines."""
    if call.key.line_ids is None:
        return True
    webhook_id = _webhook_id(job)
    webhook = None if webhook_id is None else await call.uses.store.webhooks.get(webhook_id)
    return webhook is not None and call.uses.lines.may_use(call.key, webhook.line_id)


async def _find(call: Call[Any, Any]) -> Job:
    job = await call.uses.jobs.get(path_id(call, Prefix.JOB, "job"))
    if not await _may_see(call, job):
        raise not_found("job")
    return job


async def _replay(call: Call[NoQuery, NewReplay]) -> Reply:
    body = call.body
    webhook = await call.uses.webhooks.get(
        field_id(body.webhook_id, Prefix.WEBHOOK, "webhook", param="webhook_id")
    )
    call.uses.lines.require(call.key, webhook.line_id, param="webhook_id")
    event_id = None
    if body.event_id is not None:
        event_id = field_id(body.event_id, Prefix.EVENT, "event", param="event_id")
    types = None if body.event_types is None else check_patterns(body.event_types, param="event_types")
    wish = ReplayWish(
        event_id=event_id,
        since=body.since,
        until=body.until,
        is_missed_only=body.missed_while_disabled,
        event_types=types or (),
    )
    return Reply(content=job_reply(call, await call.uses.jobs.replay(webhook, wish)), status=202)


async def _list(call: Call[JobsQuery, NoBody]) -> Reply:
    """List; for a restricted key a page may be shorter than asked, because others' jobs are left out."""
    after = read_id_cursor(call.query.cursor)
    found = await call.uses.store.jobs.list(after=after, limit=call.query.limit + 1)
    jobs, has_more = split_page(found, call.query.limit)
    cursor = write_cursor(jobs[-1].id) if has_more else None
    data = [msgspec.convert(_fields(job), JobItem) for job in jobs if await _may_see(call, job)]
    return Reply(content=Listed(data=data, has_more=has_more, next_cursor=cursor, request_id=call.request_id))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=job_reply(call, await _find(call)))


async def _cancel(call: Call[NoQuery, NoBody]) -> Reply:
    job = await _find(call)
    return Reply(content=job_reply(call, await call.uses.jobs.cancel(job.id)))


_ERRORS: Final = ("job_not_found",)

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/jobs",
        name="list_jobs",
        summary="List jobs, newest first.",
        tag="jobs",
        scope="deliveries:read",
        query=JobsQuery,
        body=NoBody,
        reply=Listed[JobItem],
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v1/jobs/{id}",
        name="get_job",
        summary="Tell how far a job is.",
        tag="jobs",
        scope="deliveries:read",
        query=NoQuery,
        body=NoBody,
        reply=JobReply,
        errors=_ERRORS,
        handle=_get,
    ),
    Endpoint(
        method="POST",
        path="/v1/jobs/{id}/cancel",
        name="cancel_job",
        summary="Stop a job after its present page; what it did stays done.",
        tag="jobs",
        scope="deliveries:write",
        query=NoQuery,
        body=NoBody,
        reply=JobReply,
        errors=(*_ERRORS, "job_finished"),
        handle=_cancel,
    ),
    Endpoint(
        method="POST",
        path="/v1/replays",
        name="start_replay",
        summary="Deliver recorded events to a webhook again, or for the first time, as a job.",
        description=(
            "Give exactly one of `event_id`, `since` (with or without `until`) and `missed_while_disabled: true`. "
            "A replayed event keeps its event id and its delivery id, so a receiver that remembers them is not "
            "misled."
        ),
        tag="jobs",
        scope="deliveries:write",
        query=NoQuery,
        body=NewReplay,
        reply=JobReply,
        status=202,
        errors=("webhook_not_found", "line_not_accessible", "webhook_disabled", "event_not_found"),
        example={"webhook_id": "wh_0f2m4h8x0g001", "missed_while_disabled": True},
        handle=_replay,
    ),
)
