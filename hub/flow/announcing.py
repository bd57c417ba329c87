"""Say after each commit that events were recorded, whichever flow recorded them, so that no flow must think of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from hub.flow.ports import HotStore, HotTransaction
from hub.flow.rows import DeliveryRow, EventRow

T = TypeVar("T")


class AnnouncingStore:
    """The hot store, which tells when a transaction with new events was committed."""

    def __init__(self, store: HotStore, on_recorded: Callable[[], None]) -> None:
        self._store = store
        self._on_recorded = on_recorded

    async def write(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        """Run hot work; see hub.flow.ports.HotStore."""
        watched: _Watched | None = None

        async def run(tx: HotTransaction) -> T:
            nonlocal watched
            watched = _Watched(tx)
            return await work(cast(HotTransaction, watched))

        result = await self._store.write(run)
        if watched is not None and watched.has_recorded:
            self._on_recorded()
        return result

    async def read(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        """Run reading work; see hub.flow.ports.HotStore."""
        return await self._store.read(work)


class _Watched:
    """A transaction that remembers whether new events went into it; all else is the transaction's."""

    def __init__(self, transaction: HotTransaction) -> None:
        self._transaction = transaction
        self.has_recorded = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    async def insert_events(self, rows: Sequence[EventRow]) -> set[int]:
        inserted = await self._transaction.insert_events(rows)
        self.has_recorded = self.has_recorded or bool(inserted)
        return inserted

    async def record(
        self, events: Sequence[EventRow], deliveries: Sequence[DeliveryRow]
    ) -> tuple[int, set[int]]:
        revision, inserted = await self._transaction.record(events, deliveries)
        self.has_recorded = self.has_recorded or bool(inserted)
        return revision, inserted
