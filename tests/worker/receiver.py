"""A little HTTP receiver on loopback whose answers a test decides, path by path."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import msgspec


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """One request, whole."""

    path: str
    event_id: str
    delivery_id: str
    body: bytes
    headers: dict[str, str] = field(repr=False)

    @property
    def text(self) -> str:
        """The words of the event."""
        data = msgspec.json.decode(self.body)["data"]
        return str(data.get("text"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What the receiver says."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def render(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} X", "Content-Length: 0"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


#: Decides an answer; None answers never, bytes are dripped one by one, then nothing.
Answering = Callable[[Arrival], Awaitable[Reply | bytes | None]]


async def _ok(arrival: Arrival) -> Reply:
    return Reply()


@dataclass
class LoopbackReceiver:
    """Counts what arrives and what is under way."""

    port: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    answering: dict[str, Answering] = field(default_factory=dict)
    under_way: dict[str, int] = field(default_factory=dict)
    most_under_way: dict[str, int] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Arrival]:
        return [arrival for arrival in self.arrivals if arrival.path == path]

    def deliveries(self, path: str) -> list[str]:
        return [arrival.delivery_id for arrival in self.at(path)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                arrival = await _read(reader)
                self.arrivals.append(arrival)
                reply = await self._answer(arrival)
                if isinstance(reply, Reply):
                    writer.write(reply.render())
                    await writer.drain()
                    continue
                for byte in reply or b"":
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.01)
                await reader.read()  # until the client gives up
        writer.close()

    async def _answer(self, arrival: Arrival) -> Reply | bytes | None:
        path = arrival.path
        self.under_way[path] = self.under_way.get(path, 0) + 1
        self.most_under_way[path] = max(self.most_under_way.get(path, 0), self.under_way[path])
        try:
            return await self.answering.get(path, _ok)(arrival)
        finally:
            self.under_way[path] -= 1


async def _read(reader: asyncio.StreamReader) -> Arrival:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers["content-length"]))
    return Arrival(
        path=head[0].split(" ")[1],
        event_id=headers["webhook-id"],
        delivery_id=headers["x-webhook-delivery-id"],
        body=body,
        headers=headers,
    )


@contextlib.asynccontextmanager
async def running_receiver() -> AsyncIterator[LoopbackReceiver]:
    """Run a receiver for the length of a block."""
    receiver = LoopbackReceiver()
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await receiver.serve(reader, writer)
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()


def always(status: int, **headers: str) -> Answering:
    """Answer everything alike; header names are given with underscores."""
    reply = Reply(
        status=status, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items())
    )

    async def answer(arrival: Arrival) -> Reply:
        return reply

    return answer


async def never(arrival: Arrival) -> None:
    """Take the request and say nothing."""
    await asyncio.Event().wait()


@dataclass
class Gate:
    """Answers wait until the test lets them go, one status each."""

    waiting: list[tuple[Arrival, asyncio.Future[Reply]]] = field(default_factory=list)

    async def __call__(self, arrival: Arrival) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.waiting.append((arrival, future))
        return await future

    def let_go(self, status: int = 200, *, index: int = 0, **headers: str) -> Arrival:
        arrival, future = self.waiting.pop(index)
        rendered = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        future.set_result(Reply(status=status, headers=rendered))
        return arrival
