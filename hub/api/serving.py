"""Serve one path: choose the method, then check in a fixed order and hand the call to its handler.

Order: method, API key, rate limit, scope, query, body, handler. Each refusal is an InvalidRequest; the envelope
(hub.api.envelope) turns it into an answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec

from hub.api.authentication import require_scope
from hub.api.calls import NOBODY, AnyEndpoint, Call, NoBody, Reply, StreamBody
from hub.api.compression import compressed
from hub.api.conditional import change_if_match, is_another_view, is_tagged, tagged, takes_if_match
from hub.api.dialect import RateLimit
from hub.api.idempotency import answer_once, is_wrapped
from hub.api.parts import ApiParts, Receive, Send
from hub.api.reading import (
    Disconnected,
    ignored_fields,
    read_body,
    read_fields,
    read_object,
    read_query,
    require_clean_path,
    require_json_type,
)
from hub.api.usecases import UseCases
from hub.model.errors import InvalidRequest
from hub.model.key import ApiKey

_encode: Final = msgspec.json.Encoder().encode
#: An extension of ASGI, where the server has it: cuts the connection off without waiting for the other side.
ABORT: Final = "hub.abort"
HOUR_SECONDS: Final = 3_600
WINDOW_NAMES: Final = {60: "minute", HOUR_SECONDS: "hour"}
#: Names the fields of a body that no one reads here: ignored as the wire demands, and often mistyped.
IGNORED: Final = b"x-ignored-fields"
_MOST_IGNORED: Final = 10
_PRINTABLE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
#: Endpoints open to anybody live on these paths.
OPEN_METHODS: Final = ("OPTIONS",)


class _TokenQuery(msgspec.Struct, frozen=True):
    """What of a query says who asks."""

    token: str | None = None


class PathApp:
    """All methods of one path, as an ASGI application."""

    def __init__(
        self,
        endpoints: Sequence[AnyEndpoint],
        *,
        parts: ApiParts,
        uses: UseCases,
        rate_limit: RateLimit | None = None,
    ) -> None:
        self._by_method: Mapping[str, AnyEndpoint] = {each.method: each for each in endpoints}
        self._allow = allowed_methods(endpoints)
        self._parts = parts
        self._uses = uses
        #: Of keys without one of their own, where the dialect has another than the hub.
        self._rate_limit = rate_limit

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        state = scope["state"]
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        endpoint = self._by_method.get(method)
        if endpoint is None:
            state["answer_headers"].append((b"allow", self._allow.encode()))
            if method == "OPTIONS":
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
            raise InvalidRequest("method_not_allowed", f"Use one of: {self._allow}.")
        state["route"], state["is_probe"] = endpoint.path, endpoint.tag == "operation"
        call = await self._read(endpoint, scope, receive)
        reply = await self._handled(endpoint, call)
        if isinstance(reply.content, AsyncIterator):
            await send(_start(reply, reply.length))
            abort = scope.get("extensions", {}).get(ABORT)
            pieces = _Pieces(reply.content, call, send, stall_seconds=reply.stall_seconds, abort=abort)
            await pieces.send(is_head=scope["method"] == "HEAD")
        else:
            await _answer(_dressed(endpoint, reply, call), send)

    async def _handled(self, endpoint: AnyEndpoint, call: Call[Any, Any]) -> Reply:
        if is_wrapped(endpoint):
            return await answer_once(endpoint, call, self._uses.repeats)
        reader = self._by_method.get("GET")
        if reader is not None and b"if-match" in call.headers and takes_if_match(endpoint):
            return await change_if_match(endpoint, reader, call, self._uses.turns)
        return await endpoint.handle(call)

    async def _read(self, endpoint: AnyEndpoint, scope: Any, receive: Receive) -> Call[Any, Any]:
        headers = dict(scope["headers"])
        now_ms = self._parts.clock.now_ms()
        require_clean_path(scope.get("raw_path") or b"")
        key = NOBODY
        if endpoint.scope is not None:
            key = await self._identify(endpoint, headers, scope["query_string"], now_ms)
            await self._admit(key, endpoint.scope, now_ms, scope["state"])
        query = read_query(scope["query_string"], endpoint.query)
        raw_body, body, ignored = await self._read_body(endpoint, headers, receive)
        names = [name for name in ignored[:_MOST_IGNORED] if _PRINTABLE.fullmatch(name)]
        if names:
            scope["state"]["answer_headers"].append((IGNORED, ", ".join(names).encode()))
        return Call(
            request_id=scope["state"]["request_id"],
            key=key,
            path=scope.get("path_params", {}),
            query=query,
            body=body,
            raw_body=raw_body,
            headers=headers,
            now_ms=now_ms,
            uses=self._uses,
            gone=partial(_gone, receive),
            receive=receive,
        )

    async def _identify(
        self, endpoint: AnyEndpoint, headers: Mapping[bytes, bytes], query: bytes, now_ms: int
    ) -> ApiKey:
        if endpoint.is_token_enough and b"authorization" not in headers:
            token = read_query(query, _TokenQuery).token
            if token is not None:
                return await self._uses.stream_tokens.holder(token, now_ms)
        return await self._uses.authenticator.identify(headers, now_ms)

    async def _admit(self, key: ApiKey, needed: str, now_ms: int, state: dict[str, Any]) -> None:
        """Count the request, check the scope."""
        state["key"] = key.hint
        limit, seconds = self._limit(key)
        if limit:
            decision = await self._parts.rate_limiter.take(key.id, limit, now_ms, window_ms=seconds * 1000)
            state["answer_headers"] += (
                (b"x-ratelimit-limit", b"%d" % limit),
                (b"x-ratelimit-remaining", b"%d" % decision.remaining),
                (b"x-ratelimit-reset", b"%d" % -(-decision.resets_at // 1000)),
            )
            if not decision.is_allowed:
                raise InvalidRequest(
                    "rate_limit_exceeded",
                    f"This API key has used its {limit} requests of this {WINDOW_NAMES[seconds]}.",
                    retry_after=decision.retry_after_seconds(now_ms),
                )
        require_scope(key, needed)

    def _limit(self, key: ApiKey) -> tuple[int, int]:
        """Give how many requests a key has, 0 for any number, and of how many seconds."""
        if key.requests_per_hour is not None:
            return key.requests_per_hour, HOUR_SECONDS
        limit = self._parts.settings.requests_per_hour
        if self._rate_limit is not None and limit:
            return self._rate_limit.requests, self._rate_limit.seconds
        return limit, HOUR_SECONDS

    async def _read_body(
        self, endpoint: AnyEndpoint, headers: Mapping[bytes, bytes], receive: Receive
    ) -> tuple[bytes, msgspec.Struct, tuple[str, ...]]:
        """Give the body as bytes, as a struct, and the names in it that the struct does not know."""
        if endpoint.body is NoBody:
            return b"", NoBody(), ()
        if endpoint.body is StreamBody:
            return b"", StreamBody(), ()
        settings = self._parts.settings
        require_json_type(headers)
        raw = await read_body(receive, headers, most_bytes=settings.max_body_bytes)
        if not raw and endpoint.is_body_optional:
            return b"", endpoint.body(), ()
        document = read_object(raw, most_depth=settings.json_depth)
        body = read_fields(document, endpoint.body, kind="field")
        return raw, body, ignored_fields(document, endpoint.body)


async def _gone(receive: Receive) -> None:
    """Return when the caller has gone away; what is left of its body is not looked at."""
    while (await receive())["type"] != "http.disconnect":
        pass


def allowed_methods(endpoints: Sequence[AnyEndpoint]) -> str:
    """What the `Allow` header of a path says."""
    methods = {each.method for each in endpoints} | set(OPEN_METHODS)
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _dressed(endpoint: AnyEndpoint, reply: Reply, call: Call[Any, Any]) -> Reply:
    """Give an answer what HTTP has for it: a tag, and compression."""
    if reply.is_constant or (is_tagged(endpoint) and reply.status == HTTPStatus.OK):
        reply = tagged(reply, call, is_weak=is_another_view(endpoint, call))
    elif isinstance(reply.content, msgspec.Struct):
        reply = replace(reply, content=_encode(reply.content))
    return compressed(reply, call.headers)


async def _answer(reply: Reply, send: Send) -> None:
    body = reply.content if isinstance(reply.content, bytes) else _encode(reply.content)
    await send(_start(reply, None if reply.status == HTTPStatus.NOT_MODIFIED else len(body)))
    await send({"type": "http.response.body", "body": body})


class _Pieces:
    """An answer that is sent while it is made."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        call: Call[Any, Any],
        send: Send,
        *,
        stall_seconds: float | None,
        abort: Callable[[], None] | None,
    ) -> None:
        self._pieces = pieces
        self._call = call
        self._send = send
        self._stall_seconds = stall_seconds
        self._abort = abort

    async def send(self, *, is_head: bool) -> None:
        """Send them as long as somebody is there to take them.

        Raises:
            Disconnected: Somebody was there and took nothing for too long.
        """
        leaving = asyncio.ensure_future(self._call.gone())
        try:
            if not is_head:
                async for piece in _until(leaving, self._pieces):
                    await self._give(piece, leaving)
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()
            if isinstance(self._pieces, AsyncGenerator):
                await self._pieces.aclose()

    async def _give(self, piece: bytes, leaving: asyncio.Future[None]) -> None:
        try:
            async with asyncio.timeout(self._stall_seconds):
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            if self._abort is not None:
                self._abort()
                await leaving
            raise Disconnected from None


async def _until(leaving: asyncio.Future[None], pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give the pieces as they are made, as long as somebody is there to take them."""
    while not leaving.done():
        making = asyncio.ensure_future(anext(pieces, None))
        try:
            await asyncio.wait((making, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not making.done():
                making.cancel()
                await asyncio.wait((making,))
        piece = None if making.cancelled() else making.result()
        if piece is None:
            return
        yield piece


def _start(reply: Reply, length: int | None) -> dict[str, Any]:
    headers = [(b"content-type", reply.content_type)] if reply.content_type else []
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    return {"type": "http.response.start", "status": reply.status, "headers": [*headers, *reply.headers]}
