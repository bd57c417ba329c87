"""One at a time, in whichever process: who finds or creates something holds a lock until it is done.

A lock is a claimed key that nobody answers (hub.flow.repositories.Repeats), as turns are (hub.flow.turns); but who
finds it taken waits. One that its process did not let go is free when its lease is over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Final

from hub.flow.ports import Clock
from hub.flow.repositories import Repeats

_SCOPE: Final = "connector-lock"
_FIRST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 0.5


class LockTaken(Exception):
    """Somebody else holds it, longer than one wanted to wait."""


class Locks:
    """Gives locks, a name at a time."""

    def __init__(self, repeats: Repeats, clock: Clock, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._repeats = repeats
        self._clock = clock
        self._sleep = sleep

    @asynccontextmanager
    async def held(self, name: str, *, patience_ms: int, lease_ms: int) -> AsyncIterator[None]:
        """Hold a lock until the end of the block.

        Args:
            name: What is locked; it is kept as a hash, because it may name a person.
            patience_ms: How long to wait for it.
            lease_ms: After so long it counts as forgotten; longer than the block can take.

        Raises:
            LockTaken: It did not come free.
        """
        key = sha256(name.encode()).hexdigest()
        until = self._clock.now_ms() + patience_ms
        pause = _FIRST_PAUSE_SECONDS
        while (lease_until := await self._take(key, lease_ms)) is None:
            left = (until - self._clock.now_ms()) / 1000
            if left <= 0:
                raise LockTaken(name)
            await self._sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        try:
            yield
        finally:
            # Not what somebody else took meanwhile because this lease was over.
            await self._repeats.give_up(_SCOPE, key, lease_until=lease_until)

    async def _take(self, key: str, lease_ms: int) -> int | None:
        """Give until when it is ours (Unix ms); None while it is somebody else's."""
        now = self._clock.now_ms()
        lease_until = now + lease_ms
        held = await self._repeats.claim(_SCOPE, key, request_hash=b"", lease_until=lease_until, now=now)
        if held is None:
            return lease_until
        if now >= held.lease_until_ms:
            # Of all who see that it is over, one ends it; the others find it gone, or taken anew.
            await self._repeats.give_up(_SCOPE, key, lease_until=held.lease_until_ms)
        return None
