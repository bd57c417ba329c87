"""Records finished attempts, many in one durable transaction, while the next ones are being posted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from hub.flow.deliver import Finished
from hub.flow.ports import HotStore, HotTransaction
from hub.flow.rows import FinishRow

log = structlog.get_logger("worker")

#: Attempts in one transaction at the most.
MOST_IN_BATCH = 512
#: Attempts posted but not yet recorded at the most; beyond it nothing new is posted.
MOST_UNRECORDED = 4096


class Committer:
    """Owns the results between the post and the commit."""

    def __init__(self, store: HotStore) -> None:
        self._store = store
        self._finished: list[Finished] = []
        self._failing: dict[int, int] = {}
        self._recovered: dict[int, None] = {}
        self._wanted = asyncio.Event()
        self._added_count = 0
        self._committed_count = 0
        self._flushes: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.on_committed: Callable[[Sequence[Finished]], None] = lambda batch: None

    @property
    def is_full(self) -> bool:
        return len(self._finished) >= MOST_UNRECORDED

    @property
    def waiting_count(self) -> int:
        return len(self._finished)

    def add(self, finished: Finished, *, failing: int | None, recovered: bool) -> None:
        """Record an attempt with the next commit.

        Args:
            finished: The attempt.
            failing: Since when the webhook fails, if that began with this attempt (Unix ms).
            recovered: The webhook had been failing and now succeeded.
        """
        self._finished.append(finished)
        webhook_id = finished.due.webhook_id
        if failing is not None:
            self._recovered.pop(webhook_id, None)
            self._failing[webhook_id] = failing
        elif recovered:
            self._failing.pop(webhook_id, None)
            self._recovered[webhook_id] = None
        self._added_count += 1
        self._wanted.set()

    async def flush(self) -> None:
        """Wait until everything added so far is durable, whatever is added meanwhile."""
        if self._committed_count < self._added_count:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._flushes.append((self._added_count, future))
            await future

    async def run(self) -> None:
        """Commit for ever. A database that is away is waited for: the results stay here."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._finished:
                await self._commit()

    async def _commit(self) -> None:
        batch, self._finished = self._finished[:MOST_IN_BATCH], self._finished[MOST_IN_BATCH:]
        failing, self._failing = self._failing, {}
        recovered, self._recovered = self._recovered, {}
        async for attempt in AsyncRetrying(
            wait=wait_exponential_jitter(initial=0.05, max=5), retry=retry_if_exception_type(Exception)
        ):
            with attempt:
                await self._store.write(lambda tx: _record(tx, batch, list(failing.items()), list(recovered)))
            if attempt.retry_state.outcome is not None and attempt.retry_state.outcome.failed:
                log.warning("attempts.record_failed", attempt_number=attempt.retry_state.attempt_number)
        self._committed_count += len(batch)
        self.on_committed(batch)
        while self._flushes and self._flushes[0][0] <= self._committed_count:
            _, future = self._flushes.popleft()
            if not future.done():
                future.set_result(None)


async def _record(
    tx: HotTransaction, batch: Sequence[Finished], failing: list[tuple[int, int]], recovered: list[int]
) -> None:
    finishes: list[FinishRow] = [finished.finish for finished in batch]
    await tx.finish_deliveries(finishes, [finished.attempt for finished in batch])
    if failing or recovered:
        await tx.mark_webhooks(failing, recovered)
