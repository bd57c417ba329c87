"""Events are recorded together with what they owe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.flow.directory import StaleDirectory
from hub.flow.ports import HotTransaction
from hub.flow.record import record_events
from hub.flow.rows import DeliveryRow, EventRow
from hub.model.delivery import DeliveryState
from hub.model.ids import Prefix, parse_id
from hub.rules.lanes import shard_of
from tests.support.hub_world import HubWorld, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def record(world: HubWorld, *events: EventRow) -> tuple[set[int], list[DeliveryRow]]:
    directory = await world.directory.refresh()

    async def work(tx: HotTransaction) -> tuple[set[int], list[DeliveryRow]]:
        return await record_events(tx, directory, events, take_ids=world.new_id.take, now_ms=5)

    return await world.store.hot.write(work)


def event(world: HubWorld, key: bytes, type_: str = "message.received") -> EventRow:
    return EventRow(world.new_id(), type_, world.sandbox_line.id, None, key, 1, None, '{"text":"x"}')


async def test_each_webhook_that_wants_it_is_owed_a_delivery(world: HubWorld) -> None:
    wanting = [parse_id(Prefix.WEBHOOK, (await world.webhook())["id"]) for _ in range(2)]
    await world.webhook(events=["message.read"])
    new, deliveries = await record(world, event(world, b"a" * 16))

    assert len(new) == 1
    assert sorted(row.webhook_id for row in deliveries) == sorted(wanting)
    assert {(row.state, row.next_attempt_at) for row in deliveries} == {(DeliveryState.PENDING, 5)}
    assert all(row.shard == shard_of(row.webhook_id) for row in deliveries)


async def test_a_known_event_owes_nothing(world: HubWorld) -> None:
    await world.webhook()
    await record(world, event(world, b"a" * 16))

    assert await record(world, event(world, b"a" * 16)) == (set(), [])


async def test_of_two_alike_in_one_batch_the_first_counts(world: HubWorld) -> None:
    await world.webhook()
    first, second = event(world, b"a" * 16), event(world, b"a" * 16)
    new, deliveries = await record(world, first, second)

    assert (new, len(deliveries)) == ({first.id}, 1)


async def test_a_stale_snapshot_is_refused_and_leaves_nothing(world: HubWorld) -> None:
    stale = world.directory.current
    await world.webhook()
    row = event(world, b"a" * 16)

    async def work(tx: HotTransaction) -> None:
        await record_events(tx, stale, [row], take_ids=world.new_id.take, now_ms=5)

    with pytest.raises(StaleDirectory):
        await world.store.hot.write(work)
    assert await world.store.events.get(row.id) is None
