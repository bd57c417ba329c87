"""Requests made ready to write, and bodies read whole or not at all. Not here: when and where (client)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hub.outbound.connection import Connection, Exchange
from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.messages import Request, Target
from hub.outbound.request_head import check_method
from hub.outbound.streaming import BodyStream


def exchange_of(
    target: Target, request: Request, stream: BodyStream | None = None, *, later_bytes: int | None = None
) -> Exchange:
    """Make a request ready to write.

    Args:
        target: Where it goes.
        request: What is asked.
        stream: Takes the answer's body while it arrives.
        later_bytes: How long a body is that follows by itself, once, in the place of the request's.

    Raises:
        OutboundError: header_refused, for the method.
    """
    method = check_method(request.method)
    head = method + b" " + target.request_target + b" HTTP/1.1\r\n" + target.header_block
    is_whole = later_bytes is None
    length = len(request.body) if later_bytes is None else later_bytes
    if length or method in (b"POST", b"PUT", b"PATCH"):
        head += b"Content-Length: %d\r\n" % length
    return Exchange(
        head + b"\r\n",
        request.body if is_whole else b"",
        max_body_bytes=request.max_response_bytes,
        is_resendable=is_whole and _may_be_resent(method, request),
        has_no_body=method == b"HEAD",
        stream=stream,
    )


def _may_be_resent(method: bytes, request: Request) -> bool:
    is_idempotent = method not in (b"POST", b"PATCH")
    return is_idempotent if request.resend_if_stale is None else request.resend_if_stale


async def whole_body(body: BodyStream, connection: Connection, most_bytes: int) -> AsyncIterator[bytes]:
    """Give the pieces, and say so if they are not all of the body."""
    count = 0
    async for piece in body.pieces():
        count += len(piece)
        yield piece
    if (problem := connection.take_problem()) is not None:
        raise problem
    if connection.reader.is_truncated:
        if count >= most_bytes:
            raise OutboundError(OutboundCode.BODY_TOO_LARGE, f"the answer is larger than {most_bytes} bytes")
        raise OutboundError(OutboundCode.CONNECTION_LOST, "the end of the answer could not be read")
