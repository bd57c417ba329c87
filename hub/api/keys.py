"""/v1/keys: API keys. Needs `admin`, and a key that is not restricted to lines: rights must not grow."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, path_id
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_id_cursor, split_page, write_cursor
from hub.api.webhook_shapes import Rotation
from hub.flow.keys import KeyWish, NewKey, is_live
from hub.model.dialect import NATIVE
from hub.model.ids import Prefix, id_text
from hub.model.key import ApiKey

KeyName = Annotated[str, Meta(min_length=1, max_length=200)]


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make."""

    name: KeyName
    scopes: Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(min_length=1, max_length=100)]
    #: Handles or `ln_` ids; null for every line.
    lines: (
        Annotated[tuple[Annotated[str, Meta(max_length=320)], ...], Meta(min_length=1, max_length=1000)]
        | None
    ) = None
    #: Null for the hub's limit; 0 for none.
    requests_per_hour: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    #: Unix ms; null for never.
    expires_at: Annotated[int, Meta(ge=0, le=32_503_680_000_000)] | None = None
    #: Whose client uses it: `native`, or a vendor's name; decides on paths that several share, and how it begins.
    dialect: Annotated[str, Meta(max_length=64)] = NATIVE


class KeysQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of keys."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class KeyReply(msgspec.Struct, frozen=True, kw_only=True):
    """A key, never its text."""

    id: str
    name: str
    #: How it begins, so that a person recognises it.
    hint: str
    status: Literal["active", "revoked", "expired"]
    scopes: tuple[str, ...]
    #: Null for every line.
    line_ids: tuple[str, ...] | None
    requests_per_hour: int | None
    dialect: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None


class OneKey(KeyReply, frozen=True, kw_only=True):
    """A key, answered alone."""

    request_id: str


class KeyWithText(OneKey, frozen=True, kw_only=True):
    """A key with its text: shown this once."""

    api_key: str


def _fields(key: ApiKey, now_ms: int) -> dict[str, Any]:
    status = "revoked" if key.revoked_at is not None else "active" if is_live(key, now_ms) else "expired"
    lines = None if key.line_ids is None else [id_text(Prefix.LINE, each) for each in sorted(key.line_ids)]
    return {
        "id": id_text(Prefix.API_KEY, key.id),
        "name": key.name,
        "hint": key.hint,
        "status": status,
        "scopes": sorted(key.scopes),
        "line_ids": lines,
        "requests_per_hour": key.requests_per_hour,
        "dialect": key.dialect,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def _one(call: Call[Any, Any], key: ApiKey) -> Reply:
    fields = {**_fields(key, call.now_ms), "request_id": call.request_id}
    return Reply(content=msgspec.convert(fields, OneKey))


def _made(call: Call[Any, Any], made: NewKey) -> Reply:
    fields = {**_fields(made.key, call.now_ms), "request_id": call.request_id, "api_key": made.text}
    return Reply(content=msgspec.convert(fields, KeyWithText), status=201)


def _key_id(call: Call[Any, Any]) -> int:
    call.uses.lines.require(call.key, None)
    return path_id(call, Prefix.API_KEY, "key")


async def _create(call: Call[NoQuery, NewApiKey]) -> Reply:
    call.uses.lines.require(call.key, None)
    body, line_ids = call.body, None
    if body.lines is not None:
        found = [
            await call.uses.lines.find(text, param=f"lines[{index}]") for index, text in enumerate(body.lines)
        ]
        line_ids = frozenset(line.id for line in found)
    wish = KeyWish(
        name=body.name,
        scopes=frozenset(body.scopes),
        line_ids=line_ids,
        requests_per_hour=body.requests_per_hour,
        expires_at=body.expires_at,
        dialect=body.dialect,
    )
    return _made(call, await call.uses.keys.create(wish))


async def _list(call: Call[KeysQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    after = read_id_cursor(call.query.cursor)
    found = await call.uses.keys.page(after=after, limit=call.query.limit + 1)
    keys, has_more = split_page(found, call.query.limit)
    cursor = write_cursor(keys[-1].id) if has_more else None
    data = [msgspec.convert(_fields(key, call.now_ms), KeyReply) for key in keys]
    return Reply(content=Listed(data=data, has_more=has_more, next_cursor=cursor, request_id=call.request_id))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return _one(call, await call.uses.keys.get(_key_id(call)))


async def _rotate(call: Call[NoQuery, Rotation]) -> Reply:
    hours = call.body.overlap_hours
    overlap = call.uses.settings.rotation_overlap_hours if hours is None else hours
    made = await call.uses.keys.rotate(_key_id(call), overlap_hours=overlap)
    call.uses.authenticator.forget()
    return _made(call, made)


async def _revoke(call: Call[NoQuery, NoBody]) -> Reply:
    key = await call.uses.keys.revoke(_key_id(call))
    call.uses.authenticator.forget()
    return _one(call, key)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/keys",
        name="list_keys",
        summary="List the API keys, newest first; their text is never shown again.",
        tag="keys",
        scope="admin",
        query=KeysQuery,
        body=NoBody,
        reply=Listed[KeyReply],
        errors=("line_not_accessible",),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/keys",
        name="create_key",
        summary="Make an API key; the answer shows it, this once.",
        tag="keys",
        scope="admin",
        query=NoQuery,
        body=NewApiKey,
        reply=KeyWithText,
        status=201,
        errors=("line_not_found", "line_not_accessible"),
        example={"name": "shop", "scopes": ["messages:write", "outbox:read"], "lines": ["+15550100000"]},
        handle=_create,
    ),
    Endpoint(
        method="GET",
        path="/v1/keys/{id}",
        name="get_key",
        summary="Show one API key.",
        tag="keys",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=OneKey,
        errors=("key_not_found", "line_not_accessible"),
        handle=_get,
    ),
    Endpoint(
        method="POST",
        path="/v1/keys/{id}/rotate",
        name="rotate_key",
        summary="Make a successor with the same rights; the old key ends after the overlap.",
        tag="keys",
        scope="admin",
        query=NoQuery,
        body=Rotation,
        is_body_optional=True,
        reply=KeyWithText,
        status=201,
        errors=("key_not_found", "line_not_accessible"),
        example={"overlap_hours": 24},
        handle=_rotate,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/keys/{id}",
        name="revoke_key",
        summary="Revoke an API key: here at once, in other processes within a second.",
        tag="keys",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=OneKey,
        errors=("key_not_found", "line_not_accessible"),
        handle=_revoke,
    ),
)
