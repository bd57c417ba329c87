"""`/phone-numbers`, `/facetime` and `/location`: what is known of a number, calls, and where people are."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.lines import LineReply
from hub.api.locations import LocationReply, OneLocation
from hub.api.phone_numbers import NumberItem, OneNumber
from hub.api.sends import SendReply
from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.identifiers import read_handle
from hub.dialects.blooio.natives import verdict
from hub.dialects.native import ask

NumberText = Annotated[str, Meta(min_length=1, max_length=100)]
MOST_NUMBERS: Final = 100
_LOCATION: Final = "location"


class NumberQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which number; a `+` that a client did not encode comes as a space."""

    number: NumberText


class NumberBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Which numbers."""

    numbers: Annotated[tuple[NumberText, ...], Meta(min_length=1, max_length=MOST_NUMBERS)]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a number was given out."""

    city: str | None
    region: str | None
    region_name: str | None


class NumberShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the numbering plans say of a number."""

    input: str
    valid: bool
    possible: bool
    e164: str | None
    national: str | None
    international: str | None
    country_calling_code: str | None
    country: str | None
    national_number: str | None
    type: str | None
    location: Place | None
    area_code: str | None
    exchange: str | None
    area_code_region: str | None


class NumberResults(msgspec.Struct, frozen=True, kw_only=True):
    """Several numbers, in the order asked for."""

    results: list[NumberShown]


class NewCall(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call."""

    handle: Annotated[str, Meta(min_length=1, max_length=320)]


class CallMade(msgspec.Struct, frozen=True, kw_only=True):
    """A link to a call."""

    success: bool = True
    link: str
    handle: str


class Friend(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who shares where they are."""

    handle: str
    #: Latitude and longitude.
    coordinates: tuple[float, float]
    status: str | None
    last_updated: int


class Friends(msgspec.Struct, frozen=True, kw_only=True):
    """All who do."""

    friends: list[Friend]


class Refreshed(Friends, frozen=True, kw_only=True):
    """All who do, asked anew."""

    success: bool = True


def _number(found: NumberItem) -> NumberShown:
    place = found.location
    return NumberShown(
        input=found.input,
        valid=found.valid,
        possible=found.possible,
        e164=found.e164,
        national=found.national,
        international=found.international,
        country_calling_code=found.country_calling_code,
        country=found.country,
        national_number=found.national_number,
        type=found.type,
        location=None
        if place is None
        else Place(city=place.city, region=place.region, region_name=place.region_name),
        area_code=found.area_code,
        exchange=found.exchange,
        area_code_region=None if place is None or found.area_code is None else place.region,
    )


async def _look_up(call: Call[Any, Any], text: str) -> Reply:
    number = f"+{text[1:]}" if text.startswith(" ") else text
    found = (await ask(call, "look_up_phone_number", OneNumber, query={"number": number})).content
    return Reply(content=_number(found))


async def _look_up_named(call: Call[NumberQuery, NoBody]) -> Reply:
    return await _look_up(call, call.query.number)


async def _look_up_posted(call: Call[NoQuery, NumberQuery]) -> Reply:
    return await _look_up(call, call.body.number)


async def _look_up_many(call: Call[NoQuery, NumberBatch]) -> Reply:
    body = {"numbers": list(call.body.numbers)}
    found = (await ask(call, "look_up_phone_numbers", Listed, body=body)).content
    return Reply(content=NumberResults(results=[_number(each) for each in found.data]))


async def _call(call: Call[NoQuery, NewCall]) -> Reply:
    handle = read_handle(call.body.handle, field="handle")
    body = {"from": await _able_line(call, "facetime"), "handle": handle}
    made: SendReply = await verdict(call, "make_facetime_link", body=body)
    link = made.result.get("url") if isinstance(made.result, dict) else None
    if not isinstance(link, str):
        raise Refusal(503, "The device has not made the link yet.", retry_after=5)
    return Reply(content=CallMade(link=link, handle=handle))


async def _able_line(call: Call[Any, Any], capability: str) -> str:
    """Give a number of the key that can do something; any, if none can: its refusal says so best."""
    lines: list[LineReply] = (await ask(call, "list_lines", Listed)).content.data
    if not lines:
        raise Refusal(503, "No active number.", code="line_not_found")
    able = [line for line in lines if line.is_active and capability in (line.capabilities or ())]
    return (able or lines)[0].id


def _friend(place: LocationReply) -> Friend:
    return Friend(
        handle=place.handle,
        coordinates=(place.latitude, place.longitude),
        status=place.status,
        last_updated=place.synced_at if place.located_at is None else place.located_at,
    )


async def _friends(call: Call[Any, Any]) -> list[Friend]:
    lines = (await ask(call, "list_lines", Listed)).content.data
    if not lines:
        raise Refusal(404, "No active number.", code="line_not_found")
    found = (await ask(call, "list_locations", Listed)).content
    return [_friend(each) for each in found.data]


async def _list_friends(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=Friends(friends=await _friends(call)))


async def _show_friend(call: Call[NoQuery, NoBody]) -> Reply:
    handle = read_handle(call.path["handle"], field="handle")
    return Reply(
        content=_friend((await ask(call, "get_location", OneLocation, path={"handle": handle})).content)
    )


async def _refresh_friends(call: Call[NoQuery, NoBody]) -> Reply:
    await verdict(call, "refresh_locations", body={"from": await _able_line(call, _LOCATION)})
    return Reply(content=Refreshed(friends=await _friends(call)))


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=f"/v2/api/{path}",
        name=f"blooio_{name}",
        summary=summary,
        query=more.pop("query", NoQuery),
        body=more.pop("body", NoBody),
        **more,
    )


_NUMBERS: Final[dict[str, Any]] = {"tag": "contacts", "scope": "contacts:read"}
_EXAMPLE: Final = {"number": "+15551234567"}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint(
        "GET",
        "phone-numbers/lookup",
        "look_up_number",
        "Look a number up.",
        query=NumberQuery,
        reply=NumberShown,
        handle=_look_up_named,
        **_NUMBERS,
    ),
    _endpoint(
        "POST",
        "phone-numbers/lookup",
        "look_up_number_posted",
        "Look a number up.",
        body=NumberQuery,
        reply=NumberShown,
        example=_EXAMPLE,
        handle=_look_up_posted,
        **_NUMBERS,
    ),
    _endpoint(
        "POST",
        "phone-numbers/batch",
        "look_up_numbers",
        "Look numbers up.",
        body=NumberBatch,
        reply=NumberResults,
        example={"numbers": ["+15551234567"]},
        handle=_look_up_many,
        **_NUMBERS,
    ),
    _endpoint(
        "POST",
        "facetime/calls",
        "make_call",
        "Make a FaceTime link.",
        tag="facetime",
        scope="facetime:write",
        body=NewCall,
        reply=CallMade,
        example={"handle": "+15551234567"},
        handle=_call,
    ),
    _endpoint(
        "GET",
        "location/contacts",
        "list_friends",
        "List where people are.",
        tag="locations",
        scope="locations:read",
        reply=Friends,
        handle=_list_friends,
    ),
    _endpoint(
        "GET",
        "location/contacts/{handle}",
        "get_friend",
        "Show where somebody is.",
        tag="locations",
        scope="locations:read",
        reply=Friend,
        handle=_show_friend,
    ),
    _endpoint(
        "POST",
        "location/contacts/refresh",
        "refresh_friends",
        "Ask anew where people are.",
        tag="locations",
        scope="locations:write",
        reply=Refreshed,
        handle=_refresh_friends,
    ),
)
