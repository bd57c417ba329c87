"""What a worker does seldom: retention, the rest of deleted webhooks, long jobs. Driven by arq."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.webhook import Webhook
from hub.observe.metrics import Metrics

log = structlog.get_logger("worker")

#: Rows deleted in one transaction: writers wait at most for that.
PAGE = 500
#: Why a webhook is switched off at the end that its owner gave.
EXPIRED = "expired: its owner's `expires_at` has passed"
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
        clean_files: Callable[[], Awaitable[Mapping[str, int]]],
        forget_runs: Callable[[], Awaitable[Mapping[str, int]]],
        directory: DirectoryHolder,
        disable: Callable[[Webhook, str], Awaitable[None]],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._clock = clock
        #: By table: how long finished rows are kept.
        self._keep_ms = keep_ms
        self._run_job = run_job
        self._clean_files = clean_files
        self._forget_runs = forget_runs
        self._directory = directory
        self._disable = disable
        self._metrics = metrics
        self._expired = {table: metrics.expired_rows.labels(table).inc for table in keep_ms}

    async def expire(self) -> None:
        """Delete what is older than its retention."""
        began_ms = self._clock.now_ms()
        for table, keep_ms in self._keep_ms.items():
            before_ms, total = self._clock.now_ms() - keep_ms, 0
            for _ in range(MOST_PAGES):
                count = await self._store.retention.expire_page(table, before_ms=before_ms, limit=PAGE)
                total += count
                self._expired[table](count)
                if count < PAGE:
                    break
            if total:
                log.info("rows.expired", table=table, count=total)
        for what, count in (await self._forget_runs()).items():
            self._metrics.expired_rows.labels(what).inc(count)
            if count:
                log.info("rows.expired", table=what, count=count)
        ended_ms = self._clock.now_ms()
        self._metrics.retention_seconds.add([max(0, ended_ms - began_ms) / 1000])
        self._metrics.retention_at.set(ended_ms / 1000)

    async def cancel_orphans(self) -> None:
        """Cancel what deleted webhooks still have to get: a terminal state, not an error."""
        for webhook_id in await self._store.webhooks.deleted_with_pending():
            for _ in range(MOST_PAGES):
                now_ms = self._clock.now_ms()
                if await self._store.deliveries.cancel_page(webhook_id, limit=PAGE, now=now_ms) < PAGE:
                    break

    async def end_expired(self) -> None:
        """Switch off the webhooks whose time is over."""
        now_ms = self._clock.now_ms()
        for webhook in list(self._directory.current.webhooks.values()):
            if webhook.is_active and webhook.expires_at is not None and webhook.expires_at <= now_ms:
                await self._disable(webhook, EXPIRED)

    async def run_jobs(self) -> None:
        """Go on with replays, requeues and purges."""
        await self._run_job()

    async def measure_files(self) -> None:
        """Tell how much is stored."""
        stored = await self._store.files.stored()
        self._metrics.stored_files.set(stored.count)
        self._metrics.stored_bytes.set(stored.size)

    async def measure_runs(self) -> None:
        """Tell how many runs are not over."""
        for state, count in (await self._store.runs.standing()).items():
            self._metrics.runs_unfinished.labels(state.name.lower()).set(count)

    async def clean_files(self) -> None:
        """Remove files that nobody uses, and their bytes."""
        for what, count in (await self._clean_files()).items():
            self._metrics.cleaned.labels(what).inc(count)
