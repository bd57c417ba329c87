"""A restarted PostgreSQL heals by itself, under load, and nothing that was acknowledged is missing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator

import pytest

from hub.flow.ports import HotTransaction
from hub.store.faults import Refused
from hub.store.open import OpenStore, open_store
from hub.store.sealing import Sealer
from tests.store.conftest import KEY
from tests.store.specimens import DISPATCH, OUTBOX, WEBHOOK, delivery, event
from tests.support.postgres import PostgresServer, running_postgres

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def durable() -> Iterator[PostgresServer]:
    """A server that may be crashed: with fsync."""
    with running_postgres(is_durable=True) as server:
        yield server


@pytest.fixture
async def opened(durable: PostgresServer, request: pytest.FixtureRequest) -> AsyncIterator[OpenStore]:
    name = f"heal_{abs(hash(request.node.name))}"
    opened = await open_store(durable.create_database(name), sealer=Sealer([KEY]), pool_size=6)
    await opened.migrate()
    yield opened
    await opened.close()


@pytest.mark.chaos
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
async def test_a_restart_under_load_is_healed(
    durable: PostgresServer, opened: OpenStore, how: signal.Signals
) -> None:
    """Writers wait it out; each event is there once."""
    store, numbers = opened.store, iter(range(1, 1_000_000))
    acknowledged: set[int] = set()
    progress: asyncio.Queue[int] = asyncio.Queue()
    is_over = asyncio.Event()

    async def load() -> None:
        while not is_over.is_set():
            number = next(numbers)
            inserted = await store.hot.write(_arriving(number))
            assert inserted == {number}
            acknowledged.add(number)
            progress.put_nowait(number)

    async def some_progress() -> None:
        while not progress.empty():
            progress.get_nowait()
        for _ in range(200):
            await progress.get()

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(load())
        await some_progress()
        for _ in range(2):
            await asyncio.to_thread(durable.restart, how=how)
            await some_progress()
        is_over.set()
    found = {row.id for row in await store.events.page(first_id=0, last_id=1_000_000, limit=1_000_000)}

    assert found == acknowledged
    await store.webhooks.add(WEBHOOK)
    assert await store.webhooks.all() == [WEBHOOK]


def _arriving(number: int):  # type: ignore[no-untyped-def]  # the inferred type says it all
    async def work(tx: HotTransaction) -> set[int]:
        inserted = await tx.insert_events([event(number)])
        await tx.insert_deliveries([delivery(number, event_id=number)])
        return inserted

    return work


async def test_work_repeated_after_an_unknown_commit_learns_the_same(opened: OpenStore) -> None:
    """The first run committed, but its answer was lost: dispatching is not refused, nor done twice."""
    runs = 0

    async def work(tx: HotTransaction) -> set[int]:
        nonlocal runs
        runs += 1
        if runs == 1:
            await opened.store.hot.write(lambda committed: committed.update_outbox([DISPATCH]))
            raise ConnectionResetError("the answer to COMMIT was lost")
        return await tx.update_outbox([DISPATCH])

    await opened.store.hot.write(lambda tx: tx.insert_outbox([OUTBOX]))
    assert await opened.store.hot.write(work) == {1}
    assert await opened.store.hot.write(lambda tx: tx.update_outbox([DISPATCH])) == set()


async def test_transactions_that_cross_are_run_again(opened: OpenStore) -> None:
    """A deadlock of our own making: both end well."""
    first, second = asyncio.Event(), asyncio.Event()

    async def one(tx: HotTransaction) -> None:
        await tx.insert_events([event(1)])
        first.set()
        await second.wait()
        await tx.insert_events([event(2)])

    async def other(tx: HotTransaction) -> None:
        await tx.insert_events([event(4, dedupe_key="2")])
        second.set()
        await first.wait()
        await tx.insert_events([event(3, dedupe_key="1")])

    await asyncio.gather(opened.store.hot.write(one), opened.store.hot.write(other))
    found = await opened.store.events.page(first_id=0, last_id=9, limit=9)

    assert len(found) == 2


async def test_values_that_postgresql_cannot_hold_are_refused(opened: OpenStore) -> None:
    """At once and for good, not after patience is out."""
    for text in ("nul \x00", "lone \ud800"):
        with pytest.raises(Refused):
            await opened.store.hot.write(_inserting(text))


def _inserting(text: str):  # type: ignore[no-untyped-def]  # the inferred type says it all
    return lambda tx: tx.insert_events([event(1)._replace(data=text)])
