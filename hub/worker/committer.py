"""Records finished attempts, many in one durable transaction, while the next ones are being posted.

A database that is away is waited for: the results stay here, in order. A row that the database refuses is set apart,
so that it does not hold up the others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_not_exception_type, wait_exponential, wait_random

from hub.flow.deliver import Finished
from hub.flow.ports import HotStore, HotTransaction

log = structlog.get_logger("worker")

#: Attempts in one transaction at the most.
MOST_IN_BATCH = 512
#: Attempts posted but not yet recorded at the most; beyond it nothing new is posted.
MOST_UNRECORDED = 4096
UNRECORDABLE = "the database refused the details of this attempt; see the worker's log"


class Committer:
    """Owns the results between the post and the commit.

    Args:
        store: Where they go.
        refused: What the store raises for a row that it will never take.
    """

    def __init__(self, store: HotStore, *, refused: type[Exception]) -> None:
        self._store = store
        self._refused = refused
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
        return self.waiting_count >= MOST_UNRECORDED

    @property
    def waiting_count(self) -> int:
        """Attempts that are not yet durable."""
        return self._added_count - self._committed_count

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
        """Commit for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._finished:
                await self._commit()

    async def _commit(self) -> None:
        batch, self._finished = self._finished[:MOST_IN_BATCH], self._finished[MOST_IN_BATCH:]
        failing, self._failing = list(self._failing.items()), {}
        recovered, self._recovered = list(self._recovered), {}
        await self._record(batch, _Marks(failing, recovered))
        self._committed_count += len(batch)
        self.on_committed(batch)
        while self._flushes and self._flushes[0][0] <= self._committed_count:
            _, future = self._flushes.popleft()
            if not future.done():
                future.set_result(None)

    async def _record(self, batch: Sequence[Finished], marks: _Marks) -> None:
        """Record a batch; when it is refused, its halves, so that only the guilty one loses its details."""
        try:
            await self._write(batch, marks)
        except self._refused as refusal:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._record(batch[:middle], marks)
                await self._record(batch[middle:], _Marks())
            else:
                log.error("attempt.refused", delivery_id=batch[0].due.id, error=str(refusal))
                await self._write([_bare(batch[0])], marks)

    async def _write(self, batch: Sequence[Finished], marks: _Marks) -> None:
        async for attempt in AsyncRetrying(
            wait=wait_exponential(multiplier=0.05, max=5) + wait_random(0, 0.05),
            retry=retry_if_not_exception_type((self._refused, asyncio.CancelledError)),
            before_sleep=_tell,
            reraise=True,
        ):
            with attempt:
                await self._store.write(lambda tx: _record_in(tx, batch, marks))


class _Marks(NamedTuple):
    """What the batch says of webhooks: since when they fail, and which do so no more."""

    failing: Sequence[tuple[int, int]] = ()
    recovered: Sequence[int] = ()


async def _record_in(tx: HotTransaction, batch: Sequence[Finished], marks: _Marks) -> None:
    await tx.finish_deliveries(
        [finished.finish for finished in batch], [finished.attempt for finished in batch]
    )
    # In this order: a webhook in both recovered first, and fails again since then.
    await tx.mark_webhooks([], marks.recovered)
    await tx.mark_webhooks(marks.failing, [])


def _bare(finished: Finished) -> Finished:
    """Give an attempt without anything that a receiver had a say in."""
    attempt = finished.attempt._replace(
        error=None, reason=UNRECORDABLE, address=None, request="{}", response=None
    )
    return replace(finished, attempt=attempt, finish=finished.finish._replace(reason=UNRECORDABLE))


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    log.warning("attempts.unrecorded", attempt_number=state.attempt_number, error=str(error))
