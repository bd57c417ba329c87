"""A whole worker, wired as the product wires it, on the real clock, store and Valkey."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hub.app.core import Core, open_core
from hub.app.measuring import DeliveryReport
from hub.app.outgoing import outbound_client
from hub.app.worker import build_worker
from hub.config.settings import Settings, load_settings
from hub.embedded.datafolder import open_data_folder
from hub.embedded.secretkey import read_or_create_key
from hub.embedded.valkey import ValkeyServer, running_valkey
from hub.flow.jobs import JobDesk, ReplayWish
from hub.flow.ports import HotTransaction
from hub.flow.repositories import DeliveryFilter
from hub.flow.rows import DeliveryRow, EventRow
from hub.model.delivery import DeliveryState
from hub.model.webhook import Webhook
from hub.rules.lanes import shard_of
from hub.store.faults import DatabaseUnavailable
from hub.worker.service import turn
from tests.support.webhooks import a_webhook
from tests.worker.receiver import LoopbackReceiver, running_receiver
from tests.worker.time_by_hand import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with running_valkey(open_data_folder(tmp_path / "data")) as server:
        yield server


@pytest.fixture
async def receiver() -> AsyncIterator[LoopbackReceiver]:
    async with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    folder = open_data_folder(tmp_path / "data")
    read_or_create_key(folder.key_path)
    shutil.copy(migrated, folder.database_path)
    return load_settings(None, {"HUB_DATA_FOLDER": str(folder.path), "HUB_WORKER__SWEEP_SECONDS": "0.3"})


@dataclass
class Running:
    """A worker and its parts."""

    core: Core
    webhook: Webhook

    async def owe(self, count: int, *, is_told: bool = True) -> None:
        now = self.core.clock.now_ms()
        event_ids, delivery_ids = self.core.new_id.take(count), self.core.new_id.take(count)
        shard = shard_of(self.webhook.id)

        async def record(tx: HotTransaction) -> None:
            await tx.insert_events(
                [
                    EventRow(each, "message.received", None, None, each.to_bytes(16), now, None, "{}")
                    for each in event_ids
                ]
            )
            await tx.insert_deliveries(
                [
                    DeliveryRow(delivery_id, event_id, self.webhook.id, shard, DeliveryState.PENDING, now)
                    for event_id, delivery_id in zip(event_ids, delivery_ids, strict=True)
                ]
            )

        await self.core.store.hot.write(record)
        if is_told:
            self.core.wake_ups.deliveries_recorded(delivery_ids[0], delivery_ids[-1])

    async def pending(self) -> int:
        return await self.core.store.deliveries.count(
            DeliveryFilter(states=frozenset({DeliveryState.PENDING}))
        )


@contextlib.asynccontextmanager
async def a_worker(
    settings: Settings, valkey: ValkeyServer, receiver: LoopbackReceiver, *, name: str = "w"
) -> AsyncIterator[Running]:
    async with open_core(settings, kind="worker", name=name, redis_url=valkey.url) as core:
        known = await core.store.webhooks.all()
        webhook = known[0] if known else a_webhook(id=core.new_id(), url=receiver.url("/a"))
        if not known:
            await core.store.webhooks.add(webhook)
        client = outbound_client(settings)
        service = build_worker(core, client, DeliveryReport(core.metrics))
        await service.start()
        await eventually(lambda: service.why_not_ready() is None)
        try:
            yield Running(core, webhook)
        finally:
            await service.stop()
            await client.aclose()


AWAY = {
    "the database": DatabaseUnavailable("PostgreSQL could not do it"),
    "nothing in time": TimeoutError(),
    "a disk": OSError(28, "No space left on device"),
}


@pytest.mark.parametrize("error", AWAY.values(), ids=AWAY.keys())
async def test_upkeep_that_cannot_be_done_now_is_one_line(error: Exception) -> None:
    """A night without the database is no night of tracebacks: the next turn does it."""

    async def expire() -> None:
        raise error

    with capture_logs() as lines:
        await turn(expire)({})

    told = [(line["event"], line["log_level"], line["work"], bool(line["error"])) for line in lines]
    assert told == [("upkeep.put_off", "warning", "expire", True)]


async def test_a_mistake_of_ours_in_upkeep_is_not_hidden() -> None:
    async def expire() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await turn(expire)({})


async def test_it_delivers_what_it_is_told_and_frees_its_shards_at_the_end(
    settings: Settings, valkey: ValkeyServer, receiver: LoopbackReceiver
) -> None:
    async with a_worker(settings, valkey, receiver) as running:
        await running.owe(50)
        await eventually(lambda: len(receiver.arrivals) == 50)
    async with open_core(settings, kind="web", name="look", redis_url=valkey.url) as core:
        left = await core.store.deliveries.count(DeliveryFilter(states=frozenset({DeliveryState.PENDING})))
        owned = await core.store.processes.take_shards(
            owner="next",
            shard_count=16,
            want=16,
            now=core.clock.now_ms(),
            lease_until=core.clock.now_ms() + 1,
        )

    assert (left, len(owned)) == (0, 16)


async def test_without_its_redis_it_delivers_at_the_pace_of_the_sweeps(
    settings: Settings, valkey: ValkeyServer, receiver: LoopbackReceiver
) -> None:
    async with a_worker(settings, valkey, receiver) as running:
        await asyncio.to_thread(valkey.stop)
        await running.owe(20)
        await eventually(lambda: len(receiver.arrivals) == 20)
        valkey.start()
        await running.owe(20, is_told=False)
        await eventually(lambda: len(receiver.arrivals) == 40)

    assert len(set(receiver.deliveries("/a"))) == 40


async def test_without_its_redis_it_replays_all_the_same(
    settings: Settings, valkey: ValkeyServer, receiver: LoopbackReceiver
) -> None:
    """Whoever mends a receiver in the middle of an outage asks for what it missed, and gets it."""
    async with a_worker(settings, valkey, receiver) as running:
        await running.owe(5)
        await eventually(lambda: len(receiver.arrivals) == 5)
        await asyncio.to_thread(valkey.stop)
        core = running.core
        desk = JobDesk(store=core.store, clock=core.clock, new_id=core.new_id, wake_ups=core.wake_ups)
        await desk.replay(running.webhook, ReplayWish(since=0))
        await eventually(lambda: len(receiver.arrivals) == 10)

    assert len(set(receiver.deliveries("/a"))) == 5


async def test_flushall_loses_nothing(
    settings: Settings, valkey: ValkeyServer, receiver: LoopbackReceiver
) -> None:
    async with a_worker(settings, valkey, receiver) as running:
        for _ in range(5):
            await running.owe(20)
            await running.core.redis.flushall()
        await eventually(lambda: len(receiver.arrivals) == 100)

    assert len(set(receiver.deliveries("/a"))) == 100


async def test_a_webhook_switched_off_by_another_process_gets_nothing(
    settings: Settings, valkey: ValkeyServer, receiver: LoopbackReceiver
) -> None:
    async with a_worker(settings, valkey, receiver) as running:
        core = running.core
        await core.store.webhooks.disable(running.webhook.id, reason="test", at=core.clock.now_ms())
        core.wake_ups.configuration_changed()
        await eventually(lambda: not core.directory.current.webhooks[running.webhook.id].is_active)
        await running.owe(5)
        for _ in range(50):
            await asyncio.sleep(0.01)

        assert receiver.arrivals == []
        assert await running.pending() == 5


async def test_two_workers_share_the_lanes_and_repeat_nothing(
    settings: Settings, valkey: ValkeyServer, receiver: LoopbackReceiver
) -> None:
    async with (
        a_worker(settings, valkey, receiver, name="one") as first,
        a_worker(settings, valkey, receiver, name="two"),
    ):
        for _ in range(10):
            await first.owe(20)
        await eventually(lambda: len(receiver.arrivals) >= 200)

    assert len(receiver.arrivals) == len(set(receiver.deliveries("/a"))) == 200
