"""What goes into the outbound client and what comes out: target, request, response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

#: (name, value) as received or to be sent; latin-1 bytes, never checked for meaning.
Headers = tuple[tuple[bytes, bytes], ...]
#: What connections are pooled by, beside the address: scheme, host name, port.
PoolKey = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A vetted URL with its request head prebuilt; make it once per URL revision and keep it."""

    scheme: str
    #: Lower-case ASCII name, or an address without brackets.
    host: str
    port: int
    #: Path and query.
    path: str
    #: The URL as vetted; asked again when the policy changes.
    url: str
    pool_key: PoolKey
    #: The address, when the host is one.
    literal: str | None
    is_host_allowed: bool
    needs_listed_address: bool
    #: The policy that vetted it; another number means: vet again.
    policy_version: int
    #: A proxy is to open a tunnel, rather than to read the request.
    needs_tunnel: bool
    #: What stands between method and headers, and the headers that are the same for every call.
    request_target: bytes
    header_block: bytes
    #: The head of a POST up to and including "Content-Length: ".
    post_prefix: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One call, for callers that do not keep a target."""

    method: str
    url: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""
    #: Total: name, connection, TLS, request, headers and body.
    timeout_seconds: float = 20.0
    max_response_bytes: int = 16_384
    #: Whether it is sent once more, on a fresh connection, where a kept one turns out to be closed; None: if HTTP calls
    #: the method idempotent.
    resend_if_stale: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What the receiver answered; redirects and errors are answers too."""

    status: int
    #: As received, lossily where they were malformed.
    headers: Headers
    body: bytes
    #: The body was longer than asked for, or its end could not be read.
    body_truncated: bool
    #: The address that was dialled (the proxy's, where one is set).
    address: str
    is_reused_connection: bool
    duration_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamedResponse:
    """The head of an answer whose body is still to come.

    `pieces` raises OutboundError where the body breaks off, and when it is longer than was asked for.
    """

    status: int
    headers: Headers
    pieces: AsyncIterator[bytes]

    def header(self, name: bytes) -> bytes | None:
        """Give the first header of that (lower-case) name."""
        return next((value for each, value in self.headers if each.lower() == name), None)
