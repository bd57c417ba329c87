"""The one client for URLs that users give, as connectors and bridges see it (hub.flow.calling)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from hub.flow.calling import Call, CallFailed, FaultKind, Reply, StreamedReply
from hub.outbound.client import OutboundClient
from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.messages import Request

_KINDS: Final[dict[OutboundCode, FaultKind]] = {
    OutboundCode.URL_REFUSED: "refused",
    OutboundCode.HEADER_REFUSED: "refused",
    OutboundCode.ADDRESS_REFUSED: "refused",
    OutboundCode.CLIENT_CLOSED: "not_sent",
    OutboundCode.DNS_FAILED: "not_sent",
    OutboundCode.TOO_MANY_CONNECTIONS: "not_sent",
    OutboundCode.CONNECT_FAILED: "not_sent",
    OutboundCode.CONNECT_TIMEOUT: "not_sent",
    OutboundCode.TLS_FAILED: "not_sent",
    OutboundCode.PROXY_FAILED: "not_sent",
    OutboundCode.TIMEOUT: "unknown",
    OutboundCode.CONNECTION_LOST: "unknown",
    OutboundCode.PROTOCOL_ERROR: "no_http",
    OutboundCode.HEADERS_TOO_LARGE: "no_http",
    OutboundCode.BODY_TOO_LARGE: "no_http",
}


class GuardedCaller:
    """The one client for URLs that users give, as connectors and bridges see it (hub.flow.calling.Caller)."""

    def __init__(self, client: OutboundClient) -> None:
        self._client = client

    async def send(self, call: Call) -> Reply:
        """Send one request and give the answer.

        Raises:
            CallFailed: There is none.
        """
        try:
            response = await self._client.request(_request(call))
        except OutboundError as error:
            raise failed(error) from None
        return Reply(
            status=response.status,
            headers=response.headers,
            body=response.body,
            is_cut=response.body_truncated,
        )

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[StreamedReply]:
        """Send one request and read the answer while it arrives.

        Raises:
            CallFailed: There is none, or (from `pieces`) not a whole one.
        """
        try:
            async with self._client.stream(_request(call)) as answer:
                yield StreamedReply(
                    status=answer.status, headers=answer.headers, pieces=_pieces(answer.pieces)
                )
        except OutboundError as error:
            raise failed(error) from None


def failed(error: OutboundError) -> CallFailed:
    """Say it as connectors and bridges see it."""
    return CallFailed(_KINDS[error.code], error.detail)


async def _pieces(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    except OutboundError as error:
        raise failed(error) from None


def _request(call: Call) -> Request:
    return Request(
        method=call.method,
        url=call.url,
        headers=call.headers,
        body=call.body,
        timeout_seconds=call.timeout_seconds,
        max_response_bytes=call.max_response_bytes,
        resend_if_stale=call.is_repeatable,
    )
