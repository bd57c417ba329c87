"""Opens WebSockets for connectors and bridges (hub.flow.calling.SocketCaller), by the guarded client's connections.

What speaks the protocol (hub.outbound.websockets) is imported with the first socket: most hubs open none (decision 28).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from hub.flow.calling import CallFailed, Socket, SocketCall
from hub.outbound.calling import failed
from hub.outbound.client import OutboundClient
from hub.outbound.errors import OutboundError

if TYPE_CHECKING:
    from hub.outbound.websockets import OpenSocket


class GuardedSockets:
    """Opens WebSockets (hub.flow.calling.SocketCaller)."""

    def __init__(self, client: OutboundClient) -> None:
        self._client = client

    @contextlib.asynccontextmanager
    async def connect(self, call: SocketCall) -> AsyncIterator[Socket]:
        """Open one for the block; it is closed with it.

        Raises:
            CallFailed: It could not be opened (SocketRefused: another answer came than one that opens it).
        """
        try:
            async with asyncio.timeout(call.timeout_seconds):
                socket = await self._open(call)
        except TimeoutError:
            raise CallFailed("not_sent", "no WebSocket was opened in time") from None
        except OutboundError as error:
            raise failed(error) from None
        try:
            yield socket
        finally:
            await socket.aclose()

    async def _open(self, call: SocketCall) -> OpenSocket:
        from hub.outbound.websockets import OpenSocket  # noqa: PLC0415 - see above

        url = _http_url(call.url)
        target, connection = await self._client.open_connection(
            url, call.headers, timeout_seconds=call.timeout_seconds
        )
        try:
            socket = OpenSocket(call, connection, target, self._client)
            await socket.open()
        except BaseException:
            connection.abort()
            raise
        return socket


def _http_url(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    return {"ws": "http", "wss": "https"}.get(scheme.lower(), scheme) + colon + rest
