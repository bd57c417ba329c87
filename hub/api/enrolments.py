"""/v1/enrolments: tokens for machines that are to become bridges, and POST /v1/bridge/enrol, where they use them.

The token is what opens the latter: it needs no API key, works once, and for minutes only.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.bridges import BridgeName, BridgeWithSecret, made_bridge
from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, field_id, path_id
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_id_cursor, split_page, write_cursor
from hub.flow.enrolments import EnrolmentWish
from hub.model.enrolment import BridgeSystem, Enrolment, EnrolmentStatus
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text

MINUTES: Final = 30


class NewEnrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may enrol: a new bridge, or the machine that takes over an old one."""

    #: The new bridge's name; without it the machine chooses.
    name: BridgeName | None = None
    #: The bridge that is taken over: it keeps its lines and gets another secret.
    bridge_id: Annotated[str, Meta(max_length=64)] | None = None
    #: How long the token works.
    minutes: Annotated[int, Meta(ge=1, le=1440)] = MINUTES


class EnrolmentsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of enrolments."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class EnrolmentReply(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolment, never its token."""

    id: str
    status: EnrolmentStatus
    #: Null if the machine may choose.
    name: str | None
    #: The bridge that is taken over, or that was made; null before one was.
    bridge_id: str | None
    created_at: int
    expires_at: int
    redeemed_at: int | None


class OneEnrolment(EnrolmentReply, frozen=True, kw_only=True):
    """An enrolment, answered alone."""

    request_id: str


class EnrolmentWithToken(OneEnrolment, frozen=True, kw_only=True):
    """An enrolment with its token: shown this once."""

    token: str


class EnrolmentRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """The token opens nothing any more."""

    id: str
    deleted: bool = True
    request_id: str


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine that enrols."""

    token: Annotated[str, Meta(max_length=200)]
    #: Needed where the enrolment leaves it to the machine; else not looked at.
    name: BridgeName | None = None
    #: One that the machine drew, `whsec_` and the base64 of 24 to 64 random bytes: it may ask again with it when the
    #: answer was lost. Without it the hub draws one.
    secret: Annotated[str, Meta(max_length=256)] | None = None
    system: BridgeSystem | None = None


def _fields(enrolment: Enrolment, now_ms: int) -> dict[str, Any]:
    bridge_id = enrolment.bridge_id
    return {
        "id": id_text(Prefix.ENROLMENT, enrolment.id),
        "status": enrolment.status(now_ms),
        "name": enrolment.name,
        "bridge_id": None if bridge_id is None else id_text(Prefix.BRIDGE, bridge_id),
        "created_at": enrolment.created_at,
        "expires_at": enrolment.expires_at,
        "redeemed_at": enrolment.redeemed_at,
    }


async def _create(call: Call[NoQuery, NewEnrolment]) -> Reply:
    call.uses.lines.require(call.key, None)
    body, bridge_id = call.body, None
    if body.bridge_id is not None:
        if body.name is not None:
            message = "Give either 'name' or 'bridge_id': a bridge that is taken over keeps its name."
            raise InvalidRequest("invalid_parameter_value", message, param="name")
        bridge_id = field_id(body.bridge_id, Prefix.BRIDGE, "bridge", param="bridge_id")
    made = await call.uses.enrolments.create(name=body.name, bridge_id=bridge_id, minutes=body.minutes)
    fields = {**_fields(made.enrolment, call.now_ms), "token": made.token, "request_id": call.request_id}
    return Reply(content=msgspec.convert(fields, EnrolmentWithToken), status=201)


async def _list(call: Call[EnrolmentsQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    after, limit = read_id_cursor(call.query.cursor), call.query.limit
    found = await call.uses.enrolments.page(after=after, limit=limit + 1)
    enrolments, has_more = split_page(found, limit)
    data = [msgspec.convert(_fields(each, call.now_ms), EnrolmentReply) for each in enrolments]
    cursor = write_cursor(enrolments[-1].id) if has_more else None
    return Reply(content=Listed(data=data, has_more=has_more, next_cursor=cursor, request_id=call.request_id))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    enrolment = await call.uses.enrolments.get(path_id(call, Prefix.ENROLMENT, "enrolment"))
    fields = {**_fields(enrolment, call.now_ms), "request_id": call.request_id}
    return Reply(content=msgspec.convert(fields, OneEnrolment))


async def _revoke(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    enrolment_id = path_id(call, Prefix.ENROLMENT, "enrolment")
    await call.uses.enrolments.revoke(enrolment_id)
    content = EnrolmentRevoked(id=id_text(Prefix.ENROLMENT, enrolment_id), request_id=call.request_id)
    return Reply(content=content)


async def _redeem(call: Call[NoQuery, Machine]) -> Reply:
    body = call.body
    wish = EnrolmentWish(token=body.token, name=body.name, secret=body.secret, system=body.system)
    return await made_bridge(call, await call.uses.enrolments.redeem(wish), status=201)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/bridge/enrol",
        name="enrol_bridge",
        summary="Become a bridge with an enrolment token; no API key is needed.",
        description=(
            "The token works once. A machine that drew its own `secret` may repeat the request with the same token and "
            "secret until the token's time is over, and gets the same bridge; so a lost answer loses nothing."
        ),
        tag="bridges",
        scope=None,
        query=NoQuery,
        body=Machine,
        reply=BridgeWithSecret,
        status=201,
        errors=("bridge_not_found", "enrolment_refused", "name_taken"),
        example={
            "token": "enrol_1aBc…",
            "name": "office-mac",
            "system": {"os": "macOS 15.1", "hostname": "mini"},
        },
        handle=_redeem,
    ),
    Endpoint(
        method="GET",
        path="/v1/enrolments",
        name="list_enrolments",
        summary="List the enrolments, newest first.",
        tag="bridges",
        scope="admin",
        query=EnrolmentsQuery,
        body=NoBody,
        reply=Listed[EnrolmentReply],
        errors=("line_not_accessible",),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/enrolments",
        name="create_enrolment",
        summary="Make a token with which one machine may become a bridge, or take one over.",
        description="The answer shows the token, this once. See docs/bridges.md.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NewEnrolment,
        is_body_optional=True,
        reply=EnrolmentWithToken,
        status=201,
        errors=("bridge_not_found", "line_not_accessible", "name_taken"),
        example={"name": "office-mac", "minutes": 30},
        handle=_create,
    ),
    Endpoint(
        method="GET",
        path="/v1/enrolments/{id}",
        name="get_enrolment",
        summary="Show one enrolment: whether its token was used, and for which bridge.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=OneEnrolment,
        errors=("enrolment_not_found", "line_not_accessible"),
        handle=_get,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/enrolments/{id}",
        name="revoke_enrolment",
        summary="Make a token worthless; a bridge that it made stays.",
        tag="bridges",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=EnrolmentRevoked,
        errors=("enrolment_not_found", "line_not_accessible"),
        handle=_revoke,
    ),
)
