"""/v1/routes: the routes of the hub, what is written, how they fare; start one by hand."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply, field_id
from hub.api.paging import split_page
from hub.api.route_shapes import (
    NewRun,
    OneRoute,
    RouteList,
    RouteReply,
    RoutesQuery,
    folder_reply,
    revision_reply,
    route_fields,
    shown_source,
)
from hub.api.run_shapes import BegunRun, begun_run
from hub.flow.repositories import Store
from hub.flow.routing.parts import no_route
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix
from hub.model.run import KeptRoute, RunState, RunTally

if TYPE_CHECKING:
    from hub.flow.routing.book import RouteBook

MOST_REVISIONS: Final = 50


async def _list(call: Call[RoutesQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    after = _read_cursor(call.query.cursor)
    kept = [
        each
        for each in await call.uses.store.routes.current()
        if (after is None or each.id > after) and call.query.origin in {None, each.origin}
    ]
    page, has_more = split_page(kept, call.query.limit)
    content = RouteList(
        data=[
            msgspec.convert(each, RouteReply)
            for each in await fields_of(call.uses.store, call.uses.parts.routes.book, page)
        ],
        has_more=has_more,
        next_cursor=_write_cursor(page[-1].id) if has_more else None,
        folder=folder_reply(call.uses.parts.routes.folder()),
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    book = call.uses.parts.routes.book
    return Reply(content=await one_route(call.uses.store, book, call.path["id"], request_id=call.request_id))


async def one_route(store: Store, book: RouteBook, route_id: str, *, request_id: str) -> OneRoute:
    """Tell all of a route; `hub routes show` tells the same.

    Raises:
        InvalidRequest: route_id_not_found.
    """
    kept = await store.routes.get(route_id)
    if kept is None:
        raise no_route()
    (fields,) = await fields_of(store, book, [kept])
    revisions = await store.routes.revisions(kept.id, limit=MOST_REVISIONS)
    return OneRoute(
        **fields,
        source=shown_source(kept.source),
        revisions=[revision_reply(each, kept) for each in revisions],
        request_id=request_id,
    )


async def _run(call: Call[NoQuery, NewRun]) -> Reply:
    call.uses.lines.require(call.key, None)
    body, event_id = call.body, None
    if body.event_id is not None:
        if body.event is not None:
            message = "'event' and 'event_id' each say what the route is started with: give one of them."
            raise InvalidRequest("invalid_parameter_value", message, param="event_id")
        event_id = field_id(body.event_id, Prefix.EVENT, "event", param="event_id")
    run = await call.uses.routes.start(call.path["id"], event=body.event, event_id=event_id, given=body.vars)
    return Reply(content=begun_run(run, request_id=call.request_id), status=202)


async def fields_of(store: Store, book: RouteBook, kept: Sequence[KeptRoute]) -> list[dict[str, Any]]:
    """Give the fields of routes, in the order given."""
    tallies = await store.runs.tally([each.id for each in kept])
    runs = await store.runs.some(_mentioned(tallies))
    await book.ensure({each.revision_id for each in kept})
    return [route_fields(each, book.find(each.revision_id), tallies[each.id], runs) for each in kept]


def _mentioned(tallies: Mapping[str, Mapping[RunState, RunTally]]) -> set[int]:
    return {each.last_id for states in tallies.values() for each in states.values()}


def _write_cursor(route_id: str) -> str:
    return base64.urlsafe_b64encode(route_id.encode()).decode().rstrip("=")


def _read_cursor(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeError):
        message = "'cursor' must be the 'next_cursor' of the page before."
        raise InvalidRequest("invalid_parameter_value", message, param="cursor") from None


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/routes",
        name="list_routes",
        summary="List the routes by id: what starts them, how they fare, and what is wrong with their files.",
        description="Runs are counted as far back as they are kept. docs/runs.md.",
        tag="routes",
        scope="routes:read",
        query=RoutesQuery,
        body=NoBody,
        reply=RouteList,
        errors=("line_not_accessible",),
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v1/routes/{id}",
        name="get_route",
        summary="Show a route with what is written and its revisions; retired ones too.",
        tag="routes",
        scope="routes:read",
        query=NoQuery,
        body=NoBody,
        reply=OneRoute,
        errors=("line_not_accessible", "route_id_not_found"),
        handle=_get,
    ),
    Endpoint(
        method="POST",
        path="/v1/routes/{id}/run",
        name="run_route",
        summary="Start a route by hand, with an event that you make up or with one that happened.",
        description=(
            "Its conditions, `dedupe`, `throttle` and `debounce` are not asked; its lane (`concurrency`) is kept. "
            "A made-up event needs a manual trigger; one that happened must be of a kind to which the route listens."
        ),
        tag="routes",
        scope="routes:write",
        query=NoQuery,
        body=NewRun,
        is_body_optional=True,
        reply=BegunRun,
        status=202,
        errors=("line_not_accessible", "route_id_not_found", "event_not_found", "route_not_startable"),
        example={"event": {"from": "+15550100001", "text": "Hello"}},
        handle=_run,
    ),
)
