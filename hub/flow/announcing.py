"""Say after each commit that events were recorded, whichever flow recorded them, so that no flow must think of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from hub.flow.ports import HotStore, HotTransaction

T = TypeVar("T")


class AnnouncingStore:
    """The hot store, which tells when a transaction with new events was committed."""

    def __init__(self, store: HotStore, on_recorded: Callable[[], None]) -> None:
        self._store = store
        self._on_recorded = on_recorded

    async def write(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        """Run hot work; see hub.flow.ports.HotStore."""
        has_recorded = False

        async def run(tx: HotTransaction) -> T:
            nonlocal has_recorded
            tx.has_recorded = False
            result = await work(tx)
            has_recorded = tx.has_recorded
            return result

        result = await self._store.write(run)
        if has_recorded:
            self._on_recorded()
        return result

    async def read(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        """Run reading work; see hub.flow.ports.HotStore."""
        return await self._store.read(work)
