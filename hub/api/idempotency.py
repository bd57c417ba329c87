"""`Idempotency-Key` on every POST: the request is done once, and its repeats get the first answer.

Sends keep their keys themselves, in the transaction that owes them (hub.api.sends): an endpoint that names the header
in its table is left alone here. All others are wrapped: the key is claimed, the handler runs, its whole answer is kept
(hub.flow.repeats). A refusal frees the key, so what was refused can be mended and asked again under it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import msgspec
import structlog

from hub.api.body_digest import BodyDigest, normal_type
from hub.api.calls import AnyDescribed, AnyEndpoint, Call, NoBody, Reply, StreamBody
from hub.api.reading import Disconnected
from hub.api.uploads import body_chunks
from hub.flow.repeating import conflict
from hub.flow.repeats import RepeatDesk, lost
from hub.model.errors import InvalidRequest, StoreError
from hub.rules.idempotency import hash_request, validate_key
from hub.rules.problems import Problem

log = structlog.get_logger("api")

HEADER: Final = "Idempotency-Key"
#: Codes that any endpoint that is wrapped can answer.
ERRORS: Final = ("idempotency_answer_lost", "idempotency_in_progress", "idempotency_key_conflict")
#: How long a request takes at the most, an upload beside its own time.
LEASE_MS: Final = 120_000
#: A repeat of a form may have another boundary, so its length may differ.
_SLACK_BYTES: Final = 65_536
_REPLAYED: Final = (b"idempotent-replayed", b"true")
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class _Kept(msgspec.Struct, array_like=True):
    """An answer as it is kept."""

    status: int
    content_type: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    #: Of a body that was read while it arrived: its digest and its length.
    digest: bytes = b""
    length: int = 0


def wanted_key(call: Call[Any, Any]) -> str | None:
    """Read the idempotency key of a request.

    Raises:
        InvalidRequest: It is empty, too long or holds what cannot be a key.
    """
    header = call.headers.get(b"idempotency-key")
    if header is None:
        return None
    key = validate_key(header.decode("latin-1"))
    if isinstance(key, Problem):
        message = f"{key.why[0].upper()}{key.why[1:]}. {key.fix}."
        raise InvalidRequest("invalid_parameter_value", message, param=HEADER)
    return key


def is_wrapped(endpoint: AnyDescribed) -> bool:
    """Tell whether an endpoint's answers are kept here."""
    return endpoint.method == "POST" and endpoint.scope is not None and HEADER not in endpoint.headers


async def answer_once(endpoint: AnyEndpoint, call: Call[Any, Any], desk: RepeatDesk) -> Reply:
    """Have a request handled, or give the answer that it got before.

    Raises:
        InvalidRequest: idempotency_key_conflict, idempotency_in_progress, idempotency_answer_lost, a key that cannot
            be one, or what the handler says.
    """
    key = wanted_key(call)
    if key is None:
        return await endpoint.handle(call)
    scope, is_streamed = f"key:{call.key.id}", endpoint.body is StreamBody
    lease_ms = LEASE_MS + (int(call.uses.settings.upload_seconds * 1000) if is_streamed else 0)
    answer = await desk.begin(scope, key, request_hash=_hash(endpoint, call), lease_ms=lease_ms)
    if answer is not None:
        kept = msgspec.msgpack.decode(answer, type=_Kept)
        if endpoint.replayed_status is not None:
            kept.status = endpoint.replayed_status
        return await _again(kept, call, is_streamed=is_streamed)
    digest = BodyDigest(call.headers) if is_streamed else None
    if digest is not None:
        call = replace(call, receive=digest.listening(call.receive))
    try:
        reply = await endpoint.handle(call)
    except (InvalidRequest, Disconnected, StoreError):
        await desk.give_up(scope, key)
        raise
    except Exception:
        await desk.keep(scope, key, status=500, answer=b"")
        raise
    if isinstance(reply.content, AsyncIterator):
        await desk.give_up(scope, key)
        return reply
    return await _kept(reply, digest, desk, scope=scope, key=key)


async def _kept(reply: Reply, digest: BodyDigest | None, desk: RepeatDesk, *, scope: str, key: str) -> Reply:
    """Keep an answer. What was done stays done if that fails; then a repeat is told that the answer is lost."""
    assert not isinstance(reply.content, AsyncIterator)
    body = reply.content if isinstance(reply.content, bytes) else msgspec.json.encode(reply.content)
    kept = _Kept(reply.status, reply.content_type, reply.headers, body)
    if digest is not None:
        kept.digest, kept.length = digest.finished(), digest.length
    answer = b"" if digest is not None and not digest.is_whole else msgspec.msgpack.encode(kept)
    try:
        await desk.keep(scope, key, status=reply.status, answer=answer)
    except StoreError as error:
        log.warning("answer.not_kept", error=str(error))
    return replace(reply, content=body)


async def _again(kept: _Kept, call: Call[Any, Any], *, is_streamed: bool) -> Reply:
    """Give an answer again, under the id of the request that asks now."""
    if is_streamed:
        await _require_same_body(kept, call)
    body = kept.body
    if kept.content_type == b"application/json":
        document = msgspec.json.decode(body)
        if "request_id" in document:  # a dialect may have none
            document["request_id"] = call.request_id
            body = msgspec.json.encode(document)
    return Reply(
        content=body,
        status=kept.status,
        content_type=kept.content_type,
        headers=(*kept.headers, _REPLAYED),
    )


async def _require_same_body(kept: _Kept, call: Call[Any, Any]) -> None:
    """Read the body of a repeat to its end, only to compare it.

    Raises:
        InvalidRequest: idempotency_key_conflict, idempotency_answer_lost or upload_timeout.
    """
    if not kept.digest:
        raise lost()
    digest = BodyDigest(call.headers)
    try:
        async for chunk in body_chunks(call, most_bytes=kept.length + _SLACK_BYTES):
            digest.add(chunk)
    except InvalidRequest as error:
        if error.code == "payload_too_large":
            raise conflict() from None
        raise
    if digest.finished() != kept.digest:
        raise conflict()


def _hash(endpoint: AnyEndpoint, call: Call[Any, Any]) -> bytes:
    """Give what tells this request from others; of a body that is still to be read, only what announces it."""
    if endpoint.body is StreamBody:
        body = b"\n".join((normal_type(call.headers), call.headers.get(b"x-filename", b"")))
    else:
        body = b"" if endpoint.body is NoBody else _encode(call.body)
    path = "/".join((endpoint.path, *call.path.values()))
    return hash_request(
        method=endpoint.method, path=f"{path}?{_encode(call.query).decode()}", canonical_body=body
    )
