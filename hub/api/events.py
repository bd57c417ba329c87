"""/v1/events: read what was recorded, backwards from now or onwards from anywhere, and wait for what comes."""

from __future__ import annotations

from typing import Any

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, not_found, path_id
from hub.api.events_choice import REFUSED, between, position, wanted_events
from hub.api.events_shapes import EventQuery, EventReply, OneEvent, event_reply, one_event
from hub.api.paging import split_page
from hub.api.waiting import while_connected
from hub.flow.event_store import Event, EventFilter, EventPage
from hub.flow.follow import position_text, read_or_wait
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix
from hub.rules.event_patterns import OPERATIONAL

_END = 2**63 - 1


async def _list(call: Call[EventQuery, NoBody]) -> Reply:
    query = call.query
    wanted = await wanted_events(call, query, with_live=False)
    wanted = between(wanted, query.since, query.until)
    start = None if query.cursor is None else await position(call, query.cursor, param="cursor")
    if query.order == "asc":
        return _onwards(call, await _read_on(call, wanted, 0 if start is None else start))
    if query.wait:
        message = "'wait' goes with 'order=asc': what comes is newer than all there is."
        raise InvalidRequest(REFUSED, message, param="wait")
    before = _END if start is None else start
    return _backwards(
        call, await call.uses.store.events.read_back(wanted, before=before, limit=query.limit + 1)
    )


async def _read_on(call: Call[EventQuery, NoBody], wanted: EventFilter, after: int) -> EventPage:
    events, query = call.uses.store.events, call.query
    if not query.wait:
        return await events.read_on(wanted, after=after, limit=query.limit + 1)
    with call.uses.streams.place(call.key.id):
        waiting = read_or_wait(
            call.uses.parts.live.feed,
            events,
            wanted,
            after=after,
            limit=query.limit + 1,
            seconds=query.wait,
        )
        return await while_connected(call, waiting)


def _onwards(call: Call[EventQuery, NoBody], page: EventPage) -> Reply:
    """There is always a cursor: whoever has read all goes on from it later."""
    events, is_cut = split_page(page.events, call.query.limit)
    reached = events[-1].position if is_cut else page.position
    return _page(call, events, has_more=is_cut or not page.is_end, cursor=reached)


def _backwards(call: Call[EventQuery, NoBody], page: EventPage) -> Reply:
    events, is_cut = split_page(page.events, call.query.limit)
    if page.is_end and not is_cut:
        return _page(call, events, has_more=False, cursor=None)
    return _page(call, events, has_more=True, cursor=events[-1].position if is_cut else page.position)


def _page(call: Call[Any, Any], events: Any, *, has_more: bool, cursor: int | None) -> Reply:
    return Reply(
        content=Listed(
            data=[event_reply(each) for each in events],
            has_more=has_more,
            next_cursor=None if cursor is None else position_text(max(0, cursor)),
            request_id=call.request_id,
        )
    )


async def find_event(call: Call[Any, Any]) -> Event:
    """Find the event in the path, if the key may see it."""
    event = await call.uses.store.events.get(path_id(call, Prefix.EVENT, "event"))
    if event is None:
        raise not_found("event")
    is_hidden = event.type in OPERATIONAL and not call.key.may("admin")
    if call.key.line_ids is not None and (is_hidden or not call.uses.lines.may_use(call.key, event.line_id)):
        raise not_found("event")
    return event


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=one_event(await find_event(call), request_id=call.request_id))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/events",
        name="list_events",
        summary="Read events, newest first, or onwards from a cursor; wait for what comes.",
        description=(
            "`next_cursor` is a position; so is any `id` of an event, as `cursor`. With `order=asc` it is never null: "
            "when `has_more` is false, ask again with it later, or with `wait` at once. No event is missed or told "
            "twice, whichever process records what and when. One answer looks at a bounded number of events, so a "
            "filter that fits few may answer fewer than `limit`, even none, with `has_more`: go on from "
            "`next_cursor`. A key that is restricted to lines sees their events only. docs/reading-events.md."
        ),
        tag="events",
        scope="events:read",
        query=EventQuery,
        body=NoBody,
        reply=Listed[EventReply],
        errors=("line_not_found", "line_not_accessible", "chat_not_found", "too_many_streams"),
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v1/events/{id}",
        name="get_event",
        summary="Show one event.",
        tag="events",
        scope="events:read",
        query=NoQuery,
        body=NoBody,
        reply=OneEvent,
        errors=("event_not_found",),
        handle=_get,
    ),
)
