"""WebSockets under the same guard as requests: resolved once, vetted, TLS verified, through the proxy, within limits.

The protocol itself is that of the `websockets` package, without its input and output (decision 34). No compression is
offered, so that no message is longer than its bytes. Not here: getting a connection (hub.outbound.sockets) and
reconnecting, which is the caller's business.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI

from hub.flow.calling import CallFailed, SocketCall, SocketRefused
from hub.outbound.client import OutboundClient
from hub.outbound.connection import Connection
from hub.outbound.messages import Target
from hub.outbound.request_head import header_lines

#: So much is held for a slow consumer; the rest waits in the network.
MOST_HELD_BYTES: Final = 1_048_576
#: What a held message costs beside its bytes: many empty ones must not pile up either.
_MESSAGE_BYTES: Final = 256
#: How long a goodbye is waited for.
_GOODBYE_SECONDS: Final = 1.0
#: The package would tell whole requests and messages at debug level, with what is secret in them.
_SILENT: Final = logging.Logger("silent")
_SILENT.disabled = True


class OpenSocket(asyncio.Protocol):
    """One WebSocket, opening or open."""

    def __init__(
        self, call: SocketCall, connection: Connection, target: Target, client: OutboundClient
    ) -> None:
        self._call = call
        self._connection = connection
        self._client = client
        path, _, query = target.path.partition("?")
        # Made from the parts that were vetted: no second parser may read the URL differently.
        uri = WebSocketURI(target.scheme == "https", target.host, target.port, path, query)
        self._protocol = ClientProtocol(uri, max_size=call.max_message_bytes, logger=_SILENT)
        self._transport = connection.hand_over(self)
        self._messages: deque[str | bytes] = deque()
        self._held_bytes = 0
        self._pieces: list[bytes] = []
        self._is_text = False
        self._response: Response | None = None
        #: Why nothing comes any more.
        self._end: CallFailed | None = None
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()
        self._heard_at = asyncio.get_running_loop().time()
        self._timer: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Ask for the upgrade, and wait until it is granted.

        Raises:
            CallFailed: It was not.
        """
        header_lines(self._call.headers)  # refuses what could break out of its line
        request = self._protocol.connect()
        for name, value in (*self._call.headers, (b"User-Agent", self._client.user_agent.encode())):
            request.headers[name.decode("ascii")] = value.decode("latin-1")
        self._protocol.send_request(request)
        self._write()
        while self._response is None and self._end is None:
            await self._wait()
        refusal = self._protocol.handshake_exc
        if self._response is not None and refusal is None:
            self._tick()  # what came at once, be it the end, is for `receive`
            return
        if self._response is not None and self._response.status_code != 101:
            status = self._response.status_code
            raise SocketRefused(status, f"the receiver answered {status} and opened no WebSocket")
        if self._response is not None or not isinstance(getattr(refusal, "__cause__", None), EOFError | None):
            raise CallFailed("no_http", "the receiver did not answer as one that opens a WebSocket")
        raise self._end or CallFailed("not_sent", "the connection was lost before the WebSocket was open")

    async def receive(self) -> str | bytes:
        while not self._messages:
            if self._end is not None:
                raise self._end
            await self._wait()
        message = self._messages.popleft()
        self._held_bytes -= len(message) + _MESSAGE_BYTES
        self._hold()
        return message

    async def send(self, message: str | bytes) -> None:
        await self._writable.wait()
        if self._end is not None or self._protocol.state is not State.OPEN:
            raise self._end or CallFailed("unknown", "the WebSocket is being closed")
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        self._write()

    async def aclose(self) -> None:
        """Say goodbye, for a moment, and close."""
        if self._timer is not None:
            self._timer.cancel()
        if self._protocol.state is State.OPEN and not self._transport.is_closing():
            self._protocol.send_close(1000)
            self._write()
            self._transport.resume_reading()
        elif self._protocol.state is not State.CLOSING:
            self._connection.abort()
        self._over("the WebSocket was closed")
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._lost.wait()
        except TimeoutError:
            return
        finally:
            self._connection.abort()

    # Called by the event loop.

    def data_received(self, data: bytes) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._protocol.receive_data(data)
        self._take_in()

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        self._take_in()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._over("the connection was lost")
        self._lost.set()
        self._connection.connection_lost(error)

    def pause_writing(self) -> None:
        self._writable.clear()
        self._hold()  # who reads nothing could have us answer pings without end

    def resume_writing(self) -> None:
        self._writable.set()
        self._hold()

    def _take_in(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self._response = event
            elif isinstance(event, Frame) and self._end is None:
                self._take_frame(event)
        self._write()
        self._hold()
        if self._protocol.handshake_exc is not None:
            self._over("the WebSocket was not opened")
        elif self._protocol.parser_exc is not None or self._protocol.state >= State.CLOSING:
            self._over(self._why_over())
        self._changed.set()

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._pieces.append(bytes(frame.data))
        if not frame.fin:
            return
        whole = b"".join(self._pieces)
        self._pieces.clear()
        try:
            message = whole.decode() if self._is_text else whole
        except UnicodeDecodeError:
            self._protocol.fail(1007)
            self._over("a message was no UTF-8")
            return
        self._messages.append(message)
        self._held_bytes += len(message) + _MESSAGE_BYTES

    def _write(self) -> None:
        for data in self._protocol.data_to_send():
            if self._transport.is_closing():
                return
            if data:
                self._transport.write(data)
            else:
                self._transport.close()

    def _hold(self) -> None:
        is_held = self._held_bytes >= MOST_HELD_BYTES or not self._writable.is_set()
        if not self._transport.is_closing() and self._transport.is_reading() == is_held:
            (self._transport.pause_reading if is_held else self._transport.resume_reading)()

    def _tick(self) -> None:
        """Look whether the other side is still there, and may still be called."""
        loop, most = asyncio.get_running_loop(), self._call.silence_seconds
        silent = loop.time() - self._heard_at
        if not self._client.may_stay(self._connection):
            self._give_up("the rules of which addresses may be called have changed")
        elif self._transport.is_reading() and silent >= most:
            self._give_up(f"nothing was heard for {most:g} s")
        elif self._end is None:
            if self._transport.is_reading() and silent >= most / 2 and self._writable.is_set():
                self._protocol.send_ping(b"")
                self._write()
            self._timer = loop.call_later(most / 4, self._tick)

    def _give_up(self, why: str) -> None:
        self._over(why)
        self._connection.abort()

    def _over(self, why: str) -> None:
        if self._end is None:
            self._end = CallFailed("unknown", why)
        if self._timer is not None:
            self._timer.cancel()
        self._writable.set()
        self._changed.set()

    def _why_over(self) -> str:
        if self._protocol.close_rcvd is not None:
            return f"the other side closed the WebSocket ({int(self._protocol.close_rcvd.code)})"
        sent = self._protocol.close_sent
        if sent is not None and sent.code == 1009:
            return f"a message was longer than {self._call.max_message_bytes} bytes"
        return "the connection was lost" if sent is None else "what came is not of a WebSocket"

    async def _wait(self) -> None:
        await self._changed.wait()
        self._changed.clear()
