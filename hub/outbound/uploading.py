"""The body of a request while it is read: piece by piece, as fast as the receiver takes it, once.

Not here: the connection (connection), when a call ends (client), and what bodies are made of.
"""

from __future__ import annotations

import asyncio

from hub.flow.calling import StreamedBody
from hub.flow.closing import closing
from hub.outbound.connection import Connection
from hub.outbound.errors import OutboundCode, OutboundError


class Upload:
    """One body on its way."""

    def __init__(self, body: StreamedBody) -> None:
        self._body = body
        #: Bytes that were not handed to the network yet.
        self._left = body.size

    @property
    def size(self) -> int:
        """The whole, in bytes."""
        return self._body.size

    async def pour(self, connection: Connection, answered: asyncio.Future[None]) -> None:
        """Send the body, and return when the answer is over: it may come before all was sent.

        Raises:
            OutboundError: The pieces are more, or fewer, bytes than were announced.
            Exception: As reading the pieces raised it.
        """
        async with closing(self._body.pieces):
            pouring = asyncio.get_running_loop().create_task(self._send(connection))
            try:
                await asyncio.wait({pouring, answered}, return_when=asyncio.FIRST_COMPLETED)
                if not answered.done():
                    pouring.result()
                    await answered
            finally:
                pouring.cancel()
                await asyncio.gather(pouring, return_exceptions=True)
        if self._left:
            # Whoever answers half a request waits for its other half on this connection.
            connection.reader.is_reusable = False
            if connection.reader.problem is not None:
                connection.reader.problem.is_unfinished = True

    async def _send(self, connection: Connection) -> None:
        async for piece in self._body.pieces:
            # Counted before it goes: what may have left does not count as kept back.
            self._left -= len(piece)
            if self._left < 0:
                break
            if piece and not await connection.send_piece(piece):
                return
        if self._left:
            told = f"what was to be sent has not the {self.size} bytes that were announced"
            raise OutboundError(OutboundCode.BODY_BROKEN, told, is_ours=True)
