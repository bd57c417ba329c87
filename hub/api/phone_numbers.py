"""/v1/phone-numbers: what the world's numbering plans say of a number (contracts: blooio §2). Asks no network."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.flow.contacts import REFUSED
from hub.model.errors import InvalidRequest
from hub.rules.contact_rows import sentence
from hub.rules.phone_numbers import LONGEST_NUMBER, NumberFacts, check_region, look_up
from hub.rules.phone_places import place_of
from hub.rules.problems import Problem

MOST_NUMBERS: Final = 100

NumberText = Annotated[str, Meta(min_length=1, max_length=LONGEST_NUMBER)]
Region = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=20,
        description="Whose national form numbers without a country code have: two letters of ISO 3166.",
    ),
]


class NumberQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which number."""

    number: NumberText
    region: Region | None = None


class NumberBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which numbers."""

    numbers: Annotated[tuple[NumberText, ...], Meta(min_length=1, max_length=MOST_NUMBERS)]
    region: Region | None = None


class PlaceReply(msgspec.Struct, frozen=True, kw_only=True):
    """Where a number was given out; people move, numbers do not."""

    city: str | None
    region: str | None
    region_name: str | None


class NumberItem(msgspec.Struct, frozen=True, kw_only=True):
    """A number looked up; what is not known is null."""

    input: str
    #: Its range is in use.
    valid: bool
    #: Its length can be right.
    possible: bool
    e164: str | None
    national: str | None
    international: str | None
    country_calling_code: str | None
    #: ISO 3166.
    country: str | None
    national_number: str | None
    #: MOBILE, FIXED_LINE, FIXED_LINE_OR_MOBILE, TOLL_FREE, PREMIUM_RATE, SHARED_COST, VOIP, PERSONAL_NUMBER, PAGER,
    #: UAN or VOICEMAIL.
    type: str | None
    #: Only with `contacts.number_places`.
    location: PlaceReply | None
    #: North America: the three digits after +1, and the three after those.
    area_code: str | None
    exchange: str | None
    #: Why it could not be read, or is not possible.
    reason: str | None


class OneNumber(NumberItem, frozen=True, kw_only=True):
    """A number, answered alone."""

    request_id: str


async def _get(call: Call[NumberQuery, NoBody]) -> Reply:
    # A query turns a bare + into a blank.
    number = f"+{call.query.number[1:]}" if call.query.number.startswith(" ") else call.query.number
    found = (await _looked_up(call, [number], call.query.region))[0]
    return Reply(content=msgspec.convert({**found, "request_id": call.request_id}, OneNumber))


async def _batch(call: Call[NoQuery, NumberBatch]) -> Reply:
    found = await _looked_up(call, call.body.numbers, call.body.region)
    data = [msgspec.convert(each, NumberItem) for each in found]
    return Reply(content=Listed(data=data, request_id=call.request_id))


async def _looked_up(call: Call[Any, Any], numbers: Any, text: str | None) -> list[dict[str, Any]]:
    region = None if text is None else check_region(text)
    if isinstance(region, Problem):
        raise InvalidRequest(REFUSED, sentence(region), param="region")
    with_places = call.uses.settings.number_places
    # In a thread: the tables are loaded at first need.
    return await asyncio.to_thread(
        lambda: [_fields(look_up(each, region=region), with_places=with_places) for each in numbers]
    )


def _fields(facts: NumberFacts, *, with_places: bool) -> dict[str, Any]:
    place = place_of(facts.e164) if with_places and facts.valid and facts.e164 is not None else None
    return {**asdict(facts), "location": None if place is None else asdict(place)}


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/phone-numbers",
        name="look_up_phone_number",
        summary="Tell what the numbering plans say of a phone number.",
        description="Asks no network: whether anybody has the number is another matter (`/v1/availability`).",
        tag="contacts",
        scope="contacts:read",
        query=NumberQuery,
        body=NoBody,
        reply=OneNumber,
        handle=_get,
    ),
    Endpoint(
        method="POST",
        path="/v1/phone-numbers",
        name="look_up_phone_numbers",
        summary="Tell what the numbering plans say of up to 100 phone numbers.",
        tag="contacts",
        scope="contacts:read",
        query=NoQuery,
        body=NumberBatch,
        reply=Listed[NumberItem],
        example={"numbers": ["+1 212 555 1234", "0170 1234567"], "region": "DE"},
        handle=_batch,
    ),
)
