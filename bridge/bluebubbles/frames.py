"""engine.io 4 and socket.io 5 over one WebSocket, as far as BlueBubbles uses them: text in, packets out. No I/O.

    server `0{"sid":…,"pingInterval":60000,"pingTimeout":…}` → client `40` → server `40{"sid":…}`
    server `2` → client `3`; server `42["new-message",{…}]`; server `41` or `1`: it wants us no more

Source: socket.io's protocol documents (engine.io v4, socket.io v5); mautrix/imessage api.go; api/http/index.ts.
Whatever cannot be read is `Unreadable`, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from bridge.bluebubbles.shapes import read_json

#: What the server's own default is, where it says nothing sensible.
_INTERVAL_MS: Final = 60_000
_TIMEOUT_MS: Final = 60_000
_MOST_MS: Final = 600_000
CONNECT: Final = "40"
PONG: Final = "3"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The transport is there."""

    interval_ms: int
    timeout_ms: int

    @property
    def silence_seconds(self) -> float:
        """After so long without a ping the server is gone."""
        return (self.interval_ms + self.timeout_ms) / 1000


@dataclass(frozen=True, slots=True)
class Connected:
    """Events follow."""


@dataclass(frozen=True, slots=True)
class Ping:
    """To be answered with PONG."""

    answer: str = PONG


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something happened."""

    name: str
    data: Any = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Refused:
    """The server ends it: with `41` or `44`, as it does for a wrong password, or with `1`."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to us: a pong, an acknowledgement, an upgrade."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No packet, or none that may be read."""

    why: str


Packet = Opened | Connected | Ping | Event | Refused | Ignored | Unreadable


def read_packet(message: str | bytes) -> Packet:
    """Read one message of the WebSocket."""
    if isinstance(message, bytes):
        return Unreadable("binary")
    kind, rest = message[:1], message[1:]
    if kind == "0":
        return _opened(rest)
    if kind == "2":
        # A probe carries words that come back.
        return Ping(PONG + rest) if len(rest) <= 64 else Unreadable("a long ping")
    if kind == "4":
        return _socket_packet(rest)
    return _SHORT.get(kind, Unreadable("no engine.io packet"))


_SHORT: Final[dict[str, Packet]] = {"1": Refused(), "3": Ignored(), "5": Ignored(), "6": Ignored()}


def _opened(text: str) -> Packet:
    said = _json(text)
    if not isinstance(said, dict):
        return Unreadable("a handshake without a body")
    return Opened(
        interval_ms=_milliseconds(said.get("pingInterval"), _INTERVAL_MS),
        timeout_ms=_milliseconds(said.get("pingTimeout"), _TIMEOUT_MS),
    )


def _milliseconds(value: Any, usual: int) -> int:
    is_sensible = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_MS
    return value if is_sensible else usual


def _socket_packet(text: str) -> Packet:
    kind, rest = text[:1], text[1:]
    if kind in {"1", "4"}:
        return Refused()
    if kind == "0":
        return Connected()
    if kind == "3":
        return Ignored()
    if kind != "2":
        return Unreadable("no socket.io packet that is used here")
    said = _json(rest.lstrip("0123456789"))
    if not isinstance(said, list) or not said or not isinstance(said[0], str) or len(said[0]) > 128:
        return Unreadable("an event without a name")
    return Event(name=said[0], data=said[1] if len(said) > 1 else None)


def _json(text: str) -> Any:
    return read_json(text.encode("utf-8", "replace"))
