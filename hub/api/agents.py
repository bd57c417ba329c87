"""/v1/bridge/{hello,claim,…}: what agents ask (docs/agent.md). Signed with the bridge's secret, like its events.

Each is a POST of one JSON object, so that the signature covers all that is asked: the call, the file, the bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoQuery, Reply, field_id
from hub.flow.agent_calls import ToldOutcome
from hub.model.bridge_call import AgentHello, BridgeCall, CallVerb
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.model.line import Bridge
from hub.model.refused import MOST_KEPT_BYTES, Form, Origin, RefusalCode, Refused

MOST_HELD: Final = 64
MOST_CLAIMED: Final = 16
MOST_WAIT_SECONDS: Final = 25
MOST_PIECE_BYTES: Final = 1_048_576

Fence = Annotated[int, Meta(ge=1, le=2**53)]
CallId = Annotated[str, Meta(min_length=1, max_length=64)]
Told = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class AgentHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the bridge is, as its adapter says."""

    state: Literal["online", "degraded", "offline"] = "online"
    reason: Annotated[str, Meta(max_length=2000)] | None = None


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent tells of itself, at its start and every 20 s."""

    #: Drawn with its journal: another name is another agent, which takes the bridge over from the one before.
    agent: Name
    #: Its own version.
    version: Annotated[str, Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
    #: The kind of its bridge, as `GET /v1/bridge-kinds` names it, or a word of your own.
    kind: Name
    capabilities: Annotated[list[Name], Meta(max_length=100)]
    health: AgentHealth = AgentHealth()
    #: What it runs as, shown with the bridge; `hub agent` is that of Hub itself, whose version the hub judges.
    program: Told | None = None
    #: Its machine's system, shown with the bridge.
    os: Told | None = None


class Welcomed(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent must know."""

    #: To be given with all that follows.
    fence: int
    #: Handles of the bridge's active lines.
    lines: list[str]
    #: The largest body of a request.
    max_body_bytes: int
    #: The most events in one request.
    max_events: int
    #: Whether `GET /v1/bridge/connect` opens a WebSocket here.
    has_sockets: bool
    request_id: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent would take on."""

    fence: Fence
    #: Calls that it has and did not answer; what else was given to it is given again.
    holding: Annotated[list[CallId], Meta(max_length=MOST_HELD)] = []
    max: Annotated[int, Meta(ge=1, le=MOST_CLAIMED)] = 8
    #: How long to wait for the first call.
    wait_s: Annotated[float, Meta(ge=0, le=MOST_WAIT_SECONDS)] = 0


class GivenCall(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the agent is asked for."""

    call_id: str
    verb: CallVerb
    #: Of `perform` and `lookup`: `attempt_id`, `line`, `kind`, `payload`, `dispatched_at`, `asked_of`, `taken`; of
    #: `attachment`: `ref`.
    asked: msgspec.Raw


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to do: an empty list when nothing came in time."""

    calls: list[GivenCall]
    request_id: str


class OfCall(msgspec.Struct, frozen=True, kw_only=True):
    """Which call is meant."""

    fence: Fence
    call_id: CallId


class Ack(OfCall, frozen=True, kw_only=True):
    """What became of a call."""

    outcome: ToldOutcome


class Piece(OfCall, frozen=True, kw_only=True):
    """A piece of an attachment."""

    #: From 0, without a gap.
    number: Annotated[int, Meta(ge=0, le=1_000_000)]
    #: Base64.
    content: Annotated[bytes, Meta(min_length=1, max_length=MOST_PIECE_BYTES)]


class WantedFile(OfCall, frozen=True, kw_only=True):
    """A file that a call names."""

    file_id: Annotated[str, Meta(max_length=64)]


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the agent's bridge brought, and the agent cannot take in."""

    #: Why, in a word: docs/bridges.md lists them.
    code: RefusalCode
    #: Why, for people.
    reason: Annotated[str, Meta(max_length=1000)]
    #: Base64; at most 65,536 bytes, the beginning of what came.
    content: Annotated[bytes, Meta(max_length=MOST_KEPT_BYTES)] = b""
    #: `observation` where the content is one in the normal form.
    form: Literal["observation", "other"] = "other"
    #: What the network calls it.
    event: Annotated[str, Meta(max_length=128)] | None = None
    #: Bytes that came, where the content is cut.
    size: Annotated[int, Meta(ge=0, le=2**40)] = 0
    #: How often it came since it was told last.
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    #: Payloads that say the same are one, whatever their bytes are.
    same_as: Annotated[str, Meta(max_length=320)] | None = None


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it counts."""

    #: Of `dispatched` and `extend`: the call is the agent's; if not, it must not begin. Of `ack`: it is new. Of
    #: `content`: it was kept; if not, its reader is slow: send it again soon.
    is_taken: bool
    request_id: str


async def _bridge(call: Call[Any, Any]) -> Bridge:
    bridge, _ = await call.uses.bridge_signatures.verified(call.headers, call.raw_body)
    return bridge


def _call_id(call: Call[Any, Any]) -> int:
    return field_id(call.body.call_id, Prefix.BRIDGE_CALL, "call", param="call_id")


def _held(text: str) -> int | None:
    try:
        return parse_id(Prefix.BRIDGE_CALL, text)
    except InvalidId:
        return None


async def _hello(call: Call[NoQuery, Hello]) -> Reply:
    bridge, body = await _bridge(call), call.body
    welcome = await call.uses.agents.hello(
        bridge,
        AgentHello(
            name=body.agent,
            kind=body.kind,
            version=body.version,
            capabilities=frozenset(body.capabilities),
            health=body.health.state,
            health_reason=body.health.reason,
            program=body.program,
            os=body.os,
        ),
    )
    parts = call.uses.parts
    return Reply(
        content=Welcomed(
            fence=welcome.agent.fence,
            lines=list(welcome.lines),
            max_body_bytes=min(parts.bridge_limits.max_body_bytes, parts.settings.max_body_bytes),
            max_events=parts.bridge_limits.max_events,
            has_sockets=parts.bridge_limits.most_sockets > 0,
            request_id=call.request_id,
        )
    )


async def _claim(call: Call[NoQuery, Claim]) -> Reply:
    bridge, body = await _bridge(call), call.body
    holding = [each for each in map(_held, body.holding) if each is not None]
    found = await call.uses.agents.claim(
        bridge, fence=body.fence, holding=holding, most=body.max, wait_seconds=body.wait_s
    )
    calls = [_given(each) for each in found]
    return Reply(content=Claimed(calls=calls, request_id=call.request_id))


def _given(call: BridgeCall) -> GivenCall:
    asked = msgspec.Raw(call.asked.encode())
    return GivenCall(call_id=id_text(Prefix.BRIDGE_CALL, call.id), verb=call.verb, asked=asked)


async def _dispatched(call: Call[NoQuery, OfCall]) -> Reply:
    bridge = await _bridge(call)
    is_taken = await call.uses.agents.begin(bridge, fence=call.body.fence, call_id=_call_id(call))
    return Reply(content=Noted(is_taken=is_taken, request_id=call.request_id))


async def _extend(call: Call[NoQuery, OfCall]) -> Reply:
    bridge = await _bridge(call)
    is_taken = await call.uses.agents.extend(bridge, fence=call.body.fence, call_id=_call_id(call))
    return Reply(content=Noted(is_taken=is_taken, request_id=call.request_id))


async def _ack(call: Call[NoQuery, Ack]) -> Reply:
    bridge, body = await _bridge(call), call.body
    is_taken = await call.uses.agents.answer(
        bridge, fence=body.fence, call_id=_call_id(call), told=body.outcome
    )
    return Reply(content=Noted(is_taken=is_taken, request_id=call.request_id))


async def _content(call: Call[NoQuery, Piece]) -> Reply:
    bridge, body = await _bridge(call), call.body
    is_taken = await call.uses.agents.add_piece(
        bridge, fence=body.fence, call_id=_call_id(call), number=body.number, content=body.content
    )
    return Reply(content=Noted(is_taken=is_taken, request_id=call.request_id))


async def _file(call: Call[NoQuery, WantedFile]) -> Reply:
    bridge, body = await _bridge(call), call.body
    file = await call.uses.agents.open_file(
        bridge, fence=body.fence, call_id=_call_id(call), file_id=body.file_id
    )
    return Reply(
        content=file.chunks,
        length=file.size,
        content_type=b"application/octet-stream",
        headers=(
            (b"x-content-type-options", b"nosniff"),
            (b"x-file-type", file.mime_type.encode("ascii")),
            (b"x-file-name", quote(file.filename or "").encode("ascii")),
        ),
        stall_seconds=call.uses.settings.stream_stall_seconds,
    )


async def _refused(call: Call[NoQuery, Unreadable]) -> Reply:
    bridge, body, book = await _bridge(call), call.body, call.uses.parts.refused
    told = Refused(
        code=body.code,
        reason=body.reason,
        origin=Origin.AGENT,
        raw=body.content,
        form=Form(body.form),
        event=body.event,
        size=body.size,
        same_as=body.same_as,
    )
    book.note(bridge.id, told, times=body.count)
    await book.flush(bridge.id)
    return Reply(content=Noted(is_taken=True, request_id=call.request_id))


def _endpoint(
    word: str,
    name: str,
    summary: str,
    handle: Callable[[Call[Any, Any]], Awaitable[Reply]],
    *,
    body: type[msgspec.Struct],
    reply: Any = Noted,
    description: str = "",
    errors: tuple[str, ...] = ("bridge_superseded",),
    example: dict[str, Any],
) -> AnyEndpoint:
    return Endpoint(
        method="POST",
        path=f"/v1/bridge/{word}",
        name=name,
        summary=summary,
        description=f"{description} Signed as `POST /v1/bridge/events` is; docs/agent.md tells the order.".strip(),
        tag="bridges",
        scope=None,
        query=NoQuery,
        body=body,
        reply=reply,
        errors=("invalid_signature", "timestamp_out_of_tolerance", *errors),
        headers=("X-Bridge-Id", "webhook-id", "webhook-timestamp", "webhook-signature"),
        example=example,
        handle=handle,
    )


_CALL: Final = {"fence": 1, "call_id": "bcl_0e9k2m4q6r8st"}

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    _endpoint(
        "ack",
        "agent_ack",
        "Tell what became of a call.",
        _ack,
        body=Ack,
        description="Told late, it counts all the same; told twice, the first counts.",
        errors=("bridge_superseded", "call_not_found"),
        example={**_CALL, "outcome": {"disposition": "accepted", "provider_id": "A1B2"}},
    ),
    _endpoint(
        "claim",
        "agent_claim",
        "Take on calls, waiting for the first.",
        _claim,
        body=Claim,
        reply=Claimed,
        example={"fence": 1, "holding": [], "max": 8, "wait_s": 25},
    ),
    _endpoint(
        "content",
        "agent_content",
        "Bring a piece of an attachment that a call asks for.",
        _content,
        body=Piece,
        errors=("bridge_superseded", "call_not_found", "payload_too_large"),
        example={**_CALL, "number": 0, "content": "aGVsbG8="},
    ),
    _endpoint(
        "dispatched",
        "agent_dispatched",
        "Tell that a call begins now, before anything is done.",
        _dispatched,
        body=OfCall,
        errors=("bridge_superseded", "call_not_found"),
        example=_CALL,
    ),
    _endpoint(
        "extend",
        "agent_extend",
        "Ask for more time for a call.",
        _extend,
        body=OfCall,
        errors=("bridge_superseded", "call_not_found"),
        example=_CALL,
    ),
    _endpoint(
        "files",
        "agent_file",
        "Fetch the bytes of a file that a call under way is to send.",
        _file,
        body=WantedFile,
        reply=bytes,
        errors=("bridge_superseded", "call_not_found", "file_not_found"),
        example={**_CALL, "file_id": "file_0e9k2m4q6r8st"},
    ),
    _endpoint(
        "hello",
        "agent_hello",
        "Say that an agent is there, what it can do, and how it is.",
        _hello,
        body=Hello,
        reply=Welcomed,
        description="From the first on, the bridge's lines can send. An agent of another name takes the bridge over.",
        errors=(),
        example={
            "agent": "a-4f1c9d",
            "version": "0.1.0",
            "kind": "imsg",
            "capabilities": ["text"],
            "health": {"state": "online"},
            "program": "my agent",
            "os": "macOS 15.1",
        },
    ),
    _endpoint(
        "refused",
        "agent_refused",
        "Tell what the bridge brought and the agent cannot take in, for the operator to look at.",
        _refused,
        body=Unreadable,
        description="Kept as `GET /v1/bridges/{id}/refused` shows; `unused` is only counted.",
        errors=("payload_too_large",),
        example={"code": "unreadable", "reason": "no JSON", "content": "eyJtZXRob2Qi", "event": "message"},
    ),
)
