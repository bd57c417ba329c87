"""The body of an answer while it arrives: a little is held, then the sender is made to wait.

Not here: the connection (connection) and when a call ends (client).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

#: So much is held for a slow consumer; the rest waits in the network.
MOST_HELD_BYTES: Final = 1_048_576


class BodyStream:
    """Takes pieces from the connection and hands them to one consumer."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._is_over = False
        self._changed = asyncio.Event()
        #: Called with True when the sender is to wait, with False when it may go on.
        self.hold: Callable[[bool], None] = lambda is_held: None

    # Called by the connection.

    def put(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held >= MOST_HELD_BYTES:
            self.hold(True)

    def wake(self) -> None:
        """The head is there, or a piece."""
        self._changed.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._is_over = True
        self._changed.set()

    # Called by the consumer.

    async def wait(self) -> None:
        """Wait until something has changed."""
        await self._changed.wait()
        self._changed.clear()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the body, piece by piece; whether it was whole must be asked for afterwards."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._held -= len(piece)
                if self._held < MOST_HELD_BYTES // 2:
                    self.hold(False)
                yield piece
            if self._is_over:
                return
            await self.wait()
