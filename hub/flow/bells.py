"""A bell within one process (hub.flow.agent_store.Bell); the one between processes (hub.worker.bell) rings this one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator


class _Ear:
    """One who waits."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def heard(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class LocalBell:
    """Wakes whoever waits in this process."""

    def __init__(self) -> None:
        self._ears: dict[str, list[_Ear]] = {}
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def ring(self, name: str) -> None:
        for ear in self._ears.get(name, ()):
            ear.ring()

    def ring_all(self) -> None:
        """Wake everybody: something may have been missed."""
        for name in list(self._ears):
            self.ring(name)

    def close(self) -> None:
        """Send everybody home."""
        self._is_closed = True
        self.ring_all()

    @contextlib.contextmanager
    def waiting(self, *names: str) -> Iterator[_Ear]:
        ear = _Ear()
        for name in names:
            self._ears.setdefault(name, []).append(ear)
        try:
            yield ear
        finally:
            for name in names:
                self._ears[name].remove(ear)
                if not self._ears[name]:
                    del self._ears[name]
