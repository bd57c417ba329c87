"""Ask a native endpoint, in process, as the caller of a dialect's endpoint: the only way from a dialect into the hub.

The native checks all hold: the scope, the lines that the key may use, and the shape of query and body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Generic, TypeVar

import msgspec
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from hub.api.authentication import require_scope
from hub.api.calls import AnyEndpoint, Call, NoBody, NoQuery, Reply, StreamBody
from hub.api.conditional import change_if_match, tag_of
from hub.api.idempotency import HEADER, answer_once, is_wrapped
from hub.api.reading import read_fields
from hub.api.surface import ENDPOINTS
from hub.model.errors import InvalidRequest

Shape = TypeVar("Shape")

#: How often a change is tried that is bound to what was read: for some two seconds in all.
MOST_TURNS: Final = 12
_KEY_HEADER: Final = HEADER.lower().encode()
#: Headers that speak of the caller's own request, and would mean another thing at a native endpoint.
_OF_THE_CALLER: Final = (_KEY_HEADER, b"if-match", b"if-none-match", b"prefer")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked(Generic[Shape]):
    """What a native endpoint answered."""

    content: Shape
    status: int
    #: It had been asked before under the same idempotency key, and nothing was done now.
    is_replayed: bool
    headers: tuple[tuple[bytes, bytes], ...]


async def ask(
    call: Call[Any, Any],
    name: str,
    expected: type[Shape],
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    wait_seconds: int | None = None,
) -> Asked[Shape]:
    """Ask a native endpoint for JSON.

    Args:
        call: The request of the dialect: whose key asks, under which request id.
        name: The endpoint's name (`send_message`).
        expected: The shape of its answer.
        path: The names in its path.
        query: Query parameters under their wire names; values as JSON has them; None for one that is not given.
        body: The JSON object.
        idempotency_key: With the caller's own, repeats of the caller's request are told by the caller's body.
        wait_seconds: For sends: how long to wait for what becomes of it (`Prefer: wait=N`).

    Raises:
        InvalidRequest: As the native endpoint says; `param` names the native field.
    """
    reply = await _handled(
        endpoint(name),
        call,
        path=path or {},
        query=query or {},
        body=body or {},
        headers=_headers(call, idempotency_key, wait_seconds),
    )
    return _told(reply, expected)


async def ask_after_reading(
    call: Call[Any, Any],
    name: str,
    expected: type[Shape],
    *,
    reader: str,
    path: Mapping[str, str],
    body: Callable[[Shape], Mapping[str, Any]],
) -> Asked[Shape]:
    """Change a thing by what it is: read it, and change it only if it is still so; else read it again.

    Args:
        call: As `ask` takes it.
        name: The native endpoint that changes, on the same path as the reader.
        expected: The shape of both answers.
        reader: The native endpoint that shows the thing.
        path: The names in their path.
        body: Makes the change out of what was read.

    Raises:
        InvalidRequest: As the native endpoints say; precondition_failed when others change it all the time.
    """
    headers = _headers(call, None, None)

    async def turn() -> Reply:
        seen = await _handled(endpoint(reader), call, path=path, query={}, body={}, headers=headers)
        bound = {**headers, b"if-match": tag_of(seen, call.request_id)}
        asked = _asked(endpoint(name), call, path, {}, body(_content(seen, expected)), bound)
        return await change_if_match(endpoint(name), endpoint(reader), asked, call.uses.turns)

    return _told(await _turns().copy()(turn), expected)


async def in_turn(call: Call[Any, Any], name: str, do: Callable[[], Awaitable[Shape]]) -> Shape:
    """Do what reads, decides and then writes, one caller after the other, whichever process they reach.

    Args:
        call: The request of the dialect.
        name: Of what it is about; callers with other names do not wait for each other.
        do: Asks native endpoints.

    Raises:
        InvalidRequest: As they say; precondition_failed when others have their turn all the time.
    """

    async def turn() -> Shape:
        async with call.uses.turns.of(name):
            return await do()

    return await _turns().copy()(turn)


@cache
def _turns() -> AsyncRetrying:
    """Others' changes take milliseconds: pauses that grow from there, of different lengths for those that collide."""
    return AsyncRetrying(
        retry=retry_if_exception(_was_changed_meanwhile),
        stop=stop_after_attempt(MOST_TURNS),
        wait=wait_random_exponential(multiplier=0.01, max=0.5),
        reraise=True,
    )


