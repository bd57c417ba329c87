"""/v1/events/{id}/routes: why an event started a route, or did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply
from hub.api.events import find_event
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_id_cursor, split_page, write_cursor
from hub.api.run_shapes import RouteIdText
from hub.model.ids import Prefix, id_text
from hub.rules.runs.why import Why

if TYPE_CHECKING:
    from hub.rules.routes.when import Failed
    from hub.rules.runs.answering import Answer


class EventRoutesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which route; without it of all that listen to the event's type, in the order in which they are asked."""

    route_id: RouteIdText | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class FailedLine(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a route's `when` that does not hold."""

    #: Where it stands in the `when`: a JSON pointer.
    pointer: str
    #: Where in the event it looks; `now` for the clock.
    path: str
    #: Empty for a plain value.
    matcher: str
    #: JSON, cut.
    expected: str
    #: The same, or `missing`.
    actual: str


class AnswerReply(msgspec.Struct, frozen=True, kw_only=True):
    """What one route says to the event."""

    route_id: str
    #: As the route stood then.
    revision_id: str
    why: Why
    #: A sentence.
    reason: str
    #: With `when`.
    failed: FailedLine | None
    #: The run that began, or that the event went into.
    run_id: str | None


class EventRoutes(Listed[AnswerReply], frozen=True, kw_only=True):
    """What routes say to the event."""

    #: Unix ms: what was known then is kept. Null where no route wanted the event: then contact and chat are taken as
    #: they are now.
    decided_at: int | None


async def _explain(call: Call[EventRoutesQuery, NoBody]) -> Reply:
    from hub.flow.routing.explaining import explain_routes  # noqa: PLC0415 - decision 28

    call.uses.lines.require(call.key, None)
    query, parts = call.query, call.uses.parts
    event = await find_event(call)
    explained = await explain_routes(
        call.uses.store, parts.directory, parts.routes.book, event, parts.routes.texts
    )
    begin = read_id_cursor(query.cursor) or 0
    found = [each for each in explained.answers if query.route_id in {None, each.route_id}]
    page, has_more = split_page(found[begin : begin + query.limit + 1], query.limit)
    content = EventRoutes(
        data=[_reply(each) for each in page],
        has_more=has_more,
        next_cursor=write_cursor(begin + len(page)) if has_more else None,
        decided_at=explained.decided_at,
        request_id=call.request_id,
    )
    return Reply(content=content)


def _reply(answer: Answer) -> AnswerReply:
    return AnswerReply(
        route_id=answer.route_id,
        revision_id=id_text(Prefix.REVISION, answer.revision_id),
        why=answer.why,
        reason=answer.reason,
        failed=None if answer.failed is None else _failed(answer.failed),
        run_id=None if answer.run_id is None else id_text(Prefix.RUN, answer.run_id),
    )


def _failed(failed: Failed) -> FailedLine:
    return FailedLine(
        pointer=failed.pointer,
        path=failed.path,
        matcher=failed.matcher,
        expected=failed.expected,
        actual=failed.actual,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/events/{id}/routes",
        name="explain_event_routes",
        summary="Say of each route that listens to the event's type why it began a run, or why it did not.",
        description=(
            "`why` is `begun`, `joined`, `dedupe`, `throttle`, `concurrency`, `error`, `loop`, `when` (with the first "
            "line that does not hold), `if`, `stopped`, `other_source`, `disabled`, `installed_later`, `not_yet` or "
            "`changed_since`. Worked out with the routes as they stood then. `hub explain` says the same."
        ),
        tag="routes",
        scope="routes:read",
        query=EventRoutesQuery,
        body=NoBody,
        reply=EventRoutes,
        errors=("line_not_accessible", "event_not_found"),
        handle=_explain,
    ),
)
