"""Real servers on the loopback that answer exactly as they are told, well or badly."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Visit:
    """One connection that a client opened, from the receiver's side."""

    def __init__(
        self, receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.receiver = receiver
        self.reader = reader
        self.writer = writer

    async def read_request(self) -> bytes | None:
        """Read one whole request and note it; None when the client closed the connection."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await self.reader.readexactly(int(length[1])) if length else b""
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        self.receiver.note_request(head + body)
        return head + body

    async def send(self, *parts: bytes) -> None:
        """Send parts, each in a write of its own that reaches the client by itself."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)

    def reset(self) -> None:
        """Drop the connection with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def closed_by_client(self) -> None:
        """Wait until the client closes the connection, whatever it sends before."""
        with suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass


Behaviour = Callable[[Visit], Awaitable[None]]


class Receiver:
    """What a server saw, and where it listens."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.visits = 0
        self.requests: list[bytes] = []
        self._changed = asyncio.Event()

    def note_visit(self) -> None:
        """Count a connection."""
        self.visits += 1
        self._changed.set()

    def note_request(self, request: bytes) -> None:
        """Keep a request."""
        self.requests.append(request)
        self._changed.set()

    async def saw(self, *, visits: int = 0, requests: int = 0) -> None:
        """Wait until so many connections and whole requests have come."""
        while self.visits < visits or len(self.requests) < requests:
            self._changed.clear()
            await self._changed.wait()

    def url(self, path: str = "/", *, scheme: str = "http", host: str = "127.0.0.1") -> str:
        """Say where it is."""
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def listening(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver for the duration of a test."""
    receiver = Receiver(0)
    running: set[asyncio.Task[None]] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.note_visit()
        try:
            await behaviour(Visit(receiver, reader, writer))
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(visit(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(visited, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0)


def answering(*parts: bytes, is_closing: bool = False) -> Behaviour:
    """Answer each request with the same bytes; then close the connection, if asked to."""

    async def behave(visit: Visit) -> None:
        while await visit.read_request() is not None:
            await visit.send(*parts)
            if is_closing:
                return

    return behave
