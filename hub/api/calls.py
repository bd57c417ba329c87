"""One request as a handler sees it: who asks, and what, already checked; and the answer.

Not here: how it is read off the wire (hub.api.reading) and which endpoints there are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from hub.api.parts import Receive
from hub.api.usecases import UseCases
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, parse_id
from hub.model.key import ApiKey
from hub.model.line import Line

Query = TypeVar("Query", bound=msgspec.Struct)
Body = TypeVar("Body", bound=msgspec.Struct)
Thing = TypeVar("Thing")

EVENT_STREAM: Final = "text/event-stream"
#: How the document tells of each of a stream's events.
EVENT_STREAM_CONTENT: Final[Mapping[str, Any]] = {
    "schema": {
        "type": "object",
        "description": "One server-sent event.",
        "properties": {
            "id": {"type": "string"},
            "event": {"type": "string"},
            "data": {"type": "string", "description": "JSON."},
            "retry": {"type": "integer"},
        },
    }
}

#: Who asks where no key is needed.
NOBODY = ApiKey(
    id=0,
    name="nobody",
    hint="",
    scopes=frozenset(),
    line_ids=frozenset(),
    requests_per_hour=None,
    created_at=0,
    expires_at=None,
    revoked_at=None,
)


class NoQuery(msgspec.Struct, frozen=True):
    """The endpoint takes no query parameters; others are ignored (contracts: messages.dev §1)."""


class NoBody(msgspec.Struct, frozen=True):
    """The endpoint takes no body; one that comes is not read."""


class StreamBody(msgspec.Struct, frozen=True):
    """The handler reads the body itself, while it arrives (`Call.receive`); its form stands in `request_content`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call(Generic[Query, Body]):
    """A request that passed authentication, rate limit, scope and the checks of its shape."""

    request_id: str
    key: ApiKey
    path: Mapping[str, str]
    query: Query
    body: Body
    #: The body's bytes, for what must be compared byte for byte.
    raw_body: bytes
    headers: Mapping[bytes, bytes]
    now_ms: int
    uses: UseCases
    #: Returns when the caller has gone away; for answers that take their time.
    gone: Callable[[], Awaitable[None]]
    #: The server's messages, for what reads its body itself.
    receive: Receive
    #: What the caller asked for in its own dialect, where this is a translation of it: tells its repeats.
    asked_as: msgspec.Struct | None = None

    async def line(self, text: str, *, param: str = "from") -> Line:
        """Find the line that a field names, if the key may use it."""
        return await self.uses.lines.accessible(self.key, text, param=param)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer: a struct that becomes JSON, bytes as they are, or pieces of bytes sent while they are made.

    Pieces end early when the caller has gone, and when the answer is that of a HEAD.
    """

    content: msgspec.Struct | bytes | AsyncIterator[bytes]
    #: Of pieces, where it is known.
    length: int | None = None
    #: Of pieces: how long a caller may take nothing before the connection is cut off; None for ever.
    stall_seconds: float | None = None
    status: int = 200
    content_type: bytes = b"application/json"
    #: The same each time: it is compressed once.
    is_constant: bool = False
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Described(Generic[Query, Body]):
    """One method of one path as the OpenAPI document tells it."""

    method: str
    path: str
    #: Names the operation in the OpenAPI document.
    name: str
    summary: str
    #: What the reader must know beyond the summary.
    description: str = ""
    tag: str
    #: None for endpoints open to anybody.
    scope: str | None
    #: Whether a stream token in the query (hub.flow.stream_tokens) opens it, too.
    is_token_enough: bool = False
    query: type[Query]
    body: type[Body]
    #: Whether the body may be left out.
    is_body_optional: bool = False
    #: The shape of the answer's JSON; bytes for what is no JSON, None for an answer without a body.
    reply: Any
    status: int = 200
    #: Media types of a StreamBody, and of an answer that is neither JSON nor plain text, with their schemas.
    request_content: Mapping[str, Any] = field(default_factory=dict)
    reply_content: Mapping[str, Any] = field(default_factory=dict)
    #: What a repeat under the same idempotency key answers, where that is not `status`.
    replayed_status: int | None = None
    #: Other successes than `status`, and what they mean.
    other_statuses: Mapping[int, str] = field(default_factory=dict)
    #: Codes beyond those that any endpoint can answer.
    errors: tuple[str, ...] = ()
    #: Request headers that it reads beside `Authorization`.
    headers: tuple[str, ...] = ()
    #: A body that works.
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint(Described[Query, Body], Generic[Query, Body]):
    """One method of one path: all that routing and checking need."""

    handle: Callable[[Call[Query, Body]], Awaitable[Reply]]


AnyDescribed = Described[Any, Any]
AnyEndpoint = Endpoint[Any, Any]


class Listed(msgspec.Struct, Generic[Thing], frozen=True, kw_only=True):
    """A page of things."""

    data: list[Thing]
    has_more: bool = False
    #: Give it as `cursor` for the next page; null after the last.
    next_cursor: str | None = None
    #: All that there are, whatever the page: with `include_total=true`, where a list takes it.
    total: int | UnsetType = UNSET
    request_id: str


def not_found(noun: str, *, param: str | None = None) -> InvalidRequest:
    """Say that something is not there: `webhook` → `webhook_not_found`, "Webhook not found."."""
    return InvalidRequest(
        f"{noun}_not_found", f"{noun.replace('_', ' ').capitalize()} not found.", param=param
    )


def path_id(call: Call[Any, Any], prefix: str, noun: str) -> int:
    """Read the id in the path; one that cannot be an id names nothing.

    Raises:
        InvalidRequest: `{noun}_not_found`.
    """
    try:
        return parse_id(prefix, call.path["id"])
    except InvalidId:
        raise not_found(noun) from None


def field_id(text: str, prefix: str, noun: str, *, param: str) -> int:
    """Read an id from a field: another kind of id is a mistake, one that cannot exist is not found.

    Raises:
        InvalidRequest: invalid_parameter_value or `{noun}_not_found`.
    """
    if not text.startswith(f"{prefix}_"):
        message = f"'{param}' must be an id that begins with '{prefix}_'."
        raise InvalidRequest("invalid_parameter_value", message, param=param)
    try:
        return parse_id(prefix, text)
    except InvalidId:
        raise not_found(noun, param=param) from None
