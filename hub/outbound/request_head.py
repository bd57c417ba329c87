"""Builds request heads, and keeps header names and values from breaking out of them.

Framing and connection headers belong to the client. Names that mean something to the receiver (webhook-*,
authorization) are the callers' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hub.outbound.errors import OutboundCode, OutboundError
from hub.rules.egress import VettedUrl

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Tab, and everything from space up but DEL: no CR, LF, NUL.
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
#: Headers that decide where a message ends, whom it is for, or what becomes of the connection.
OURS = frozenset(
    {
        b"accept-encoding",
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Join headers as `OutboundClient.post` takes them: CRLF between the lines, none at the end.

    Raises:
        OutboundError: A name is no token or belongs to the client, or a value could end the line.
    """
    return b"\r\n".join(_header_line(name, value) for name, value in headers)


def header_block(url: VettedUrl, user_agent: str, static_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Build the lines that are the same for each request to one URL, each ended by CRLF."""
    static = tuple(static_headers)
    names = {name.lower() for name, _ in static}
    lines = [b"Host: " + url.authority.encode("ascii")]
    if b"user-agent" not in names:
        lines.append(_header_line(b"User-Agent", user_agent.encode("latin-1", "replace")))
    if b"accept" not in names:
        lines.append(b"Accept: */*")
    lines.append(b"Accept-Encoding: identity")
    lines.extend(_header_line(name, value) for name, value in static)
    return b"\r\n".join(lines) + b"\r\n"


def check_lines(lines: bytes) -> None:
    """Refuse preformatted lines that would end the head early: a slip of ours, but a grave one."""
    if b"\r\n\r\n" in lines or lines[-1:] in (b"\n", b"\r") or lines[:1] in (b"\r", b"\n"):
        raise OutboundError(
            OutboundCode.HEADER_REFUSED, "preformatted header lines contain an empty line", is_ours=True
        )


def check_method(method: str) -> bytes:
    """Refuse methods that are no token, and CONNECT, which would turn the connection into a tunnel."""
    name = method.upper().encode("ascii", "replace")
    if not _TOKEN.fullmatch(name) or name == b"CONNECT":
        raise OutboundError(
            OutboundCode.HEADER_REFUSED, f"{method[:32]!r} is not a request method", is_ours=True
        )
    return name


def _header_line(name: bytes, value: bytes) -> bytes:
    shown = name[:64].decode("latin-1")
    if not _TOKEN.fullmatch(name):
        raise OutboundError(OutboundCode.HEADER_REFUSED, f"{shown!r} is not a header name")
    if name.lower() in OURS:
        raise OutboundError(
            OutboundCode.HEADER_REFUSED, f"the header {shown} is set by Hub and cannot be given"
        )
    if not _VALUE.fullmatch(value):
        raise OutboundError(
            OutboundCode.HEADER_REFUSED, f"the value of the header {shown} contains a control character"
        )
    return name + b": " + value
