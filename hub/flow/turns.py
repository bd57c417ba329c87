"""One after the other, whichever process they reach: who reads something, decides, and then changes it, takes a turn.

A turn is a claimed key that nobody answers (hub.flow.repositories.Repeats): of simultaneous claims one succeeds, and
one that its process did not end is over when its lease is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from hub.flow.ports import Clock
from hub.flow.repositories import Repeats
from hub.model.errors import InvalidRequest

LEASE_MS: Final = 30_000
_SCOPE: Final = "turn"


class Turns:
    """Gives turns, a name at a time."""

    def __init__(self, repeats: Repeats, clock: Clock) -> None:
        self._repeats = repeats
        self._clock = clock

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Have the turn until the end of the block.

        Raises:
            InvalidRequest: precondition_failed: somebody else has it, and is about to make a change.
        """
        lease_until = await self._take(name)
        if lease_until is None:
            raise InvalidRequest(
                "precondition_failed",
                "It is being changed right now: read it again, and decide anew.",
                param="If-Match",
            )
        try:
            yield
        finally:
            # Not the turn of somebody who took it because this one's lease was over.
            await self._repeats.give_up(_SCOPE, name, lease_until=lease_until)

    async def _take(self, name: str) -> int | None:
        """Give until when it is ours (Unix ms); None where it is somebody else's."""
        now = self._clock.now_ms()
        lease_until = now + LEASE_MS
        for _ in range(2):
            held = await self._repeats.claim(_SCOPE, name, request_hash=b"", lease_until=lease_until, now=now)
            if held is None:
                return lease_until
            if now < held.lease_until_ms:
                return None
            await self._repeats.give_up(_SCOPE, name, lease_until=held.lease_until_ms)
        return None
