"""The one client for URLs that users give, as connectors, bridges and models see it (hub.flow.calling)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from hub.flow.calling import Call, CallFailed, FaultKind, Reply, StreamedBody, StreamedReply
from hub.outbound.client import OutboundClient
from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.messages import Request, Response

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
    OutboundCode.BODY_BROKEN: "not_sent",
    OutboundCode.TIMEOUT: "unknown",
    OutboundCode.CONNECTION_LOST: "unknown",
    OutboundCode.PROTOCOL_ERROR: "no_http",
    OutboundCode.HEADERS_TOO_LARGE: "no_http",
    OutboundCode.BODY_TOO_LARGE: "no_http",
}


#: Another try meets them again: a certificate, a proxy, what answers or we ourselves are not as they must be.
_LASTING: Final = frozenset(
    {
        OutboundCode.CLIENT_CLOSED,
        OutboundCode.TLS_FAILED,
        OutboundCode.PROXY_FAILED,
        OutboundCode.HEADERS_TOO_LARGE,
        OutboundCode.BODY_TOO_LARGE,
    }
)


class GuardedCaller:
    """Calls through one client (hub.flow.calling.UploadCaller)."""

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
        return _reply(response)

    async def upload(self, call: Call, body: StreamedBody) -> Reply:
        """Send one request with a body that is read meanwhile.

        Raises:
            CallFailed: There is no answer.
            Exception: As reading the pieces raised it.
        """
        try:
            response = await self._client.upload(_request(call), body)
        except OutboundError as error:
            raise failed(error) from None
        return _reply(response)

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
    """Say it as callers see it."""
    kind = _KINDS[error.code]
    if error.is_unfinished and kind == "unknown":
        kind = "not_sent"
    return CallFailed(kind, error.detail, is_lasting=error.code in _LASTING)


async def _pieces(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    except OutboundError as error:
        raise failed(error) from None


def _reply(response: Response) -> Reply:
    return Reply(
        status=response.status,
        headers=response.headers,
        body=response.body,
        is_cut=response.body_truncated,
    )


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
