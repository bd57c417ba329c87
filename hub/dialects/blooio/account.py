"""`/me`: the key, its numbers, and the card that a number shows (contracts: blooio §3)."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.contact_cards import CardReply
from hub.api.lines import LineReply
from hub.api.sends import SendReply
from hub.api.usage import UsageReply
from hub.dialects.blooio.errors import Refusal, naming
from hub.dialects.blooio.identifiers import read_handle
from hub.dialects.blooio.natives import verdict
from hub.dialects.blooio.pictures import MOST_BYTES, store_picture
from hub.dialects.native import ask

#: A hub is one organization's.
ORGANIZATION: Final = "org_hub"
Plan = Literal["dedicated", "inbound"]
#: The vendor's numbers → the native words.
AUDIENCES: Final = ("contacts_only", "always_ask")
NAME_FORMATS: Final = ("first_and_last", "first_only")


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """Whose hub this is."""

    organization_id: str = ORGANIZATION
    name: str = "Hub"
    country_code: str | None = None
    created_at: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A number with its device."""

    phone_number: str
    is_active: bool
    last_active: int | None
    plan_kind: Plan


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What went over the key's numbers."""

    inbound_messages: int
    outbound_messages: int
    last_message_sent: int | None


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The key."""

    auth_type: Literal["api_key"] = "api_key"
    valid: bool = True
    #: How it begins: who asks has it anyway.
    api_key: str
    user_id: None = None
    organization_id: str = ORGANIZATION
    organization: Organization
    metadata: dict[str, str]
    integration_details: None = None
    devices: list[Device]
    usage: Usage


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A number of the key."""

    phone_number: str
    is_active: bool
    #: ISO 8601.
    last_active: str | None
    plan_kind: Plan


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""

    numbers: list[Number]


