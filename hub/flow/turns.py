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
        if not await self._take(name):
            raise InvalidRequest(
                "precondition_failed",
                "It is being changed right now: read it again, and decide anew.",
                param="If-Match",
            )
        try:
            yield
        finally:
            await self._repeats.give_up(_SCOPE, name)

    async def _take(self, name: str) -> bool:
        now = self._clock.now_ms()
        for _ in range(2):
            held = await self._repeats.claim(
                _SCOPE, name, request_hash=b"", lease_until=now + LEASE_MS, now=now
            )
            if held is None:
                return True
            if now < held.lease_until_ms:
                return False
            await self._repeats.give_up(_SCOPE, name)
        return False
