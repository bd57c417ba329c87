"""A reader of server-sent events over a socket of its own: as slow, and as suddenly gone, as a test wants it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """What stood between two empty lines."""

    event: str = ""
    id: str = ""
    data: str = ""
    comment: str = ""
    retry: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class EventSource:
    """One open stream, or what was answered instead."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int, headers: dict[str, str]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.status = status
        self.headers = headers
        #: As `Last-Event-ID` would have it.
        self.last_id = ""
        self._text = b""

    async def block(self) -> Block | None:
        """Read the next block; None after the last."""
        while b"\n\n" not in self._text:
            piece = await self._piece()
            if not piece:
                return None
            self._text += piece
        text, _, self._text = self._text.partition(b"\n\n")
        fields: dict[str, str] = {}
        for line in text.decode().split("\n"):
            name, _, value = line.partition(":")
            fields[name or "comment"] = value.removeprefix(" ")
        block = Block(**fields)
        self.last_id = block.id or self.last_id
        return block

    async def told(self) -> Block | None:
        """Read the next block that says something: an event, or why the stream ends."""
        while (block := await self.block()) is not None and not block.data:
            pass
        return block

    async def body(self) -> Any:
        """The JSON that was answered instead of a stream."""
        return json.loads(await self._reader.readexactly(int(self.headers["content-length"])))

    def close(self) -> None:
        self._writer.close()

    async def _piece(self) -> bytes:
        """Read one chunk of the transfer."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            piece = await self._reader.readexactly(size + 2)
            return piece[:-2]
        return b""


@contextlib.asynccontextmanager
async def event_source(
    url: str, *, token: str | None = None, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> AsyncIterator[EventSource]:
    """Open a stream for the length of a block."""
    parts = urlsplit(url)
    # A small buffer, so that a reader who reads nothing is soon felt by the server.
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=4096)
    sent = {"Host": parts.netloc, "Accept": "text/event-stream", **(headers or {})}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        yield EventSource(reader, writer, int(head[0].split()[1]), found)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
