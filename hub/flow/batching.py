"""Group work that arrives while earlier work is being made durable.

No timer: a batch leaves as soon as a place is free, so a lone item waits for nobody and a crowd shares one commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from hub.model.errors import StoreUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Collect items into batches and give each submitter its own result.

    When a batch fails, its items are tried one by one, so that only the guilty one fails; not when the database is
    away: then nobody is guilty, and all are told at once.

    Args:
        process: Takes a batch, returns one result an item, in order.
        most_items: Items in a batch at the most.
        most_running: Batches under way at the most.
    """

    def __init__(
        self,
        process: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        most_items: int,
        most_running: int = 1,
    ) -> None:
        self._process = process
        self._most_items = most_items
        self._free = most_running
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """Add an item and wait for its result."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._start()
        return await future

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    def _start(self) -> None:
        while self._free and self._waiting:
            batch, self._waiting = self._waiting[: self._most_items], self._waiting[self._most_items :]
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._run(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            await self._settle(batch)
        finally:
            self._free += 1
            self._start()

    async def _settle(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._process([item for item, _ in batch])
        except Exception as error:
            if isinstance(error, StoreUnavailable):
                _fail(batch, error)
            elif len(batch) > 1:
                for entry in batch:
                    await self._settle([entry])
            else:
                _fail(batch, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)


def _fail(batch: Sequence[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
