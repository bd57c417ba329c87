"""The live feed: one socket, opened again whenever it ends, further and further apart."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from bridge.bluebubbles.frames import (
    CONNECT,
    Connected,
    Event,
    Opened,
    Packet,
    Ping,
    Refused,
    Unreadable,
    read_packet,
)
from bridge.bluebubbles.wire import Server
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed, Socket

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
#: What cannot be read in a row, before the socket is given up.
_MOST_UNREADABLE: Final = 100
#: Events that wait while the history is read; beyond that the history is read again instead.
MOST_WAITING: Final = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """The history is to be read."""

    #: And there is a socket again.
    is_back: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """There is no socket."""

    why: str
    #: Tries in a row that came to nothing.
    failures: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Expired:
    """Somebody who typed was not heard of for a while."""

    chat_guid: str
    turn: int


Item = Due | Lost | Expired | Event


class Waiting:
    """What is to be told next. Bounded: what is dropped, the history has."""

    def __init__(self, *, most: int = MOST_WAITING) -> None:
        self._items: deque[Item] = deque()
        self._most = most
        self._news = asyncio.Event()

    def put(self, item: Item) -> None:
        if isinstance(item, Due) and item in self._items:
            return
        if len(self._items) >= self._most:
            self._items.clear()
            self._items.append(Due())
        self._items.append(item)
        self._news.set()

    async def take(self) -> Item:
        while not self._items:
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()


class SocketFeed:
    """Listens for ever."""

    def __init__(self, server: Server, surroundings: Surroundings, waiting: Waiting) -> None:
        self._server = server
        self._surroundings = surroundings
        self._waiting = waiting
        #: The server lets us stay, as it does not for a wrong password.
        self._has_talked = False
        self._failures = 0

    async def listen(self) -> None:
        """Open the socket, again and again."""
        while True:
            self._has_talked = False
            try:
                async with self._surroundings.sockets.connect(self._server.socket_call()) as socket:
                    await self._converse(socket)
            except CallFailed as failure:
                why = failure.detail
            except TimeoutError:
                why = "the server went silent"
            self._failures += 1
            self._waiting.put(Lost(why=why, failures=self._failures))
            await self._surroundings.sleep(pause_seconds(self._failures, self._surroundings.draw()))

    async def _converse(self, socket: Socket) -> None:
        """Take packets until the socket ends, which raises."""
        silence, unreadable = self._server.patience.probe * 2, 0
        is_let_in = False
        while True:
            packet = await self._next(socket, silence, is_doubtful=is_let_in and not self._has_talked)
            unreadable = unreadable + 1 if isinstance(packet, Unreadable) else 0
            if unreadable > _MOST_UNREADABLE:
                raise CallFailed("no_http", "what comes over the socket is not socket.io")
            if isinstance(packet, Ping | Event):
                self._note_talk()
            if isinstance(packet, Opened):
                silence = packet.silence_seconds
                await socket.send(CONNECT)
            elif isinstance(packet, Ping):
                await socket.send(packet.answer)
            elif isinstance(packet, Refused):
                raise CallFailed("refused", "the server ended the socket: is the password right?")
            elif isinstance(packet, Event):
                self._waiting.put(packet)
            elif isinstance(packet, Connected):
                is_let_in = True
                self._waiting.put(Due())
            elif isinstance(packet, Unreadable):
                self._waiting.put(Due())  # whatever it was, the history has it

    async def _next(self, socket: Socket, silence: float, *, is_doubtful: bool) -> Packet:
        """Give the next packet; who may stay is told nothing until something happens, or a minute is over."""
        if is_doubtful:
            try:
                async with asyncio.timeout(self._server.patience.greeting):
                    return read_packet(await socket.receive())
            except TimeoutError:
                self._note_talk()
        async with asyncio.timeout(silence):
            return read_packet(await socket.receive())

    def _note_talk(self) -> None:
        if self._has_talked:
            return
        self._has_talked = True
        if self._failures:
            self._waiting.put(Due(is_back=True))
        self._failures = 0


def pause_seconds(failures: int, draw: float) -> float:
    """How long to wait before the next try; `draw` from 0 to 1 spreads many hubs apart."""
    doubled: int = 2 ** min(max(failures - 1, 0), 16)
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * doubled)
    return longest * (0.5 + draw / 2)
