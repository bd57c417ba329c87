"""GET /v1/numbers and /v1/handles/availability (contracts: msgbubbles §2)."""

from __future__ import annotations

import msgspec

from hub.api.availability import OneAvailability
from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply
from hub.dialects.msgbubbles.errors import told_as
from hub.dialects.msgbubbles.handles import require_handle, with_plus
from hub.dialects.msgbubbles.rendering import number_of
from hub.dialects.msgbubbles.shapes import Availability, HandleText, Many, Number, One, Strict
from hub.dialects.native import ask


class AvailabilityQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom."""

    handle: HandleText


async def _numbers(call: Call[Strict, NoBody]) -> Reply:
    lines = (await ask(call, "list_lines", Listed)).content.data
    return Reply(
        content=Many(data=[number_of(each) for each in lines], has_more=False, request_id=call.request_id)
    )


async def _availability(call: Call[AvailabilityQuery, NoBody]) -> Reply:
    handle = require_handle(with_plus(call.query.handle), param="handle")
    with told_as(advanced_features_required="unavailable", line_inactive="unavailable"):
        found = (await ask(call, "get_availability", OneAvailability, query={"handle": handle})).content
    is_there = found.imessage is True
    data = Availability(handle=found.handle, imessage=is_there, channel="imessage" if is_there else "sms")
    return Reply(content=One(data=data, request_id=call.request_id))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/numbers",
        name="msgbubbles_list_numbers",
        summary="List the account's numbers.",
        tag="msgbubbles",
        scope="lines:read",
        query=Strict,
        body=NoBody,
        reply=Many[Number],
        handle=_numbers,
    ),
    Endpoint(
        method="GET",
        path="/v1/handles/availability",
        name="msgbubbles_get_availability",
        summary="Tell whether somebody is on iMessage.",
        tag="msgbubbles",
        scope="contacts:read",
        query=AvailabilityQuery,
        body=NoBody,
        reply=One[Availability],
        handle=_availability,
    ),
)
