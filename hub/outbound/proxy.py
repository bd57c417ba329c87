"""Sends calls through the operator's egress proxy (Smokescreen and the like).

https and WebSockets go through a CONNECT tunnel, http with an absolute URL on the request line.

The proxy resolves names itself, so pinning is its business; it is trusted as the operator says. Hub still refuses
literals that are not allowed, and names of which it can itself find such an answer.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from urllib.parse import unquote, urlsplit

from hub.outbound.connection import Connection, Exchange
from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.messages import Target


class EgressProxy:
    """One HTTP proxy."""

    def __init__(self, url: str) -> None:
        """Read the proxy's URL, http://[user:password@]host:port.

        Raises:
            ValueError: It is none.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.port is None:
            raise ValueError("outbound.proxy must look like http://[user:password@]host:port")
        self.host = parts.hostname
        self.port = parts.port
        self._authorization = b""
        if parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._authorization = b"Proxy-Authorization: Basic " + b64encode(credentials) + b"\r\n"

    def header_lines(self) -> bytes:
        """The lines that a request itself needs where the proxy reads it, i.e. without a tunnel: credentials."""
        return self._authorization

    async def open(self, connection: Connection, target: Target, tls: ssl.SSLContext) -> None:
        """Connect to the proxy, and go on through a tunnel where one is needed; the caller holds the time limit."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: connection, self.host, self.port)
        except OSError as error:
            raise OutboundError(
                OutboundCode.PROXY_FAILED, "the egress proxy could not be reached", is_ours=True
            ) from error
        if target.needs_tunnel:
            await self._open_tunnel(connection, target)
        if target.scheme == "https":
            await self._secure(connection, target, tls)

    async def _open_tunnel(self, connection: Connection, target: Target) -> None:
        host = f"[{target.host}]" if ":" in target.host else target.host
        authority = f"{host}:{target.port}".encode("ascii")
        head = b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (authority, authority, self._authorization)
        exchange = Exchange(head, b"", max_body_bytes=0, is_resendable=False, has_no_body=True)
        await connection.start(exchange, deadline=float("inf"))
        reader = connection.reader
        if reader.problem is None and not 200 <= reader.status < 300:
            raise OutboundError(
                OutboundCode.PROXY_FAILED,
                f"the egress proxy answered {reader.status} for {target.host}",
                is_ours=reader.status in (401, 407),
            )
        if reader.problem is not None or reader.has_excess or not connection.is_open:
            raise OutboundError(
                OutboundCode.PROXY_FAILED, "the egress proxy broke off or said too much", is_ours=True
            )

    async def _secure(self, connection: Connection, target: Target, tls: ssl.SSLContext) -> None:
        plain = connection.transport_for_tls()
        assert plain is not None
        transport = await asyncio.get_running_loop().start_tls(
            plain, connection, tls, server_hostname=target.host, ssl_shutdown_timeout=2.0
        )
        if transport is None:
            raise ConnectionResetError
        connection.secure(transport)
