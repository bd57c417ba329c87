"""A dispatcher on real parts: SQLite, the outbound client, a receiver on loopback; time and wake-ups are a test's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from hub.flow.deliver import Deliverer
from hub.flow.directory import DirectoryHolder, load_directory
from hub.flow.disable import DisableWebhook
from hub.flow.ports import HotStore, HotTransaction
from hub.flow.receivers import DeliveryDefaults
from hub.flow.repositories import DeliveryFilter, Store
from hub.flow.rows import DeliveryRow, EventRow
from hub.flow.webhook_forms import NATIVE_FORMS
from hub.model.delivery import Delivery, DeliveryState
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.webhook import Webhook
from hub.outbound import OutboundClient, OutboundError, OutboundLimits
from hub.rules.breaker import BreakerPolicy
from hub.rules.lanes import SHARD_COUNT, shard_of
from hub.rules.retry import RetryPolicy
from hub.store.faults import Refused
from hub.store.open import open_store
from hub.store.sealing import Sealer
from hub.worker.committer import Committer
from hub.worker.dispatcher import Dispatcher, DispatchLimits
from hub.worker.receivers import ReceiverBook
from tests.support.calling import local_client
from tests.support.manual_time import ManualClock
from tests.support.webhooks import a_webhook
from tests.worker.receiver import LoopbackReceiver, running_receiver
from tests.worker.time_by_hand import ManualTimers, eventually

T = TypeVar("T")
ALL_SHARDS = frozenset(range(SHARD_COUNT))
DAY_MS = 86_400_000
LIMITS = DispatchLimits(
    lane_concurrency=4,
    lane_queue=64,
    most_in_flight=64,
    most_queued=1000,
    breaker=BreakerPolicy(threshold=5, open_ms=30_000, open_max_ms=120_000),
    disable_after_ms=5 * DAY_MS,
)


class SilentWakeUps:
    """Wake-ups that reach nobody, as when Redis is away; what was asked for is remembered."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.lanes: list[tuple[int, int]] = []
        self.lines: list[tuple[int, int]] = []
        self.configurations = 0
        self.jobs = 0

    def deliveries_recorded(self, first_id: int, last_id: int) -> None:
        self.ranges.append((first_id, last_id))

    def lane_due(self, webhook_id: int, at_ms: int) -> None:
        self.lanes.append((webhook_id, at_ms))

    def line_due(self, line_id: int, at_ms: int) -> None:
        self.lines.append((line_id, at_ms))

    def configuration_changed(self) -> None:
        self.configurations += 1

    def runs_due(self) -> None:
        """Nobody hears it."""

    def routes_changed(self) -> None:
        """Nobody hears it."""

    def files_due(self) -> None:
        """Files wait to be fetched."""

    def job_added(self) -> None:
        self.jobs += 1


