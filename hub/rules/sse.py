"""Read server-sent events, however the bytes are cut (WHATWG HTML, section 9.2.6). Pure; bounded.

Not here: `retry`, which matters to a client that comes back by itself.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: A carriage return that ends the bytes at hand may be the first half of CRLF, so it ends no line yet.
_END_OF_LINE: Final = re.compile(rb"\r\n|\n|\r(?!\Z)")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event."""

    #: `message` unless it is named.
    name: str
    data: str


class TooLongEvent(ValueError):
    """An event grew beyond the bound."""


class SseReader:
    """Turns chunks into events."""

    def __init__(self, *, most_bytes: int) -> None:
        #: With which a client comes back; also from blocks that say nothing else.
        self.last_id = ""
        self._id = ""
        self._most_bytes = most_bytes
        self._rest = b""
        self._is_first = True
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Take the next bytes and give the events that they complete.

        Raises:
            TooLongEvent: An event is longer than the bound.
        """
        text = self._rest + chunk
        if self._is_first and len(text) >= len(_BYTE_ORDER_MARK):
            text, self._is_first = text.removeprefix(_BYTE_ORDER_MARK), False
        *lines, self._rest = _END_OF_LINE.split(text)
        events = [event for line in lines if (event := self._line(line)) is not None]
        if self._size + len(self._rest) > self._most_bytes:
            raise TooLongEvent(f"an event is longer than {self._most_bytes} bytes")
        return events

    def _line(self, line: bytes) -> SseEvent | None:
        if not line:
            return self._finish()
        self._size += len(line)
        if self._size > self._most_bytes:
            raise TooLongEvent(f"an event is longer than {self._most_bytes} bytes")
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _finish(self) -> SseEvent | None:
        data, name, self.last_id = self._data, self._name, self._id
        self._data, self._name, self._size = [], "", 0
        return SseEvent(name or "message", "\n".join(data)) if data else None
