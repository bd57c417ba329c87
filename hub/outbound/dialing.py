"""Opens connections: to a vetted address, with TLS verified against the name, or through the egress proxy.

It does not resolve or vet (guard), and does not keep connections (pool).
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hub.outbound.connection import Connection
from hub.outbound.errors import OutboundCode, OutboundError, client_closed
from hub.outbound.limits import OutboundLimits
from hub.outbound.messages import Target
from hub.outbound.pool import IdlePool
from hub.outbound.proxy import EgressProxy
from hub.outbound.tls import explain

#: Of a name with many addresses only so many are tried.
_MAX_ATTEMPTS = 4
#: A receiver that does not answer our goodbye is left after this long.
_TLS_SHUTDOWN_SECONDS = 2.0
_OUR_FAULTS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.ENETUNREACH,
        errno.ENETDOWN,
    }
)


class Dialer:
    """Opens connections and knows how many are open."""

    def __init__(
        self,
        *,
        limits: OutboundLimits,
        pool: IdlePool,
        tls: ssl.SSLContext,
        proxy: EgressProxy | None,
        clock: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._pool = pool
        self._tls = tls
        self._proxy = proxy
        self._clock = clock
        self._room = asyncio.Semaphore(limits.max_connections)
        self._waiting = 0
        #: Connections that are set up, in use or idle, or on their way to being closed.
        self.open: set[Connection] = set()
        self._attempts: set[asyncio.Timeout] = set()
        #: Nothing can be dialled any more, and what was open is being ended.
        self.is_closed = False
        self._all_closed = asyncio.Event()
        self._last_good: dict[tuple[str, int], str] = {}

    @property
    def is_short_of_room(self) -> bool:
        """Somebody waits for a connection to be closed."""
        return self._waiting > 0

    async def dial(self, target: Target, addresses: tuple[str, ...], deadline: float) -> Connection:
        """Open a connection to the first address that accepts one.

        Raises:
            OutboundError: None did, or there was no room, in time.
        """
        await self._make_room(deadline - self._clock())
        until = min(deadline, self._clock() + self._limits.connect_timeout_seconds)
        try:
            return await self._dial_first(target, addresses, until)
        except BaseException:
            self._room.release()
            raise

    def close(self) -> None:
        """End every attempt and every connection at once."""
        self.is_closed = True
        for attempt in self._attempts:
            attempt.reschedule(asyncio.get_running_loop().time())
        for connection in list(self.open):
            connection.abort()

    async def wait_until_closed(self) -> None:
        """Return when the last connection is gone."""
        if self.open:
            await self._all_closed.wait()

    async def _make_room(self, timeout_seconds: float) -> None:
        if not self._room.locked():
            await self._room.acquire()
            return
        self._pool.evict_longest_idle()
        self._waiting += 1
        try:
            async with self._attempt(timeout_seconds):
                await self._room.acquire()
        except TimeoutError:
            raise OutboundError(
                OutboundCode.TOO_MANY_CONNECTIONS, "no connection became free in time", is_ours=True
            ) from None
        finally:
            self._waiting -= 1

    async def _dial_first(self, target: Target, addresses: tuple[str, ...], until: float) -> Connection:
        candidates = self._order(target, addresses)
        problem: OutboundError | None = None
        for number, address in enumerate(candidates):
            share = (until - self._clock()) / (len(candidates) - number)
            try:
                connection = await self._dial_one(target, address, share)
            except OutboundError as error:
                error.address = address
                problem = error
                if error.code in (OutboundCode.TLS_FAILED, OutboundCode.PROXY_FAILED):
                    break
                continue
            if len(addresses) > 1:
                self._note_good(target, address)
            return connection
        assert problem is not None
        raise problem

    def _note_good(self, target: Target, address: str) -> None:
        if len(self._last_good) >= self._limits.max_names:
            self._last_good.clear()
        self._last_good[target.host, target.port] = address

    def _order(self, target: Target, addresses: tuple[str, ...]) -> tuple[str, ...]:
        """Put the address that worked last first: a dead one is then waited for once, not each time."""
        good = self._last_good.get((target.host, target.port)) if len(addresses) > 1 else None
        if good in addresses:
            addresses = (good, *(address for address in addresses if address != good))
        elif good is not None:
            del self._last_good[target.host, target.port]
        return addresses[:_MAX_ATTEMPTS]

    async def _dial_one(self, target: Target, address: str, timeout_seconds: float) -> Connection:
        connection = Connection(
            key=target.pool_key,
            address=address,
            now=self._clock(),
            max_header_bytes=self._limits.max_header_bytes,
            on_lost=self._on_lost,
        )
        try:
            async with self._attempt(timeout_seconds):
                await self._open(connection, target, address)
            if not connection.is_open:
                raise ConnectionResetError
        except BaseException as error:
            self.open.discard(connection)
            await _given_up(connection, error)
            translated = _translate(error, target.host)
            if translated is error:
                raise
            raise translated from None
        self.open.add(connection)
        return connection

    @asynccontextmanager
    async def _attempt(self, timeout_seconds: float) -> AsyncIterator[None]:
        """Limit the time of something that `close` must be able to end."""
        if self.is_closed:
            raise client_closed()
        async with asyncio.timeout(max(timeout_seconds, 0.0)) as attempt:
            self._attempts.add(attempt)
            try:
                yield
            finally:
                self._attempts.discard(attempt)

    async def _open(self, connection: Connection, target: Target, address: str) -> None:
        loop = asyncio.get_running_loop()
        if self._proxy is not None:
            await self._proxy.open(connection, target, self._tls)
        elif target.scheme == "http":
            await loop.create_connection(lambda: connection, address, target.port)
        else:
            await loop.create_connection(
                lambda: connection,
                address,
                target.port,
                ssl=self._tls,
                server_hostname=target.host,
                ssl_shutdown_timeout=_TLS_SHUTDOWN_SECONDS,
            )

    def _on_lost(self, connection: Connection) -> None:
        # Connections that never got ready are not counted here: whoever dialled gives their room back.
        if connection in self.open:
            self.open.discard(connection)
            self._room.release()
            if self.is_closed and not self.open:
                self._all_closed.set()
        self._pool.discard(connection)


async def _given_up(connection: Connection, error: BaseException) -> None:
    """Close what was made of a connection, and return when it is closed.

    The loop closes what is aborted in its next turn. Whoever hears that there is no connection may be done with the
    client, and with the loop, before that turn.
    """
    connection.abort()
    if not isinstance(error, GeneratorExit):  # there is no next turn
        await asyncio.sleep(0)


def _translate(error: BaseException, host: str) -> BaseException:
    """Turn what connecting can raise into our error; anything else stays what it is."""
    if isinstance(error, OutboundError) or not isinstance(error, Exception):
        return error
    if isinstance(error, TimeoutError):
        return OutboundError(OutboundCode.CONNECT_TIMEOUT, f"no connection to {host} in time")
    if isinstance(error, ssl.SSLError):
        return OutboundError(OutboundCode.TLS_FAILED, explain(error))
    if isinstance(error, ConnectionRefusedError):
        return OutboundError(OutboundCode.CONNECT_FAILED, f"{host} refused the connection")
    if isinstance(error, ConnectionError):
        return OutboundError(
            OutboundCode.CONNECT_FAILED, f"{host} closed the connection while it was being set up"
        )
    is_ours = not isinstance(error, OSError) or error.errno in _OUR_FAULTS
    return OutboundError(OutboundCode.CONNECT_FAILED, f"{host} could not be reached", is_ours=is_ours)
