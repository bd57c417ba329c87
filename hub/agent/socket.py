"""A WebSocket to the hub, where the hub and the way allow one: the same requests, without a connection for each.

Nothing rests on it. What it cannot carry, or loses, is asked by POST (hub.agent.link) under the same id, which the hub
takes as a repetition.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta

from hub.agent.pauses import Pauses
from hub.flow.calling import CallFailed, Socket, SocketCall, SocketCaller
from hub.flow.ports import Clock

log = structlog.get_logger("agent")

PATH: Final = "/v1/bridge/connect"
#: What is never asked here: it is answered with bytes.
BY_POST: Final = frozenset({"files"})
OPEN_SECONDS: Final = 20.0
#: Half of it without a byte, and a sign of life is asked for.
SILENCE_SECONDS: Final = 40.0
#: A socket that lived so long works; one that ends sooner may be cut by something on the way.
STEADY_MS: Final = 60_000
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 900.0
#: How often it is looked whether the hub offers one.
OFFER_SECONDS: Final = 60.0
MOST_MESSAGE_BYTES: Final = 16_777_216

#: Headers of a request as whom it is signed: (id of the request, body) → name → value.
Sign = Callable[[str, bytes], Mapping[str, str]]


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    status: Annotated[int, Meta(ge=100, le=599)]
    body: msgspec.Raw


_answer: Final = msgspec.json.Decoder(_Answer).decode
_encode: Final = msgspec.json.Encoder().encode


class HubSocket:
    """Asks over a WebSocket while there is one.

    Args:
        hub: The hub's address.
        sockets: The way out.
        sign: Signs requests.
        clock: Tells how long a socket lived.
        draw_id: Draws the id under which one is opened.
        pauses: Between two tries to open one.
    """

    def __init__(
        self,
        hub: str,
        sockets: SocketCaller,
        sign: Sign,
        *,
        clock: Clock,
        draw_id: Callable[[], str],
        pauses: Pauses,
    ) -> None:
        self._hub = hub
        self._sockets = sockets
        self._sign = sign
        self._clock = clock
        self._draw_id = draw_id
        self._pauses = pauses
        self._socket: Socket | None = None
        self._waiting: dict[int, asyncio.Future[tuple[int, bytes] | None]] = {}
        self._next = 0
        self._reading: asyncio.Task[None] | None = None
        self._is_told = False

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    async def run(self, is_offered: Callable[[], bool], sleep: Callable[[float], Awaitable[None]]) -> None:
        """Keep one open for ever, as long as the hub offers it."""
        while True:
            if not is_offered():
                await sleep(OFFER_SECONDS)
                continue
            begun_at = self._clock.now_ms()
            try:
                await self.serve(lambda: log.info("socket.opened"))
                why = "it was closed"
            except CallFailed as error:
                why = error.detail
            if self._clock.now_ms() - begun_at >= STEADY_MS:
                self._pauses.over()
                self._is_told = False
            if not self._is_told:
                log.info("socket.unused", reason=why, instead="long-poll, which does all the same")
                self._is_told = True
            await self._pauses.take()

    async def serve(self, opened: Callable[[], None] | None = None) -> None:
        """Open one, and read answers until it ends.

        Raises:
            CallFailed: It could not be opened, or ended.
        """
        signed = self._sign(self._draw_id(), b"")
        call = SocketCall(
            url=f"{self._hub}{PATH}",
            headers=tuple((name.encode(), value.encode()) for name, value in signed.items()),
            timeout_seconds=OPEN_SECONDS,
            max_message_bytes=MOST_MESSAGE_BYTES,
            silence_seconds=SILENCE_SECONDS,
        )
        async with self._sockets.connect(call) as socket:
            self._socket = socket
            self._reading = asyncio.get_running_loop().create_task(self._read(socket))
            if opened is not None:
                opened()
            try:
                await asyncio.wait({self._reading})
            finally:
                self._reading.cancel()
                self._socket = None
                self._lose()
            if not self._reading.cancelled() and (error := self._reading.exception()) is not None:
                raise error

    def reset(self) -> None:
        """Give the open one up: it may be dead without knowing."""
        if self._reading is not None:
            self._reading.cancel()

    async def ask(
        self, word: str, body: bytes, request_id: str, *, timeout_seconds: float
    ) -> tuple[int, bytes] | None:
        """Give status and body of the answer; None where it must be asked by POST."""
        socket = self._socket
        if socket is None or word in BY_POST:
            return None
        self._next += 1
        number = self._next
        answered: asyncio.Future[tuple[int, bytes] | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        signed = self._sign(request_id, body)
        message = _encode({"id": number, "word": word, **_lean(signed), "body": msgspec.Raw(body)})
        try:
            async with asyncio.timeout(timeout_seconds):
                await socket.send(message)
                return await answered
        except CallFailed:
            return None
        except TimeoutError:
            self.reset()  # something on the way takes messages and does not pass them on
            return None
        finally:
            del self._waiting[number]

    async def _read(self, socket: Socket) -> None:
        while True:
            message = await socket.receive()
            try:
                answer = _answer(message)
            except (msgspec.MsgspecError, RecursionError) as error:
                raise CallFailed("no_http", f"what answers is no hub: {error}") from None
            waiting = self._waiting.get(answer.id)
            if waiting is not None and not waiting.done():
                waiting.set_result((answer.status, bytes(answer.body)))

    def _lose(self) -> None:
        """Tell those who wait that nothing will come."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)


def _lean(signed: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in signed.items() if name.startswith("webhook-")}
