"""/v1/runs: what ran, why it failed, and do it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, field_id, path_id
from hub.api.paging import read_id_cursor, read_offset, split_page, write_cursor
from hub.api.run_shapes import (
    Cancellation,
    FailedReplay,
    LeftRun,
    OneRun,
    ReplayedReply,
    RunReplay,
    RunReply,
    RunsQuery,
    one_run,
    run_reply,
)
from hub.flow.jobs import id_range
from hub.flow.repositories import Store
from hub.flow.route_store import RunFilter
from hub.model.ids import Prefix, id_text
from hub.model.run import Run, RunState

if TYPE_CHECKING:
    from hub.flow.routing.book import RouteBook

_END_OF_TIME = 32_503_680_000_000


async def _list(call: Call[RunsQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    query, event_id = call.query, None
    if query.event_id is not None:
        event_id = field_id(query.event_id, Prefix.EVENT, "event", param="event_id")
    first_id, last_id = _range(query.since, query.until)
    wanted = RunFilter(
        route_id=query.route_id,
        state=None if query.state is None else RunState[query.state.upper()],
        event_id=event_id,
        first_id=first_id,
        last_id=last_id,
    )
    offset, before = read_offset(query), read_id_cursor(query.cursor)
    runs = call.uses.store.runs
    found = await runs.page(wanted, before=before, limit=query.limit + 1, offset=offset or 0)
    page, has_more = split_page(found, query.limit)
    content = Listed(
        data=[run_reply(each) for each in page],
        has_more=has_more,
        next_cursor=write_cursor(page[-1].id) if has_more else None,
        total=await runs.count(wanted) if query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=await _one(call, await _find(call)))


async def _cancel(call: Call[NoQuery, Cancellation]) -> Reply:
    run = await _find(call)
    return Reply(content=await _one(call, await call.uses.routes.cancel(run.id, reason=call.body.reason)))


async def _replay(call: Call[NoQuery, RunReplay]) -> Reply:
    run, body = await _find(call), call.body
    begun = await call.uses.routes.replay(run.id, start_at=body.start_at, revision=body.revision)
    return Reply(content=await _one(call, begun), status=202)


async def _replay_failed(call: Call[NoQuery, FailedReplay]) -> Reply:
    call.uses.lines.require(call.key, None)
    body = call.body
    await call.uses.routes.require(body.route_id)
    first_id, last_id = _range(body.since, body.until)
    replayed = await call.uses.routes.replay_failed(
        RunFilter(route_id=body.route_id, first_id=first_id, last_id=last_id),
        start_at=body.start_at,
        revision=body.revision,
        limit=body.limit,
    )
    content = ReplayedReply(
        data=[run_reply(each) for each in replayed.runs],
        left=[LeftRun(id=id_text(Prefix.RUN, each), reason=reason) for each, reason in replayed.left.items()],
        has_more=replayed.has_more,
        request_id=call.request_id,
    )
    return Reply(content=content, status=202)


async def _find(call: Call[Any, Any]) -> Run:
    call.uses.lines.require(call.key, None)
    return await call.uses.routes.get(path_id(call, Prefix.RUN, "run"))


async def _one(call: Call[Any, Any], run: Run) -> OneRun:
    book = call.uses.parts.routes.book
    return await whole_run(call.uses.store, book, run, request_id=call.request_id)


async def whole_run(store: Store, book: RouteBook, run: Run, *, request_id: str) -> OneRun:
    """Tell all of a run; `hub runs show` tells the same."""
    await book.ensure({run.revision_id})
    route = book.find(run.revision_id)
    redact = () if route is None or route.keep is None else route.keep.redact
    results = (await store.runs.results([run.id]))[run.id]
    return one_run(run, results, await store.runs.replays(run.id), redact, request_id=request_id)


def _range(since: int | None, until: int | None) -> tuple[int | None, int | None]:
    first, last = id_range(since or 0, _END_OF_TIME if until is None else until)
    return (None if since is None else first), (None if until is None else last)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/runs",
        name="list_runs",
        summary="List runs of routes, newest first; with `state=failed` those that wait for a person.",
        tag="routes",
        scope="routes:read",
        query=RunsQuery,
        body=NoBody,
        reply=Listed[RunReply],
        errors=("line_not_accessible", "event_not_found"),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/runs/replay",
        name="replay_failed_runs",
        summary="Take up again failed runs of a route that were not replayed yet, the oldest first.",
        description="At most `limit` at once; ask again while `has_more` is true.",
        tag="routes",
        scope="routes:write",
        query=NoQuery,
        body=FailedReplay,
        reply=ReplayedReply,
        status=202,
        errors=("line_not_accessible", "route_id_not_found"),
        example={"route_id": "lead-to-crm", "from": "failed", "revision": "same"},
        handle=_replay_failed,
    ),
    Endpoint(
        method="GET",
        path="/v1/runs/{id}",
        name="get_run",
        summary="Show a run: the event as the route saw it, and each step with what it was given and gave.",
        description="What the route's `keep.redact` names is masked; inputs and outputs go after `keep.payload`.",
        tag="routes",
        scope="routes:read",
        query=NoQuery,
        body=NoBody,
        reply=OneRun,
        errors=("line_not_accessible", "run_not_found"),
        handle=_get,
    ),
    Endpoint(
        method="POST",
        path="/v1/runs/{id}/cancel",
        name="cancel_run",
        summary="Cancel a run that is not over; what is under way is let end, and its result kept.",
        tag="routes",
        scope="routes:write",
        query=NoQuery,
        body=Cancellation,
        is_body_optional=True,
        reply=OneRun,
        errors=("line_not_accessible", "run_not_found", "run_state_conflict"),
        example={"reason": "wrong customer"},
        handle=_cancel,
    ),
    Endpoint(
        method="POST",
        path="/v1/runs/{id}/replay",
        name="replay_run",
        summary="Begin a new run that takes up one that is over: all of it, or from where it failed.",
        description=(
            "`from: start` does everything again, under new idempotency keys. `from: failed` keeps the results of "
            "what was over, and does what failed again under the keys that it had, so that a provider that knows "
            "them does nothing twice. On `latest`, `failed` is refused where the steps that are over have changed."
        ),
        tag="routes",
        scope="routes:write",
        query=NoQuery,
        body=RunReplay,
        reply=OneRun,
        status=202,
        errors=("line_not_accessible", "run_not_found", "run_state_conflict", "route_not_startable"),
        example={"from": "failed", "revision": "same"},
        handle=_replay,
    ),
)
