"""/v1/events/stream: server-sent events, resumable; and the tokens with which a browser opens it.

Each block has the position as its `id:`, so whoever comes back with `Last-Event-ID` misses nothing and gets nothing
twice. Blocks have no `event:` but one, `stream.end`, which says why a stream ends: a reader needs one handler.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import (
    EVENT_STREAM,
    EVENT_STREAM_CONTENT,
    AnyEndpoint,
    Call,
    Endpoint,
    NoBody,
    NoQuery,
    Reply,
    not_found,
)
from hub.api.events_choice import chat_id, line_id, patterns, position, wanted_events
from hub.api.events_shapes import EventChoice, PositionText, StreamedEvent, streamed
from hub.flow.event_store import EventFilter
from hub.flow.feed import CutOff, FeedOver
from hub.flow.follow import Progress, follow_from, position_text
from hub.flow.stream_tokens import StreamGrant
from hub.model.errors import InvalidRequest, StoreError

#: How long a reader waits before it comes back.
RETRY_MS: Final = 2_000
LAST_EVENT_ID: Final = "Last-Event-ID"

EndReason = Literal["key_ended", "service_unavailable", "stopping", "too_slow"]

_ENDS: Final[dict[EndReason, str]] = {
    "key_ended": "The API key was revoked or has expired.",
    "service_unavailable": "The database is away; come back with the last id.",
    "stopping": "The hub stops or starts anew; come back with the last id.",
    "too_slow": "More waited than may wait (streams.buffer_events); come back with the last id, and read faster.",
}
_encode: Final = msgspec.json.Encoder().encode


class StreamQuery(EventChoice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events, and from where on."""

    #: Begin behind it; without it, and without `Last-Event-ID`, begin now.
    after: PositionText | None = None
    #: Of POST /v1/events/stream-token, instead of the header `Authorization`.
    token: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None