class FailingStore:
    """The real hot store, with a switch to be away."""

    def __init__(self, store: HotStore) -> None:
        self._store = store
        self.is_away = False
        self.failures = 0
        #: Reads that have seen the database and wait to be let on.
        self.reads_held = 0
        #: Held closed, writes and reads wait here first.
        self.may_write = asyncio.Event()
        self.may_read = asyncio.Event()
        self.may_write.set()
        self.may_read.set()

    async def write(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        await self.may_write.wait()
        self._check()
        return await self._store.write(work)

    async def read(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        self._check()
        found = await self._store.read(work)
        self.reads_held += 1
        await self.may_read.wait()
        self.reads_held -= 1
        return found

    def _check(self) -> None:
        if self.is_away:
            self.failures += 1
            raise OSError("the database is away")


@dataclass
class Worker:
    """One dispatcher with its committer, running."""

    dispatcher: Dispatcher
    committer: Committer
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def check(self) -> None:
        """Raise what ended a part that should run for ever."""
        for task in self.tasks:
            if task.done():
                task.result()

    def kill(self) -> None:
        """End at once, as a crash would."""
        for task in self.tasks:
            task.cancel()


@dataclass
class Rig:
    """What a test of the dispatcher needs."""

    store: Store
    hot: FailingStore
    clock: ManualClock
    timers: ManualTimers
    receiver: LoopbackReceiver
    directory: DirectoryHolder
    client: OutboundClient
    wake_ups: SilentWakeUps
    new_id: IdFactory
    workers: list[Worker] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    # ---- webhooks and deliveries

    async def webhook(self, path: str, **fields: Any) -> Webhook:
        """Register a webhook at a path of the receiver."""
        now = self.clock.now_ms()
        made = {"id": self.new_id(), "url": self.receiver.url(path), "created_at": now, "updated_at": now}
        webhook = a_webhook(**{**made, **fields})
        await self.store.webhooks.add(webhook)
        await self.directory.refresh()
        return webhook

    async def change(self, webhook: Webhook, **fields: Any) -> Webhook:
        """Change a webhook, and tell every worker."""
        saved = replace(webhook, **fields, updated_at=self.clock.now_ms())
        await self.store.webhooks.save(saved)
        await self.refresh()
        return saved

    async def refresh(self) -> None:
        await self.directory.refresh()
        for worker in self.workers:
            worker.dispatcher.configuration_changed()

    async def owe(
        self, webhook: Webhook, count: int, *, state: DeliveryState = DeliveryState.PENDING
    ) -> list[str]:
        """Record so many events, each with a delivery; the ids as receivers see them."""
        now = self.clock.now_ms()
        event_ids, delivery_ids = self.new_id.take(count), self.new_id.take(count)
        events = [
            EventRow(
                number,
                "message.received",
                None,
                None,
                number.to_bytes(16),
                now,
                None,
                f'{{"text":"{place}"}}',
            )
            for place, number in enumerate(event_ids)
        ]
        rows = [
            DeliveryRow(delivery_id, event_id, webhook.id, shard_of(webhook.id), state, now)
            for delivery_id, event_id in zip(delivery_ids, event_ids, strict=True)
        ]

        async def record(tx: HotTransaction) -> None:
            await tx.insert_events(events)
            await tx.insert_deliveries(rows)

        await self.store.hot.write(record)
        return [id_text(Prefix.DELIVERY, number) for number in delivery_ids]

    async def deliveries(self, webhook: Webhook) -> list[Delivery]:
        """All deliveries of a webhook, oldest first."""
        rows = await self.store.deliveries.list(
            DeliveryFilter(webhook_id=webhook.id), after=None, limit=100_000
        )
        return sorted(rows, key=lambda row: row.id)

    async def states(self, webhook: Webhook) -> list[DeliveryState]:
        return [row.state for row in await self.deliveries(webhook)]

    # ---- workers

    def start(self, *, shards: Sequence[int] | frozenset[int] = ALL_SHARDS, **limits: Any) -> Worker:
        """Start a dispatcher that owns shards."""
        committer = Committer(self.hot, refused=Refused)
        dispatcher = Dispatcher(
            store=self.hot,
            directory=self.directory,
            deliverer=Deliverer(
                poster=self.client,
                clock=self.clock,
                monotonic=lambda: 0.0,
                draw=lambda: 0.0,
                unreachable=OutboundError,
            ),
            receivers=ReceiverBook(
                directory=self.directory,
                poster=self.client,
                defaults=DeliveryDefaults(
                    retry=RetryPolicy(delays_seconds=(5.0, 60.0), jitter_ratio=0.0),
                    timeout_seconds=30.0,
                    max_response_bytes=1024,
                    concurrency=4,
                ),
                forms=NATIVE_FORMS,
                clock=self.clock,
                refused=OutboundError,
            ),
            committer=committer,
            wake_ups=self.wake_ups,
            clock=self.clock,
            timers=self.timers,
            limits=replace(LIMITS, **limits),
            disable=DisableWebhook(
                store=self.store,
                directory=self.directory,
                take_ids=self.new_id.take,
                wake_ups=self.wake_ups,
                clock=self.clock,
            ),
        )
        loop = asyncio.get_running_loop()
        worker = Worker(dispatcher, committer)
        worker.tasks = [loop.create_task(dispatcher.run()), loop.create_task(committer.run())]
        self.workers.append(worker)
        dispatcher.own(shards)
        return worker

    async def until_quiet(self, worker: Worker) -> None:
        """Wait until nothing is under way: all posts ended, recorded, and read on."""
        calm = 0

        def is_quiet() -> bool:
            nonlocal calm
            worker.check()
            busy = (
                worker.dispatcher.in_flight or worker.committer.waiting_count or worker.dispatcher.is_reading
            )
            calm = 0 if busy else calm + 1
            return calm > 5

        await eventually(is_quiet, "the worker never came to rest")
        check_counts(worker)

    async def until_read(self, worker: Worker) -> None:
        """Wait until nothing more is to be read; posts may be under way."""
        calm = 0

        def is_read() -> bool:
            nonlocal calm
            calm = 0 if worker.dispatcher.is_reading else calm + 1
            return calm > 5

        await eventually(is_read, "the worker never stopped reading")
        check_counts(worker)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside the test."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        return task

    async def stop(self) -> None:
        tasks = [*self._tasks, *(task for worker in self.workers for task in worker.tasks)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def check_counts(worker: Worker) -> None:
    """What is counted is what is there."""
    lanes = list(worker.dispatcher.lanes)
    assert worker.dispatcher.queued == sum(len(lane.queue) for lane in lanes)
    for lane in lanes:
        assert {due.id for due in lane.queue} <= lane.known
        assert len(lane.queue) == len({due.id for due in lane.queue})


@contextlib.asynccontextmanager
async def running_rig(path: Path) -> AsyncIterator[Rig]:
    """Open everything on a database file, migrated and empty."""
    clock = ManualClock()
    opened = await open_store(f"sqlite:///{path}", sealer=Sealer([b"k" * 32]))
    store = opened.store
    client = local_client(limits=OutboundLimits(max_connections=500))
    async with running_receiver() as receiver:
        rig = Rig(
            store=store,
            hot=FailingStore(store.hot),
            clock=clock,
            timers=ManualTimers(clock),
            receiver=receiver,
            directory=DirectoryHolder(store, await load_directory(store)),
            client=client,
            wake_ups=SilentWakeUps(),
            new_id=IdFactory(0, clock.now_ms),
        )
        try:
            yield rig
        finally:
            await rig.stop()
            await client.aclose()
            await opened.close()
