"""One connection to one vetted address: a request out, an answer in, again and again.

It does not decide where to connect (dialing), whom to keep (pool) or what an answer means.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import cast

from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.messages import PoolKey
from hub.outbound.response_reader import ResponseReader
from hub.outbound.streaming import BodyStream

#: Up to here head and body go out in one write (and one TCP segment where they fit); copying more costs more.
_JOIN_BYTES = 65_536
_KEEP_ALIVE_SECONDS = re.compile(rb"timeout\s*=\s*(\d{1,6})", re.IGNORECASE)


class Exchange:
    """One request, ready to write, and what to read of its answer. (No dataclass: made once per call.)"""

    __slots__ = ("body", "has_no_body", "head", "is_resendable", "max_body_bytes", "stream")

    def __init__(
        self,
        head: bytes,
        body: bytes,
        *,
        max_body_bytes: int,
        is_resendable: bool,
        has_no_body: bool = False,
        stream: BodyStream | None = None,
    ) -> None:
        self.head = head
        self.body = body
        self.max_body_bytes = max_body_bytes
        #: May be sent once more when a kept-alive connection turns out to be closed.
        self.is_resendable = is_resendable
        #: No body follows whatever the answer's headers say (HEAD, CONNECT).
        self.has_no_body = has_no_body
        #: Gets the body while it arrives; without it the body is gathered.
        self.stream = stream


class Connection(asyncio.Protocol):
    """A pooled connection; at most one exchange at a time."""

    __slots__ = (
        "_is_full",
        "_on_lost",
        "_room",
        "_stream",
        "_transport",
        "_waiter",
        "address",
        "created_at",
        "deadline",
        "has_answered",
        "idle_until",
        "is_open",
        "keep_alive_seconds",
        "key",
        "policy_version",
        "reader",
    )

    def __init__(
        self,
        *,
        key: PoolKey,
        address: str,
        now: float,
        max_header_bytes: int,
        on_lost: Callable[[Connection], None],
    ) -> None:
        self.key = key
        #: The vetted address that was dialled.
        self.address = address
        self.created_at = now
        self.idle_until = now
        #: On the client's clock; meaningful while an exchange runs.
        self.deadline = 0.0
        self.policy_version = 0
        self.is_open = False
        #: At least one whole answer came this way.
        self.has_answered = False
        #: What the receiver said it keeps an idle connection for, None when it said nothing.
        self.keep_alive_seconds: int | None = None
        self.reader = ResponseReader(max_header_bytes)
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._stream: BodyStream | None = None
        #: The network takes nothing for now; and who waits until it does.
        self._is_full = False
        self._room: asyncio.Future[None] | None = None

    def start(self, exchange: Exchange, deadline: float) -> asyncio.Future[None]:
        """Send a request; the future ends, never with an error, when `reader` is over."""
        stream = self._stream = exchange.stream
        if stream is None:
            self.reader.begin(max_body_bytes=exchange.max_body_bytes, has_no_body=exchange.has_no_body)
        else:
            stream.hold = self._hold
            self.reader.begin(max_body_bytes=exchange.max_body_bytes, take=stream.put)
        self.deadline = deadline
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        try:
            self._write(exchange)
        except (OSError, RuntimeError):
            # uvloop raises where asyncio loses the connection a moment later.
            self._lose()
        return waiter

    async def send_piece(self, piece: bytes) -> bool:
        """Send a piece of the request's body, and return when there is room for another; False if none can follow."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        transport.write(piece)
        if self._is_full:
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        return True

    @property
    def is_stale(self) -> bool:
        """The exchange failed as it does when the receiver closed an idle connection just before."""
        problem = self.reader.problem
        return (
            self.has_answered
            and problem is not None
            and problem.code is OutboundCode.CONNECTION_LOST
            and self.reader.received_bytes == 0
        )

    def take_problem(self) -> OutboundError | None:
        """Return why there is no answer, once: an error that is raised must not be held by what it came from."""
        problem, self.reader.problem = self.reader.problem, None
        return problem

    def can_be_kept(self) -> bool:
        """Whether another request may follow: whole answer, nothing unsent, nothing unasked for."""
        transport = self._transport
        return (
            self.is_open
            and self.reader.is_reusable
            and transport is not None
            and transport.get_write_buffer_size() == 0
        )

    def note_answer(self) -> None:
        """Learn from the first answer how long the receiver keeps the connection."""
        self.has_answered = True
        for name, value in self.reader.headers:
            if len(name) == 10 and name.lower() == b"keep-alive":
                found = _KEEP_ALIVE_SECONDS.search(value)
                self.keep_alive_seconds = int(found[1]) if found else None

    def tls_object(self) -> ssl.SSLObject | None:
        """The TLS state, None on a plain connection."""
        transport = self._transport
        return (
            None
            if transport is None
            else cast("ssl.SSLObject | None", transport.get_extra_info("ssl_object"))
        )

    def transport_for_tls(self) -> asyncio.Transport | None:
        """The plain transport of a tunnel, to be wrapped."""
        return self._transport

    def secure(self, transport: asyncio.Transport) -> None:
        """Go on over TLS, inside the tunnel that the last exchange (CONNECT) opened."""
        self._transport = transport
        self.reader = ResponseReader(self.reader.max_header_bytes)

    def hand_over(self, heir: asyncio.Protocol) -> asyncio.Transport:
        """Let another protocol speak from now on; it must pass `connection_lost` on to this one.

        Raises:
            OutboundError: The connection was lost meanwhile.
        """
        transport = self._transport
        if transport is None or transport.is_closing() or not self.is_open:
            raise OutboundError(OutboundCode.CONNECT_FAILED, "the connection was closed at once")
        transport.set_protocol(heir)
        return transport

    def expire(self) -> None:
        """The deadline is over."""
        self.reader.fail(OutboundCode.TIMEOUT, "the receiver did not finish its answer in time")
        self._settle()
        self.abort()

    def abort(self) -> None:
        """Close at once; nothing that is still to be sent matters."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close an idle connection politely."""
        self.is_open = False
        if self._transport is not None:
            self._transport.close()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            # Unasked for: whatever it is, it must not be taken for the next answer.
            self.abort()
        elif self.reader.feed(data):
            self._settle()
        elif self._stream is not None:
            self._stream.wake()

    def eof_received(self) -> bool:
        self.is_open = False
        self.reader.feed_eof()
        self._settle()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_open = False
        self._lose()
        self._on_lost(self)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def _write(self, exchange: Exchange) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            self._lose()
        elif len(exchange.body) <= _JOIN_BYTES:
            transport.write(exchange.head + exchange.body)
        else:
            transport.write(exchange.head)
            transport.write(exchange.body)

    def _hold(self, is_held: bool) -> None:
        """Make the receiver wait, or let it go on; the deadline counts on."""
        transport = self._transport
        if transport is not None and not transport.is_closing() and transport.is_reading() == is_held:
            (transport.pause_reading if is_held else transport.resume_reading)()

    def _lose(self) -> None:
        self.reader.fail(
            OutboundCode.CONNECTION_LOST, "the connection was lost before the answer was complete"
        )
        self._settle()

    def _settle(self) -> None:
        if self._stream is not None:
            self._hold(False)
            self._stream.end()
            self._stream = None
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
