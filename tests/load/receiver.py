"""The receiver of webhooks: its own process, as thin as a server can be, and it verifies both signatures.

One `asyncio.Protocol` on uvloop reads whole requests by hand: it takes what the hub's client may send (HTTP/1.1,
Content-Length) and counts everything else as invalid. Control and results go over a unix socket
(tests.load.receiver_control). Run by tests.load.receiver_process.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import cast

import msgspec

from tests.load.behaviours import DRIPPED_ANSWER, Behaviour
from tests.load.signatures import standard_key, verify_native, verify_standard
from tests.load.tally import Tally

_NUMBER = re.compile(r"load:[^:]*:(\d+):")
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class EventData(msgspec.Struct):
    """The part of `data` that the receiver looks at."""

    text: str | None = None


class Envelope(msgspec.Struct):
    """The body of a native delivery (contracts: messages.dev §6)."""

    event: str
    timestamp: int
    delivery_id: str
    data: EventData


_decode = msgspec.json.Decoder(Envelope).decode


@dataclass(slots=True)
class Path:
    """One registered webhook, as its receiver sees it."""

    secret: bytes
    key: bytes
    behaviour: Behaviour
    answer: bytes | None
    tally: Tally = field(default_factory=Tally)

    @classmethod
    def of(cls, secret: str, behaviour: Behaviour) -> Path:
        """Prepare a path for its webhook's secret."""
        return cls(
            secret=secret.encode(), key=standard_key(secret), behaviour=behaviour, answer=behaviour.answer()
        )


@dataclass(slots=True)
class Receiver:
    """All paths, open ports and connections."""

    paths: dict[bytes, Path] = field(default_factory=dict)
    connections: set[Connection] = field(default_factory=set)
    #: Requests that could not be read or belong to no path.
    stray: int = 0
    opened: int = 0

    def close_connections(self) -> None:
        """Drop every connection, as a machine that dies does."""
        for connection in list(self.connections):
            connection.transport.abort()


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    transport: asyncio.Transport

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, for answers and for an outage."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from it
        self._receiver.connections.add(self)
        self._receiver.opened += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._receiver.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take every whole request out of what has come."""
        buffer = self._buffer + data if self._buffer else data
        while buffer:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                break
            head = buffer[:end].split(b"\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head[1:])
            }
            length = headers.get(b"content-length", b"")
            if not length.isdigit():
                self._refuse()
                return
            stop = end + 4 + int(length)
            if len(buffer) < stop:
                break
            self._take(head[0], headers, buffer[end + 4 : stop])
            buffer = buffer[stop:]
        self._buffer = buffer

    def _refuse(self) -> None:
        self._receiver.stray += 1
        self.transport.write(_BAD_REQUEST)
        self.transport.close()

    def _take(self, request_line: bytes, headers: dict[bytes, bytes], body: bytes) -> None:
        now_ns = time.monotonic_ns()
        words = request_line.split(b" ")
        path = self._receiver.paths.get(words[1]) if len(words) == 3 and words[0] == b"POST" else None
        if path is None:
            self._refuse()
            return
        envelope = _verified(path, headers, body)
        if envelope is None:
            path.tally.invalid += 1
            self.transport.write(_BAD_REQUEST)
            self.transport.close()
            return
        marked = _NUMBER.match(envelope.data.text or "")
        webhook_id = headers[b"webhook-id"]
        path.tally.arrive(webhook_id, int(marked[1]) if marked else -1, now_ns)
        if path.behaviour.is_success:
            path.tally.answered.add(webhook_id)
        self._answer(path)

    def _answer(self, path: Path) -> None:
        if path.answer is not None:
            self.transport.write(path.answer)
            if path.behaviour.closes:
                self.transport.close()
        elif path.behaviour.kind == "drip":
            self._drip(path.behaviour.drip_seconds, 0)

    def _drip(self, pause_seconds: float, written: int) -> None:
        if self.transport.is_closing() or written >= len(DRIPPED_ANSWER):
            return
        self.transport.write(DRIPPED_ANSWER[written : written + 1])
        asyncio.get_running_loop().call_later(pause_seconds, self._drip, pause_seconds, written + 1)


def _verified(path: Path, headers: dict[bytes, bytes], body: bytes) -> Envelope | None:
    """Read the body if both signatures hold and headers and body say the same; None otherwise."""
    try:
        envelope = _decode(body)
        is_standard = verify_standard(
            path.key,
            headers[b"webhook-id"],
            headers[b"webhook-timestamp"],
            body,
            headers[b"webhook-signature"],
        )
        is_native = verify_native(path.secret, envelope.timestamp, body, headers[b"x-webhook-signature"])
        agrees = (
            headers[b"x-webhook-timestamp"] == b"%d" % envelope.timestamp
            and headers[b"x-webhook-delivery-id"] == envelope.delivery_id.encode()
        )
    except (msgspec.MsgspecError, KeyError):
        return None
    return envelope if is_standard and is_native and agrees else None
