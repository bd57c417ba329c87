"""WebSockets between an agent and its hub in one process (hub.flow.calling.SocketCaller); a test may cut them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from hub.api.parts import Application
from hub.flow.calling import CallFailed, SocketCall, SocketRefused


def nothing_lost(word: str) -> bool | None:
    """Let everything pass."""


@dataclass
class PlayedSockets:
    """The way of WebSockets."""

    app: Application
    #: The status with which something on the way refuses to open one.
    refuses: int | None = None
    #: Takes messages and passes none on.
    is_deaf: bool = False
    #: Words asked over them, and answered, in order.
    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    #: Loses the socket before (False) or after (True) the hub has a request of this word.
    cut: Callable[[str], bool | None] = nothing_lost
    open: list[Played] = field(default_factory=list)
    #: How often one was to be opened.
    tries: int = 0

    @contextlib.asynccontextmanager
    async def connect(self, call: SocketCall) -> AsyncIterator[Played]:
        self.tries += 1
        if self.refuses is not None:
            raise SocketRefused(self.refuses, f"the receiver answered {self.refuses} and opened no WebSocket")
        played = Played(self, call)
        await played.begin()
        self.open.append(played)
        try:
            yield played
        finally:
            self.open.remove(played)
            await played.end()

    def drop(self) -> None:
        """Lose all that are open, as a proxy that has had enough does."""
        for each in list(self.open):
            each.lose()


class Played:
    """One of them."""

    def __init__(self, way: PlayedSockets, call: SocketCall) -> None:
        self._way = way
        path = urlsplit(call.url).path
        headers = [*call.headers, (b"connection", b"upgrade"), (b"upgrade", b"websocket")]
        self._scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "headers": headers}
        self._to_hub: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_hub: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._words: dict[int, str] = {}
        #: Numbers of what was asked whose answers are to be lost.
        self._withheld: set[int] = set()
        self._is_lost = False

    async def begin(self) -> None:
        """Ask to open it, and take the answer."""
        self._to_hub.put_nowait({"type": "websocket.connect"})
        self._serving = asyncio.create_task(self._way.app(self._scope, self._to_hub.get, self._take))
        first = await self._from_hub.get()
        if first["type"] != "websocket.accept":
            await self._serving
            raise SocketRefused(first["status"], f"the receiver answered {first['status']}")

    async def end(self) -> None:
        self.lose()
        await self._serving

    def lose(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._to_hub.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self._from_hub.put_nowait({"type": "websocket.close", "code": 1006})

    async def send(self, message: str | bytes) -> None:
        if self._is_lost:
            raise CallFailed("unknown", "the socket was lost")
        told = json.loads(message)
        lost = self._way.cut(told["word"])
        if lost is False:
            self.lose()
            return
        if self._way.is_deaf:
            return
        self._way.asked.append(told["word"])
        self._words[told["id"]] = told["word"]
        if lost:
            self._withheld.add(told["id"])
        self._to_hub.put_nowait({"type": "websocket.receive", "bytes": message})

    async def receive(self) -> str | bytes:
        message = await self._from_hub.get()
        if message["type"] == "websocket.close":
            raise CallFailed("unknown", f"the other side closed the WebSocket ({message['code']})")
        content: bytes = message["bytes"]
        return content

    async def _take(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            if self._is_lost:
                raise OSError("the agent is gone")
            number = json.loads(message["bytes"])["id"]
            self._way.answered.append(self._words.pop(number))
            if number in self._withheld:
                self.lose()
                return
        if message["type"] == "websocket.close":
            self._to_hub.put_nowait({"type": "websocket.disconnect", "code": message["code"]})
        self._from_hub.put_nowait(message)
