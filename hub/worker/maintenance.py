"""What a worker does seldom: retention, the rest of deleted webhooks, long jobs. Driven by arq."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog

from hub.flow.ports import Clock
from hub.flow.repositories import Store

log = structlog.get_logger("worker")

#: Rows deleted in one transaction: writers wait at most for that.
PAGE = 500
#: Pages a run at the most; the next run goes on.
MOST_PAGES = 400


class Maintenance:
    """Keeps the store small."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        keep_ms: Mapping[str, int],
        run_job: Callable[[], Awaitable[None]],
        clean_files: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._clock = clock
        #: By table: how long finished rows are kept.
        self._keep_ms = keep_ms
        self._run_job = run_job
        self._clean_files = clean_files

    async def expire(self) -> None:
        """Delete what is older than its retention."""
        for table, keep_ms in self._keep_ms.items():
            before_ms, total = self._clock.now_ms() - keep_ms, 0
            for _ in range(MOST_PAGES):
                count = await self._store.retention.expire_page(table, before_ms=before_ms, limit=PAGE)
                total += count
                if count < PAGE:
                    break
            if total:
                log.info("rows.expired", table=table, count=total)

    async def cancel_orphans(self) -> None:
        """Cancel what deleted webhooks still have to get: a terminal state, not an error."""
        for webhook_id in await self._store.webhooks.deleted_with_pending():
            for _ in range(MOST_PAGES):
                now_ms = self._clock.now_ms()
                if await self._store.deliveries.cancel_page(webhook_id, limit=PAGE, now=now_ms) < PAGE:
                    break

    async def run_jobs(self) -> None:
        """Go on with replays, requeues and purges."""
        await self._run_job()

    async def clean_files(self) -> None:
        """Remove files that nobody uses, and their bytes."""
        await self._clean_files()
