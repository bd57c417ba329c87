"""/v1/locations: where contacts are who share it with a line, as its bridge last told."""

from __future__ import annotations

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, not_found
from hub.api.chat_operations import VERDICT
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, From, SendReply, accept
from hub.flow.capabilities import require_able
from hub.flow.chat_rows import PlaceRow
from hub.flow.groups import read_member
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import normalize_handle


class LocationQuery(msgspec.Struct, frozen=True, kw_only=True):
    """With which line the places are shared; without `from` with any that the key may see."""

    from_: From | None = msgspec.field(name="from", default=None)


class LocationRefresh(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose place is to be asked for; without `handle` everybody's."""

    from_: From = msgspec.field(name="from")
    handle: From | None = None


class LocationReply(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody is."""

    handle: str
    line_id: str
    latitude: float
    longitude: float
    label: str | None
    #: How fresh the network calls it: `live`, `shallow`, `legacy`, …
    status: str | None
    #: When the person was there, and when the bridge told us.
    located_at: int | None
    synced_at: int


class OneLocation(LocationReply, frozen=True, kw_only=True):
    """Where somebody is, answered alone."""

    request_id: str


def _fields(place: PlaceRow) -> dict[str, object]:
    return place._asdict() | {"line_id": id_text(Prefix.LINE, place.line_id)}


async def _places(call: Call[LocationQuery, NoBody]) -> list[PlaceRow]:
    chats, lines = call.uses.store.chats, await _lines(call)
    return [place for line in lines for place in await chats.places(line.id)]


async def _lines(call: Call[LocationQuery, NoBody]) -> list[Line]:
    if call.query.from_ is None:
        return list(await call.uses.lines.visible(call.key))
    line = await call.line(call.query.from_)
    require_able(line, OperationKind.LOCATION, {})
    return [line]


async def _list(call: Call[LocationQuery, NoBody]) -> Reply:
    data = [msgspec.convert(_fields(place), LocationReply) for place in await _places(call)]
    return Reply(content=Listed(data=data, request_id=call.request_id))


async def _get(call: Call[LocationQuery, NoBody]) -> Reply:
    handle = normalize_handle(call.path["handle"])
    found = [place for place in await _places(call) if place.handle == handle]
    if not found:
        raise not_found("location")
    latest = max(found, key=lambda place: place.synced_at)
    return Reply(content=msgspec.convert({**_fields(latest), "request_id": call.request_id}, OneLocation))


async def _refresh(call: Call[NoQuery, LocationRefresh]) -> Reply:
    line = await call.line(call.body.from_)
    given = call.body.handle
    resolved = {} if given is None else {"handle": read_member(line, given, param="handle")}
    return await accept(call, line, OperationKind.LOCATION, resolved=resolved)


_LIST_ERRORS = ("line_not_found", "line_not_accessible", "advanced_features_required")

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/locations",
        name="list_locations",
        summary="List where contacts are who share it.",
        description="As the bridge last told: `POST /v1/locations/refresh` asks it.",
        tag="locations",
        scope="locations:read",
        query=LocationQuery,
        body=NoBody,
        reply=Listed[LocationReply],
        errors=_LIST_ERRORS,
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/locations/refresh",
        name="refresh_locations",
        summary="Ask a line's bridge where contacts are.",
        description=VERDICT,
        tag="locations",
        scope="locations:write",
        query=NoQuery,
        body=LocationRefresh,
        reply=SendReply,
        status=201,
        errors=SEND_ERRORS,
        headers=SEND_HEADERS,
        example={"from": "+15550100000"},
        handle=_refresh,
    ),
    Endpoint(
        method="GET",
        path="/v1/locations/{handle}",
        name="get_location",
        summary="Tell where one contact is.",
        tag="locations",
        scope="locations:read",
        query=LocationQuery,
        body=NoBody,
        reply=OneLocation,
        errors=(*_LIST_ERRORS, "location_not_found"),
        handle=_get,
    ),
)
