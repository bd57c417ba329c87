"""The guarded way out, as connectors, bridges and models see it.

hub.outbound is behind it; hub.app puts the two together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

#: `not_sent`: nothing left the hub, or not the end of a body; `unknown`: it may have been done; `no_http`: what
#: answered speaks no HTTP; `refused`: the hub does not call this address, or not so.
FaultKind = Literal["not_sent", "unknown", "no_http", "refused"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request."""

    method: str
    #: Not shown: some servers want their password in it.
    url: str = field(repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)
    timeout_seconds: float
    max_response_bytes: int
    #: Sent once more where a kept connection turns out to be closed: a repetition does no harm.
    is_repeatable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back, whatever its status."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    is_cut: bool


class CallFailed(Exception):
    """There is no answer."""

    def __init__(self, kind: FaultKind, detail: str, *, is_lasting: bool = False) -> None:
        super().__init__(detail)
        self.kind: FaultKind = kind
        #: Safe to show.
        self.detail = detail
        #: Waiting mends nothing: somebody has to.
        self.is_lasting = is_lasting or kind == "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamedBody:
    """A body that is read while it is sent, and sent once: what was read is gone."""

    #: Bytes of all pieces together, neither more nor fewer.
    size: int
    pieces: AsyncIterator[bytes] = field(repr=False)


class Caller(Protocol):
    """Sends requests."""

    async def send(self, call: Call) -> Reply:
        """Send one request and give the answer.

        Raises:
            CallFailed: There is none.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamedReply:
    """The head of an answer whose body is on its way; `pieces` raises CallFailed where it breaks off or is too long."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    pieces: AsyncIterator[bytes]

    def header(self, name: bytes) -> bytes | None:
        """Give the first header of that (lower-case) name."""
        return next((value for each, value in self.headers if each.lower() == name), None)


class StreamCaller(Caller, Protocol):
    """Reads answers while they arrive, too."""

    def stream(self, call: Call) -> AbstractAsyncContextManager[StreamedReply]:
        """Send one request; the answer is that of the block, in constant memory.

        Raises:
            CallFailed: There is none.
        """
        ...


class UploadCaller(StreamCaller, Protocol):
    """Sends what is read meanwhile, too."""

    async def upload(self, call: Call, body: StreamedBody) -> Reply:
        """Send one request with a body that is read meanwhile, in constant memory; once, whatever the call says.

        Args:
            call: The request; its own body is empty.
            body: What goes in the place of it.

        Raises:
            CallFailed: There is no answer; `not_sent` also where the receiver cannot have had the whole body.
            Exception: As reading the pieces raised it: the receiver cannot have had the whole body.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SocketCall:
    """One WebSocket to be opened."""

    #: wss:// or ws:// (or https:// and http://, which mean the same here).
    url: str = field(repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    #: Until it is open.
    timeout_seconds: float = 20.0
    #: The longest message that is taken, whole; a longer one ends the socket.
    max_message_bytes: int = 4_194_304
    #: After half of it without a byte a sign of life is asked for; after all of it the socket counts as lost.
    silence_seconds: float = 60.0


class SocketRefused(CallFailed):
    """What answered opens no WebSocket here."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__("not_sent", detail)
        #: Of its HTTP answer.
        self.status = status


class Socket(Protocol):
    """An open WebSocket. Text is `str`, binary is `bytes`; messages come whole."""

    async def receive(self) -> str | bytes:
        """Give the next message.

        Raises:
            CallFailed: None will come any more; what came before is given first.
        """
        ...

    async def send(self, message: str | bytes) -> None:
        """Hand a message to the network; waits while the other side takes nothing.

        Raises:
            CallFailed: The socket is over.
        """
        ...


class SocketCaller(Protocol):
    """Opens WebSockets, under the same guard as requests."""

    def connect(self, call: SocketCall) -> AbstractAsyncContextManager[Socket]:
        """Open one for the block; it is closed with it.

        Raises:
            CallFailed: It could not be opened (SocketRefused: another answer came than one that opens it).
        """
        ...
