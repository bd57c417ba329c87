"""A restarted PostgreSQL heals by itself, under load, and nothing that was acknowledged is missing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import pytest

from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.store.faults import Refused
from hub.store.open import OpenStore, open_store
from hub.store.postgres.hot import PostgresTransaction
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
async def durably_opened(durable: PostgresServer, request: pytest.FixtureRequest) -> AsyncIterator[OpenStore]:
    name = f"heal_{abs(hash(request.node.name))}"
    opened = await open_store(durable.create_database(name), sealer=Sealer([KEY]), pool_size=6)
    await opened.migrate()
    yield opened
    await opened.close()


@pytest.mark.chaos
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
async def test_a_restart_under_load_is_healed(
    durable: PostgresServer, durably_opened: OpenStore, how: signal.Signals
) -> None:
    """Writers wait it out; each event is there once."""
    store, numbers = durably_opened.store, iter(range(1, 1_000_000))
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


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_work_repeated_after_an_unknown_commit_learns_the_same(
    migrated_postgres: str, store: Store
) -> None:
    """Its first run committed, but the answer was lost; for anyone else the item has moved already."""
    await store.hot.write(lambda tx: tx.insert_outbox([OUTBOX]))
    await store.hot.write(lambda tx: tx.update_outbox([DISPATCH]))
    connection = await asyncpg.connect(migrated_postgres)
    told = [
        await PostgresTransaction(connection, is_repeat=is_repeat).update_outbox([DISPATCH])
        for is_repeat in (False, True)
    ]
    await connection.close()

    assert told == [set(), {1}]


async def test_transactions_that_cross_are_run_again(durably_opened: OpenStore) -> None:
    """A deadlock of our own making: PostgreSQL ends one of the two, which is run again, and both end well."""
    store, met = durably_opened.store, asyncio.Barrier(2)
    runs: list[int] = []

    def taking(first: int, second: int) -> Callable[[HotTransaction], Awaitable[None]]:
        async def work(tx: HotTransaction) -> None:
            runs.append(first)
            await tx.insert_outbox([OUTBOX._replace(id=first)])
            if runs.count(first) == 1:
                await met.wait()
            await tx.insert_outbox([OUTBOX._replace(id=second)])

        return work

    async with asyncio.timeout(30):  # less than what ends a statement that waits for ever
        await asyncio.gather(store.hot.write(taking(1, 2)), store.hot.write(taking(2, 1)))

    assert len(runs) > 2
    assert all([await store.outbox.get(number) for number in (1, 2)])


async def test_values_that_postgresql_cannot_hold_are_refused(durably_opened: OpenStore) -> None:
    """At once and for good, not after patience is out."""
    for text in ("nul \x00", "lone \ud800"):
        with pytest.raises(Refused):
            await durably_opened.store.hot.write(_inserting(text))


def _inserting(text: str):  # type: ignore[no-untyped-def]  # the inferred type says it all
    return lambda tx: tx.insert_events([event(1)._replace(data=text)])
