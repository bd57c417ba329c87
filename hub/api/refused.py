"""/v1/bridges/{id}/refused: what a bridge brought and could not be taken in, and how to take it in again."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, not_found, path_id
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_id_cursor, split_page, write_cursor
from hub.flow.refused_desk import can_be_read
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.model.line import Bridge
from hub.model.refused import Form, Origin, RefusalCode, RefusedPayload
from hub.rules.sources.masking import masked_body


class RefusedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page, newest first."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class RefusedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that could not be taken in. The same one again only raises its count."""

    id: str
    bridge_id: str
    #: Why, in a word: docs/bridges.md lists them.
    code: RefusalCode
    #: Why, for people.
    reason: str
    #: From where it came.
    origin: Origin
    #: What the network calls it, where that is known.
    event: str | None
    #: Bytes that came; up to 65,536 of them are kept.
    size: int
    count: int
    #: Unix ms.
    first_at: int
    last_at: int
    #: Whether `POST …/retry` could take it in.
    can_retry: bool
    #: The form of it: names, numbers and the beginning of each text.
    outline: str


class OneRefused(RefusedReply, frozen=True, kw_only=True):
    """A payload, answered alone: with all that is kept of it."""

    #: As it came, secrets of the bridge masked; bytes that are no UTF-8 are replaced.
    payload: str
    #: `observation` in the normal form, `request` of the network, or something else.
    form: Form
    request_id: str


class RetriedReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a payload that was read again."""

    id: str
    #: `recorded` or `duplicate` (it was known already): it is kept no more. `refused`: it is kept as before.
    status: Literal["recorded", "duplicate", "refused"]
    #: Why it is refused.
    reason: str | None
    request_id: str


async def _bridge(call: Call[Any, Any]) -> Bridge:
    call.uses.lines.require(call.key, None)
    return await call.uses.bridges.get(path_id(call, Prefix.BRIDGE, "bridge"))


def _payload_id(call: Call[Any, Any]) -> int:
    try:
        return parse_id(Prefix.REFUSED, call.path["payload_id"])
    except InvalidId:
        raise not_found("payload") from None


async def _list(call: Call[RefusedQuery, NoBody]) -> Reply:
    bridge = await _bridge(call)
    after, limit = read_id_cursor(call.query.cursor), call.query.limit
    found = await call.uses.refused.page(bridge.id, after=after, limit=limit + 1)
    page, has_more = split_page(found, limit)
    cursor = write_cursor(page[-1].id) if has_more else None
    data = [RefusedReply(**_fields(each)) for each in page]
    return Reply(content=Listed(data=data, has_more=has_more, next_cursor=cursor, request_id=call.request_id))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    bridge = await _bridge(call)
    found = await call.uses.refused.get(bridge.id, _payload_id(call))
    content = OneRefused(
        **_fields(found),
        payload=found.refused.raw.decode("utf-8", "replace"),
        form=found.refused.form,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _retry(call: Call[NoQuery, NoBody]) -> Reply:
    bridge, payload_id = await _bridge(call), _payload_id(call)
    taken = await call.uses.refused.take_in_again(bridge, payload_id)
    content = RetriedReply(
        id=id_text(Prefix.REFUSED, payload_id),
        status=taken.status,
        reason=taken.reason,
        request_id=call.request_id,
    )
    return Reply(content=content)


def _fields(payload: RefusedPayload) -> dict[str, Any]:
    said = payload.refused
    return {
        "id": id_text(Prefix.REFUSED, payload.id),
        "bridge_id": id_text(Prefix.BRIDGE, payload.bridge_id),
        "code": said.code,
        "reason": said.reason,
        "origin": said.origin,
        "event": said.event,
        "size": said.size,
        "count": payload.count,
        "first_at": payload.first_at,
        "last_at": payload.last_at,
        "can_retry": can_be_read(said),
        "outline": masked_body(said.raw),
    }


def _endpoint(
    method: str, path: str, name: str, summary: str, *, errors: tuple[str, ...] = (), **more: Any
) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=f"/v1/bridges/{{id}}/refused{path}",
        name=name,
        summary=summary,
        tag="bridges",
        scope="admin",
        query=more.pop("query", NoQuery),
        body=NoBody,
        errors=("bridge_not_found", "line_not_accessible", *errors),
        **more,
    )


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    _endpoint(
        "GET",
        "",
        "list_refused",
        "List what a bridge brought and could not be taken in, with the reason, newest first.",
        query=RefusedQuery,
        reply=Listed[RefusedReply],
        description=(
            "Those that came last are kept for some days (`bridge.refused_kept`, `bridge.refused_days`); of a flood a "
            "part. docs/bridges.md tells what to do about each code."
        ),
        handle=_list,
    ),
    _endpoint(
        "GET",
        "/{payload_id}",
        "get_refused",
        "Show one payload that could not be taken in, as it came.",
        reply=OneRefused,
        errors=("payload_not_found",),
        handle=_get,
    ),
    _endpoint(
        "POST",
        "/{payload_id}/retry",
        "retry_refused",
        "Take a payload in again: after an upgrade of the hub, or a change of the bridge's settings.",
        reply=RetriedReply,
        description="What was taken in is not taken in twice, and goes from the list.",
        errors=("payload_not_found", "payload_not_readable"),
        handle=_retry,
    ),
)