def _was_changed_meanwhile(error: BaseException) -> bool:
    return isinstance(error, InvalidRequest) and error.code == "precondition_failed"


async def ask_raw(
    call: Call[Any, Any],
    name: str,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[bytes, bytes] | None = None,
) -> Reply:
    """Ask a native endpoint whose body or answer is no JSON: the body is read from the caller as it arrives.

    Args:
        call: The request of the dialect; its own body must not have been read.
        name: The endpoint's name (`upload_file`).
        path: The names in its path.
        query: Query parameters under their wire names.
        headers: Replace the caller's.
    """
    own = {**_headers(call, None, None), **(headers or {})}
    return await _handled(endpoint(name), call, path=path or {}, query=query or {}, body={}, headers=own)


@cache
def _by_name() -> dict[str, AnyEndpoint]:
    return {each.name: each for each in ENDPOINTS}


def endpoint(name: str) -> AnyEndpoint:
    """Find a native endpoint; a name that is none is a mistake of the dialect."""
    return _by_name()[name]


async def _handled(
    native: AnyEndpoint,
    call: Call[Any, Any],
    *,
    path: Mapping[str, str],
    query: Mapping[str, Any],
    body: Mapping[str, Any],
    headers: Mapping[bytes, bytes],
) -> Reply:
    asked = _asked(native, call, path, query, body, headers)
    if is_wrapped(native) and _KEY_HEADER in headers:
        return await answer_once(native, asked, call.uses.repeats)
    return await native.handle(asked)


def _asked(  # noqa: PLR0917 - as _handled takes them
    native: AnyEndpoint,
    call: Call[Any, Any],
    path: Mapping[str, str],
    query: Mapping[str, Any],
    body: Mapping[str, Any],
    headers: Mapping[bytes, bytes],
) -> Call[Any, Any]:
    """Give the request as the native endpoint sees it, checked."""
    if native.scope is not None:
        require_scope(call.key, native.scope)
    return replace(
        call,
        path=path,
        query=_read(query, native.query, kind="query parameter"),
        body=_read(body, native.body, kind="field"),
        headers=headers,
        asked_as=call.body,
    )


def _told(reply: Reply, expected: type[Shape]) -> Asked[Shape]:
    return Asked(
        content=_content(reply, expected),
        status=reply.status,
        is_replayed=(b"idempotent-replayed", b"true") in reply.headers,
        headers=reply.headers,
    )


def _content(reply: Reply, expected: type[Shape]) -> Shape:
    if isinstance(reply.content, expected):
        return reply.content
    content: Shape = msgspec.json.decode(_bytes(reply), type=expected)  # kept answers come as bytes
    return content


def _read(values: Mapping[str, Any], shape: type[msgspec.Struct], *, kind: str) -> msgspec.Struct:
    if shape in (NoQuery, NoBody, StreamBody):
        return shape()
    given = {name: value for name, value in values.items() if value is not None or kind == "field"}
    return read_fields(given, shape, kind=kind)


def _headers(
    call: Call[Any, Any], idempotency_key: str | None, wait_seconds: int | None
) -> dict[bytes, bytes]:
    headers = {name: value for name, value in call.headers.items() if name not in _OF_THE_CALLER}
    if idempotency_key is not None:
        headers[_KEY_HEADER] = idempotency_key.encode("latin-1", "replace")
    if wait_seconds is not None:
        headers[b"prefer"] = b"wait=%d" % wait_seconds
    return headers


def _bytes(reply: Reply) -> bytes:
    assert isinstance(reply.content, bytes), "this native endpoint does not answer with JSON: use ask_raw"
    return reply.content