class Sharing(msgspec.Struct, frozen=True, kw_only=True):
    """With whom the network shares the card by itself."""

    enabled: bool = False
    #: 0: contacts only; 1: always ask.
    audience: Annotated[int, Meta(ge=0, le=1)] = 0
    #: 0: first and last name; 1: first only.
    name_format: Annotated[int, Meta(ge=0, le=1)] = 0


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a number shows of its owner."""

    phone_number: str
    first_name: str | None
    last_name: str | None
    name: str | None
    #: Null: the picture's bytes are not kept with the card.
    avatar: None = None
    has_wallpaper: bool
    sharing: Sharing


class CardChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change."""

    first_name: Annotated[str, Meta(max_length=200)] | None = None
    last_name: Annotated[str, Meta(max_length=200)] | None = None
    #: The base64 of a JPEG or PNG.
    avatar: Annotated[str, Meta(max_length=MOST_BYTES * 4 // 3 + 4)] | None = None
    sharing: Sharing | UnsetType = UNSET


class CardChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The device has taken it."""

    success: bool = True
    phone_number: str
    first_name: str | None
    last_name: str | None


class Forwarding(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls are to go."""

    forward_to: Annotated[str, Meta(min_length=1, max_length=320)]


async def _me(call: Call[NoQuery, NoBody]) -> Reply:
    usage = (await ask(call, "get_usage", UsageReply)).content
    content = Me(
        api_key=f"{call.key.hint}…",
        organization=Organization(created_at=call.key.created_at),
        metadata={"name": call.key.name},
        devices=[
            Device(
                phone_number=line.handle,
                is_active=line.is_active,
                last_active=active,
                plan_kind=_plan(line),
            )
            for line, active in await _lines(call, usage)
        ],
        usage=Usage(
            inbound_messages=usage.inbound_count,
            outbound_messages=usage.outbound_count,
            last_message_sent=usage.last_outbound_at,
        ),
    )
    return Reply(content=content)


async def _numbers(call: Call[NoQuery, NoBody]) -> Reply:
    usage = (await ask(call, "get_usage", UsageReply)).content
    numbers = [
        Number(
            phone_number=line.handle,
            is_active=line.is_active,
            last_active=None if active is None else _iso(active),
            plan_kind=_plan(line),
        )
        for line, active in await _lines(call, usage)
    ]
    return Reply(content=Numbers(numbers=numbers))


async def _lines(call: Call[Any, Any], usage: UsageReply) -> list[tuple[LineReply, int | None]]:
    """Give the numbers of the key, each with when it last said or heard something."""
    active = {each.line_id: each.last_message_at for each in usage.lines}
    lines: list[LineReply] = (await ask(call, "list_lines", Listed)).content.data
    return [(line, active.get(line.id)) for line in lines]


def _plan(line: LineReply) -> Plan:
    return "inbound" if line.is_contact_first else "dedicated"


def _iso(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S.}{at_ms % 1000:03d}Z"


async def _line_of(call: Call[Any, Any]) -> LineReply:
    handle = read_handle(call.path["number"], field="number")
    lines: list[LineReply] = (await ask(call, "list_lines", Listed)).content.data
    found = next((line for line in lines if line.handle == handle), None)
    if found is None:
        raise Refusal(404, "The key has no such number.", code="number_not_found", field="number")
    return found


async def _card(call: Call[NoQuery, NoBody]) -> Reply:
    line = await _line_of(call)
    known = (await ask(call, "get_contact_card", CardReply, path={"id": line.id})).content.card or {}
    first, last = known.get("first_name"), known.get("last_name")
    sharing = known.get("sharing") or {}
    content = Card(
        phone_number=line.handle,
        first_name=first,
        last_name=last,
        name=known.get("name") or " ".join(filter(None, (first, last))) or None,
        has_wallpaper=bool(known.get("has_wallpaper", False)),
        sharing=Sharing(
            enabled=bool(sharing.get("enabled", False)),
            audience=_place(AUDIENCES, sharing.get("audience")),
            name_format=_place(NAME_FORMATS, sharing.get("name_format")),
        ),
    )
    return Reply(content=content)


def _place(words: tuple[str, ...], word: object) -> int:
    return words.index(str(word)) if word in words else 0


async def _set_card(call: Call[NoQuery, CardChanges]) -> Reply:
    line, body = await _line_of(call), call.body
    wish: dict[str, Any] = {"first_name": body.first_name, "last_name": body.last_name}
    if body.avatar is not None:
        wish["file_id"] = await store_picture(call, _decoded(body.avatar))
    if isinstance(body.sharing, Sharing):
        wish["sharing"] = {
            "enabled": body.sharing.enabled,
            "audience": AUDIENCES[body.sharing.audience],
            "name_format": NAME_FORMATS[body.sharing.name_format],
        }
    given = {name: value for name, value in wish.items() if value is not None}
    if not given:
        raise Refusal(
            400, "Give at least one of first_name, last_name, avatar and sharing.", field="first_name"
        )
    with naming(file_id="avatar"):
        await verdict(call, "set_contact_card", path={"id": line.id}, body=given, expected=SendReply)
    content = CardChanged(phone_number=line.handle, first_name=body.first_name, last_name=body.last_name)
    return Reply(content=content)


def _decoded(text: str) -> bytes:
    plain = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, "'avatar' must be the base64 of a JPEG or PNG.", field="avatar") from None


async def _forward(call: Call[NoQuery, Forwarding]) -> Reply:
    await _line_of(call)
    raise Refusal(501, "No bridge of this hub can forward calls.", code="call_forwarding_not_supported")


_NUMBER: Final = "/v2/api/me/numbers/{number}"


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=path,
        name=f"blooio_{name}",
        summary=summary,
        tag="lines",
        scope=more.pop("scope", "lines:read"),
        query=NoQuery,
        body=more.pop("body", NoBody),
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint("GET", "/v2/api/me", "me", "Show the key.", reply=Me, handle=_me),
    _endpoint(
        "GET", "/v2/api/me/numbers", "list_numbers", "List the key's numbers.", reply=Numbers, handle=_numbers
    ),
    _endpoint(
        "GET", f"{_NUMBER}/contact-card", "get_card", "Show a number's card.", reply=Card, handle=_card
    ),
    _endpoint(
        "PUT",
        f"{_NUMBER}/contact-card",
        "set_card",
        "Change a number's card.",
        scope="lines:write",
        body=CardChanges,
        reply=CardChanged,
        example={"first_name": "Ann"},
        handle=_set_card,
    ),
    _endpoint(
        "POST",
        f"{_NUMBER}/call-forwarding",
        "forward_calls",
        "Forward calls, which no bridge can.",
        scope="lines:write",
        body=Forwarding,
        reply=bytes,
        status=501,
        example={"forward_to": "+15551234567"},
        handle=_forward,
    ),
)
