"""The receiver's control socket: one JSON document a line in, one out. Both ends are in this file.

`python -m tests.load.receiver_control <socket>` is the receiver's process.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any

import msgspec
import uvloop

from tests.load.behaviours import Behaviour
from tests.load.certificates import ServerTls, server_contexts
from tests.load.receiver import Connection, Path, Receiver
from tests.load.tally import Tally


class Count(msgspec.Struct, kw_only=True, frozen=True):
    """What arrived at one path so far."""

    unique: int
    succeeded: int
    #: Arrivals of an id beyond its first.
    repeats: int
    #: Those of them that came after we had answered with success.
    needless: int
    invalid: int
    #: CLOCK_MONOTONIC.
    last_at_ns: int


class Totals(msgspec.Struct, kw_only=True, frozen=True):
    """Everything that arrived."""

    by_path: dict[str, Count]
    #: Requests that could not be read or were for no path.
    stray: int
    #: Connections opened since the start.
    opened: int

    @property
    def unique(self) -> int:
        """Count the distinct (path, webhook-id)."""
        return sum(count.unique for count in self.by_path.values())

    @property
    def faults(self) -> int:
        """Count what must never happen: bad signatures, bad framing, unknown paths."""
        return self.stray + sum(count.invalid for count in self.by_path.values())


class ReceiverServer:
    """The receiving side: listens, obeys."""

    def __init__(self) -> None:
        self.receiver = Receiver()
        self.stopped = asyncio.Event()
        self._servers: list[asyncio.Server] = []
        self._addresses: list[tuple[str, int]] = []
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def obey(self, command: dict[str, Any]) -> Any:
        """Do what one command says and return what it answers."""
        match command["do"]:
            case "listen":
                self._contexts = server_contexts(**command["tls"]) if command["tls"] else {}
                return await self._listen([(host, 0) for host in command["hosts"]])
            case "paths":
                for path, secret in command["secrets"].items():
                    self.receiver.paths[path.encode()] = Path.of(secret, Behaviour(**command["behaviour"]))
            case "totals":
                return self._totals()
            case "arrivals":
                return {
                    path.decode(): kept.tally.first_arrivals() for path, kept in self.receiver.paths.items()
                }
            case "reset":
                for path in self.receiver.paths.values():
                    path.tally = Tally()
            case "outage":
                await self._stop_listening()
                await asyncio.sleep(0.02)  # connections that were accepted but not yet announced
                self.receiver.close_connections()
            case "recover":
                if not self._servers:
                    await self._listen(self._addresses)
            case other:
                raise ValueError(f"no such command: {other}")
        return None

    async def _listen(self, addresses: list[tuple[str, int]]) -> list[int]:
        loop = asyncio.get_running_loop()
        for host, port in addresses:
            server = await loop.create_server(
                lambda: Connection(self.receiver), host, port, ssl=self._contexts.get(host), backlog=1024
            )
            self._servers.append(server)
        self._addresses = [server.sockets[0].getsockname()[:2] for server in self._servers]
        return [port for _, port in self._addresses]

    async def _stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _totals(self) -> Totals:
        by_path = {
            path.decode(): Count(
                unique=kept.tally.unique,
                succeeded=kept.tally.succeeded,
                repeats=kept.tally.repeats.total(),
                needless=kept.tally.needless,
                invalid=kept.tally.invalid,
                last_at_ns=kept.tally.last_at_ns,
            )
            for path, kept in self.receiver.paths.items()
        }
        return Totals(by_path=by_path, stray=self.receiver.stray, opened=self.receiver.opened)


async def serve_control(socket_path: str) -> None:
    """Obey whoever connects to the socket; end when they hang up."""
    server = ReceiverServer()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await server.obey(msgspec.json.decode(line))
            writer.write(msgspec.json.encode(answer) + b"\n")
            await writer.drain()
        writer.close()
        server.stopped.set()

    control = await asyncio.start_unix_server(talk, socket_path, limit=64 * 1024 * 1024)
    await server.stopped.wait()
    control.close()


class ReceiverControl:
    """The steering side: blocking, for a harness that waits anyway."""

    def __init__(self, socket_path: FilePath) -> None:
        self._socket = _connected(socket_path)
        self._reader = self._socket.makefile("rb")
        self.ports: list[int] = []

    def listen(self, hosts: Sequence[str] = ("127.0.0.1",), *, tls: ServerTls | None = None) -> list[int]:
        """Open one port on each of the hosts and return them."""
        command = {"do": "listen", "hosts": list(hosts), "tls": None if tls is None else tls.arguments()}
        self.ports = msgspec.json.decode(self._ask(command), type=list[int])
        return self.ports

    def expect(self, secrets: dict[str, str], behaviour: Behaviour | None = None) -> None:
        """Register paths with their webhooks' secrets; an existing path starts afresh."""
        chosen = behaviour or Behaviour()
        fields = {name: getattr(chosen, name) for name in Behaviour.__dataclass_fields__}
        self._ask({"do": "paths", "secrets": secrets, "behaviour": fields})

    def totals(self) -> Totals:
        """Count what arrived."""
        return msgspec.json.decode(self._ask({"do": "totals"}), type=Totals)

    def arrivals(self) -> dict[str, list[tuple[int, int]]]:
        """Give (event number, ns of the first arrival) by path, in order of arrival."""
        return msgspec.json.decode(self._ask({"do": "arrivals"}), type=dict[str, list[tuple[int, int]]])

    def reset(self) -> None:
        """Forget arrivals; paths stay."""
        self._ask({"do": "reset"})

    def fall(self) -> None:
        """Close ports and drop connections: an outage."""
        self._ask({"do": "outage"})

    def recover(self) -> None:
        """Open the same ports again, unless they are open."""
        self._ask({"do": "recover"})

    def stop(self) -> None:
        """Hang up, which ends the receiver's process."""
        self._reader.close()
        self._socket.close()

    def _ask(self, command: dict[str, Any]) -> bytes:
        self._socket.sendall(msgspec.json.encode(command) + b"\n")
        answer = self._reader.readline()
        if not answer:
            raise ConnectionError("the receiver died; its standard error says why")
        return answer


def _connected(socket_path: FilePath) -> socket.socket:
    """Connect as soon as the receiver listens."""
    give_up_at = time.monotonic() + 10
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(socket_path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            return connection


if __name__ == "__main__":
    uvloop.run(serve_control(sys.argv[1]))