class TokenWish(EventChoice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the token shall open; without a choice all that the key may see."""

    #: Within this time a stream must be opened, and opened again.
    ttl_seconds: Annotated[int, Meta(ge=10, le=3600)] = 300


class TokenReply(msgspec.Struct, frozen=True, kw_only=True):
    """A token: whoever has it can follow until it ends."""

    token: str
    #: Unix ms; a stream that is open by then goes on.
    expires_at: int
    #: For EventSource.
    url: str
    request_id: str


class StreamEnd(msgspec.Struct, frozen=True, kw_only=True):
    """`data` of `stream.end`, the last block of a stream that the hub ends."""

    reason: EndReason
    message: str


async def _stream(call: Call[StreamQuery, NoBody]) -> Reply:
    wanted = await _wanted(call)
    last = call.headers.get(b"last-event-id", b"").decode("latin-1").strip()
    # A browser that comes back repeats the address with which it began; what it got since stands in the header.
    text, param = (last, LAST_EVENT_ID) if last else (call.query.after, "after")
    after = None if text is None else await position(call, text, param=param)
    leave = call.uses.streams.take(call.key.id)
    return Reply(
        content=_Held(_blocks(call, wanted, after), leave),
        stall_seconds=call.uses.settings.stream_stall_seconds,
        content_type=EVENT_STREAM.encode(),
        headers=((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")),
    )


async def _wanted(call: Call[StreamQuery, NoBody]) -> EventFilter:
    """What the query asks for, within what its token opens."""
    wanted = await wanted_events(call, call.query, with_live=True)
    if call.query.token is None or b"authorization" in call.headers:
        return wanted
    grant = call.uses.stream_tokens.read(call.query.token, call.now_ms)
    if grant.types is not None:
        granted = frozenset(grant.types)
        wanted = replace(wanted, types=granted if wanted.types is None else granted & wanted.types)
    if grant.line_id is not None:
        if wanted.line_ids is not None and grant.line_id not in wanted.line_ids:
            message = "The stream token is restricted to another line."
            raise InvalidRequest("line_not_accessible", message, param="from")
        wanted = replace(wanted, line_ids=frozenset({grant.line_id}))
    if grant.chat_id is not None:
        if wanted.chat_id not in (None, grant.chat_id):
            raise not_found("chat", param="chat")
        wanted = replace(wanted, chat_id=grant.chat_id)
    return wanted


class _Held(AsyncGenerator[bytes, None]):
    """The blocks of a stream that holds a place: given up however the stream ends, even before it began."""

    def __init__(self, blocks: AsyncGenerator[bytes, None], leave: Callable[[], None]) -> None:
        self._blocks = blocks
        self._leave = leave

    async def asend(self, value: None) -> bytes:
        try:
            return await self._blocks.asend(value)
        except BaseException:
            self._leave()
            raise

    async def athrow(self, *error: Any) -> bytes:
        self._leave()
        return await self._blocks.athrow(*error)

    async def aclose(self) -> None:
        self._leave()
        await self._blocks.aclose()


async def _blocks(
    call: Call[StreamQuery, NoBody], wanted: EventFilter, after: int | None
) -> AsyncGenerator[bytes, None]:
    live, monotonic = call.uses.parts.live, call.uses.parts.monotonic
    beat = call.uses.settings.stream_beat_seconds
    following = follow_from(live.feed, call.uses.store.events, wanted, after=after, beat_seconds=beat)
    reason: EndReason
    checked_at = monotonic()
    yield b"retry: %d\n\n" % RETRY_MS
    try:
        async with contextlib.aclosing(following):
            async for progress in following:
                if monotonic() - checked_at >= beat:
                    checked_at = monotonic()
                    await call.uses.stream_tokens.key_of(call.key.id, call.uses.parts.clock.now_ms())
                live.metrics.streamed.inc(len(progress.told))
                yield _written(progress)
    except CutOff:
        reason = "too_slow"
    except FeedOver:
        reason = "stopping"
    except InvalidRequest:
        reason = "key_ended"
    except StoreError:
        reason = "service_unavailable"
    live.metrics.streams_ended.labels(reason).inc()
    yield b"event: stream.end\ndata: %b\n\n" % _encode(StreamEnd(reason=reason, message=_ENDS[reason]))


def _written(progress: Progress) -> bytes:
    """Write events as blocks, and where there is none a sign that the stream lives, with how far it has come."""
    blocks = []
    reached = None
    for told in progress.told:
        reply = streamed(told)
        reached = reached if reply.id is None else told.position  # type: ignore[union-attr] # it has an id: an Event
        place = b"" if reply.id is None else b"id: %b\n" % position_text(told.position).encode()  # type: ignore[union-attr] # as above
        blocks.append(b"%bdata: %b\n\n" % (place, _one_line(_encode(reply))))
    if reached != progress.position:
        blocks.append(b": here\nid: %b\n\n" % position_text(progress.position).encode())
    return b"".join(blocks)


def _one_line(text: bytes) -> bytes:
    """A line break would end the block; in JSON it is only space, such as a client's own document may hold."""
    return msgspec.json.format(text, indent=-1) if b"\n" in text or b"\r" in text else text


async def _token(call: Call[NoQuery, TokenWish]) -> Reply:
    body = call.body
    types = None if body.type is None else tuple(sorted(patterns(body.type, with_live=True)))
    expires_at = call.now_ms + body.ttl_seconds * 1000
    grant = StreamGrant(
        key_id=call.key.id,
        expires_at=expires_at,
        types=types,
        line_id=await line_id(call, body),
        chat_id=None if body.chat is None else await chat_id(call, body.chat),
    )
    token = call.uses.stream_tokens.make(grant)
    content = TokenReply(
        token=token,
        expires_at=expires_at,
        url=f"{call.uses.settings.public_url}{_PATH}?token={token}",
        request_id=call.request_id,
    )
    return Reply(content=content, status=201)


_PATH: Final = "/v1/events/stream"
_CHOICE_ERRORS: Final = ("line_not_found", "line_not_accessible", "chat_not_found")

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path=_PATH,
        name="stream_events",
        summary="Follow events as they are recorded (server-sent events).",
        description=(
            "Each block's `data:` is an event; its `id:` is a position. Come back with it in `Last-Event-ID` (a "
            "browser does so by itself) or as `after`, and nothing is missed or told twice. Signs of life "
            "(`typing.started`, `typing.stopped`, `receipt.read`) are told while they last: their `id` is null and "
            "their block has no `id:`. The last block of a stream that the hub ends is `event: stream.end` with a "
            "`reason`. docs/reading-events.md."
        ),
        tag="events",
        scope="events:read",
        is_token_enough=True,
        query=StreamQuery,
        body=NoBody,
        reply=bytes,
        reply_content={EVENT_STREAM: EVENT_STREAM_CONTENT},
        errors=(*_CHOICE_ERRORS, "too_many_streams"),
        headers=(LAST_EVENT_ID,),
        handle=_stream,
    ),
    Endpoint(
        method="POST",
        path="/v1/events/stream-token",
        name="make_stream_token",
        summary="Make a short-lived token that opens the stream and nothing else.",
        description="For EventSource, which can send no header: the API key stays on your server.",
        tag="events",
        scope="events:read",
        query=NoQuery,
        body=TokenWish,
        is_body_optional=True,
        reply=TokenReply,
        status=201,
        errors=_CHOICE_ERRORS,
        example={"type": "message.*", "ttl_seconds": 300},
        handle=_token,
    ),
)

#: What a block's `data:` holds; for documents and readers.
STREAMED: Final = StreamedEvent
