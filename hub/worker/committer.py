"""Records finished attempts, many in one durable transaction, while the next ones are being posted."""

from __future__ import annotations

import asyncio
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
        self._idle = asyncio.Event()
        self._idle.set()
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
        self._idle.clear()
        self._wanted.set()

    async def flush(self) -> None:
        """Wait until everything added so far is durable."""
        await self._idle.wait()

    async def run(self) -> None:
        """Commit for ever. A database that is away is waited for: the results stay here."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._finished:
                await self._commit()
            self._idle.set()

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
        self.on_committed(batch)


async def _record(
    tx: HotTransaction, batch: Sequence[Finished], failing: list[tuple[int, int]], recovered: list[int]
) -> None:
    finishes: list[FinishRow] = [finished.finish for finished in batch]
    await tx.finish_deliveries(finishes, [finished.attempt for finished in batch])
    if failing or recovered:
        await tx.mark_webhooks(failing, recovered)
