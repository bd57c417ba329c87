"""A worker from start to stop: its parts, their tasks, and how they end.

Stop order: no new work, posts under way end, results are recorded, shards are freed for others, Redis is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import structlog
from arq.connections import ArqRedis
from arq.cron import cron
from arq.worker import func

from hub.flow.directory import DirectoryHolder
from hub.model.errors import StoreUnavailable
from hub.observe.exchange import MetricsExchange
from hub.observe.metrics import Metrics
from hub.worker.adapters import AdapterBook
from hub.worker.bulk import BulkRounds
from hub.worker.committer import Committer
from hub.worker.dispatcher import Dispatcher
from hub.worker.ending import end
from hub.worker.feeds import Feeds
from hub.worker.fetches import Fetches
from hub.worker.late_rounds import LateRounds
from hub.worker.line_watch import LineWatch
from hub.worker.lines import LineLanes
from hub.worker.listener import Listener
from hub.worker.maintenance import Maintenance
from hub.worker.notified import NotifiedWorker
from hub.worker.ownership import Ownership
from hub.worker.wakeups import QUEUE, RedisWakeUps

log = structlog.get_logger("worker")

#: Long jobs run in slices of this length; what is left is found by the next slice.
JOB_TIMEOUT_SECONDS = 30
#: Retention and clean-up, of a large store after a pause.
LONG_SECONDS = 600
#: Work ends by itself before arq ends it, which would tell of it with a traceback.
_MARGIN_SECONDS = 1


def turn(
    work: Callable[[], Coroutine[Any, Any, None]], *, within_seconds: float = JOB_TIMEOUT_SECONDS
) -> Callable[..., Coroutine[Any, Any, None]]:
    """Make a job of arq's: what is away is told in one line, and the next turn does it.

    Args:
        work: What is to be done; it must be safe to do it again.
        within_seconds: arq's own limit.
    """

    async def run(ctx: dict[Any, Any], *_: Any, **__: Any) -> None:
        try:
            async with asyncio.timeout(within_seconds - _MARGIN_SECONDS):
                await work()
        except (StoreUnavailable, OSError) as error:  # a TimeoutError is one, too
            log.warning("upkeep.put_off", work=work.__name__, error=str(error) or type(error).__name__)

    return run


class Owner(Protocol):
    """A part that works on the shards that are this worker's."""

    def own(self, shards: frozenset[int]) -> None:
        """Work on these from now on, and no others."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerParts:
    """Everything a worker is made of."""

    redis: ArqRedis
    directory: DirectoryHolder
    dispatcher: Dispatcher
    committer: Committer
    lines: LineLanes
    adapters: AdapterBook
    feeds: Feeds
    fetches: Fetches
    wake_ups: RedisWakeUps
    maintenance: Maintenance
    line_watch: LineWatch
    bulk: BulkRounds
    routes: LateRounds
    #: Hears what other processes record, while somebody follows here.
    hear: Callable[[], Coroutine[Any, Any, None]]
    metrics: Metrics
    exchange: MetricsExchange


class WorkerService:
    """Runs the parts."""

    def __init__(
        self, parts: WorkerParts, ownership: Ownership, *, sweep_seconds: float, drain_seconds: float
    ) -> None:
        self._parts = parts
        self._ownership = ownership
        self._sweep_seconds = sweep_seconds
        self._drain_seconds = drain_seconds
        self._tasks: list[asyncio.Task[Any]] = []
        self._listener = Listener(
            parts.redis,
            on_range=parts.dispatcher.deliveries_recorded,
            on_note=self._note,
            on_gap=self._gap,
        )
        self._jobs = self._arq()
        self._refresh: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._slice: asyncio.Task[None] | None = None
        self._is_outdated = False
        self._known_shards: frozenset[int] = frozenset()

    async def start(self) -> None:
        """Take shards and begin."""
        parts = self._parts
        loop = asyncio.get_running_loop()
        for name, work in (
            ("committer", parts.committer.run()),
            ("dispatcher", parts.dispatcher.run()),
            ("listener", self._listener.run()),
            ("ownership", self._ownership.run()),
            ("sweeper", self._sweep_for_ever()),
            ("jobs", self._jobs.main()),
            ("line_watch", parts.line_watch.run()),
            ("bulk", parts.bulk.run()),
            ("routes", parts.routes.run()),
            ("feed", parts.hear()),
            ("metrics", parts.exchange.publish_for_ever()),
        ):
            self._tasks.append(loop.create_task(work, name=name))

    def why_not_ready(self) -> str | None:
        """None once this worker has had its say with the others; it may own no shard when there are many."""
        return None if self._ownership.has_joined else "no lease was obtained yet"

    async def watch(self) -> None:
        """Return when a part that should run for ever has ended; that is a fault, and is raised."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Drain within the limit, then leave."""
        parts = self._parts
        try:
            async with asyncio.timeout(self._drain_seconds):
                await asyncio.gather(
                    parts.dispatcher.drain(),
                    parts.lines.drain(),
                    parts.feeds.stop(),
                    parts.fetches.drain(),
                    parts.routes.drain(),
                )
        except TimeoutError:
            log.warning("worker.drain_cut", reason="posts were still under way; they are attempted again")
        await parts.fetches.stop()
        await parts.routes.stop()
        try:
            await self._ownership.leave()
        except Exception as error:
            log.warning("lease.kept", error=str(error), reason="others take over when it runs out")
        beside = (self._refresh, self._asking, self._slice)
        await end([*self._tasks, *[task for task in beside if task is not None]])

    @staticmethod
    def take_shards(parts: Iterable[Owner], shards: Iterable[int]) -> None:
        """Tell every part which shards are ours now."""
        owned = frozenset(shards)
        for part in parts:
            part.own(owned)

    # ---- wake-ups

    def _note(self, kind: str, subject: str) -> None:
        match kind:
            case "lane":
                self._parts.dispatcher.lane_due(int(subject))
            case "line":
                self._parts.lines.line_due(int(subject))
            case "jobs":
                self._jobs.notify()
                self._parts.bulk.wake()
            case "config":
                self._start_refresh()
            case "files":
                self._parts.fetches.wake()
            case "runs":
                self._parts.routes.wake()
            case "routes":
                self._parts.routes.wake_triage()
            case _:
                log.warning("wakeups.unknown", kind=kind)

    def _gap(self) -> None:
        """Wake-ups may have been missed."""
        self._parts.dispatcher.sweep()
        self._parts.lines.look_everywhere()
        self._parts.fetches.wake()
        self._parts.routes.wake()
        self._parts.routes.wake_triage()
        self._jobs.notify()
        self._start_refresh()

    def _start_refresh(self) -> None:
        """Take over changes; what is told while that happens is taken over in one more turn."""
        self._is_outdated = True
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.get_running_loop().create_task(self._refresh_until_current())

    async def _refresh_until_current(self) -> None:
        try:
            while self._is_outdated:
                self._is_outdated = False
                await self._take_configuration()
        except Exception as error:
            log.warning("configuration.unread", error=str(error), reason="the next sweep reads it")

    async def _take_configuration(self) -> None:
        shards, directory = self._ownership.shards, self._parts.directory
        if shards - self._known_shards:
            await directory.reload()  # the owner before us knew since when webhooks fail
        else:
            await directory.refresh()
        self._known_shards = shards
        self._parts.dispatcher.configuration_changed()
        changed = self._parts.adapters.refresh()
        if changed:
            self._parts.feeds.adapters_changed(changed)

    async def _sweep_for_ever(self) -> None:
        """Rebuild every wake-up from SQL, again and again; needs no Redis."""
        while True:
            try:
                await self._take_configuration()
                self._parts.dispatcher.sweep()
                self._parts.lines.look_everywhere()
                self._parts.bulk.wake()
                self._parts.routes.wake()
                self._ask_capabilities()
                self._run_jobs_unasked()
                self._measure()
            except Exception as error:
                log.warning("sweep.failed", error=str(error))
            await asyncio.sleep(self._sweep_seconds)

    def _ask_capabilities(self) -> None:
        """Beside the sweep: a bridge that does not answer holds up nothing."""
        if self._asking is None or self._asking.done():
            asking = self._parts.feeds.ask_capabilities()
            self._asking = asyncio.get_running_loop().create_task(asking)

    def _run_jobs_unasked(self) -> None:
        """Replays and requeues go on while Redis is away; several workers at one job do no harm."""
        if self._jobs.is_deaf and (self._slice is None or self._slice.done()):
            slice_of_all = turn(self._parts.maintenance.run_jobs)({})
            self._slice = asyncio.get_running_loop().create_task(slice_of_all)

    def _measure(self) -> None:
        metrics, dispatcher = self._parts.metrics, self._parts.dispatcher
        metrics.in_flight.set(dispatcher.in_flight)
        metrics.queued.set(dispatcher.queued)
        metrics.lanes.set(len(dispatcher.lanes))
        metrics.unrecorded.set(self._parts.committer.waiting_count)
        metrics.shards.set(len(self._ownership.shards))
        metrics.runs_in_hand.set(self._parts.routes.in_hand)

    # ---- arq

    def _arq(self) -> NotifiedWorker:
        maintenance = self._parts.maintenance

        async def wake(ctx: dict[Any, Any], *notes: Any, **_: Any) -> None:
            for note in notes:
                await self._wake(note)

        run_jobs = turn(maintenance.run_jobs)
        expire = turn(maintenance.expire, within_seconds=LONG_SECONDS)
        clean_files = turn(maintenance.clean_files, within_seconds=LONG_SECONDS)
        return NotifiedWorker(
            [func(wake, name="wake"), func(run_jobs, name="run_jobs")],
            cron_jobs=[
                cron(run_jobs, name="cron:run_jobs", second={0, 30}),
                cron(turn(maintenance.cancel_orphans), name="cron:cancel_orphans", second=10),
                cron(turn(maintenance.measure_files), name="cron:measure_files", second=50),
                cron(turn(maintenance.measure_runs), name="cron:measure_runs", second=55),
                cron(turn(maintenance.end_expired), name="cron:end_expired", second=40),
                cron(expire, name="cron:expire", minute={7, 37}, second=20, timeout=LONG_SECONDS),
                cron(clean_files, name="cron:clean_files", minute={22, 52}, second=20, timeout=LONG_SECONDS),
            ],
            redis_pool=self._parts.redis,
            queue_name=QUEUE,
            job_timeout=JOB_TIMEOUT_SECONDS,
            keep_result=0,
            max_jobs=20,
            max_tries=1000,
            log_results=False,
            job_serializer=msgspec.msgpack.encode,
            job_deserializer=msgspec.msgpack.decode,
        )

    async def _wake(self, note: str) -> None:
        """A deferred wake-up came due here; its lane may be another worker's, so tell all."""
        kind, _, subject = note.partition(":")
        if kind == "lane":
            self._parts.wake_ups.lane_due(int(subject), 0)
        else:
            self._parts.wake_ups.line_due(int(subject), 0)
