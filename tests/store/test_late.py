"""PostgreSQL: a transaction begins no sooner than it must, and is none the less whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import pytest

from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.store.postgres.late import LateTransaction
from tests.store.specimens import ATTEMPT, FINISH, WEBHOOK, delivery, event

RAISE = "UPDATE revisions SET version = version + $1::bigint"
VERSION = "SELECT version FROM revisions"


@pytest.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(url)
    yield opened
    await opened.close()


pytestmark = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


def late(connection: asyncpg.Connection) -> LateTransaction:
    return LateTransaction(connection, isolation="read_committed", is_read_only=False)


async def test_a_lone_statement_needs_no_begin(connection: asyncpg.Connection) -> None:
    """It waits for the end, and is the transaction."""
    transaction = late(connection)
    await transaction.execute(RAISE, 4)
    assert await connection.fetchval(VERSION) == 1
    assert not connection.is_in_transaction()
    await transaction.commit()

    assert await connection.fetchval(VERSION) == 5


async def test_statements_share_one_transaction(connection: asyncpg.Connection) -> None:
    """In the order given, whatever waited; and all of it is undone."""
    transaction = late(connection)
    await transaction.execute(RAISE, 4)
    await transaction.execute(RAISE, 5)
    assert connection.is_in_transaction()
    assert await transaction.fetchval(VERSION) == 10
    await transaction.roll_back()

    assert await connection.fetchval(VERSION) == 1


async def test_what_fails_at_the_end_undoes_what_came_before(connection: asyncpg.Connection) -> None:
    """The last statement runs within the transaction, if there is one."""
    transaction = late(connection)
    await transaction.fetch(RAISE, 4)
    await transaction.execute("SELECT 1 / $1::int", 0)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await transaction.commit()

    assert not connection.is_in_transaction()
    assert await connection.fetchval(VERSION) == 1


async def test_nothing_to_do_is_nothing_done(connection: asyncpg.Connection) -> None:
    transaction = late(connection)
    await transaction.commit()

    assert not connection.is_in_transaction()


async def test_a_read_of_several_statements_sees_one_state(store: Store) -> None:
    """Though the first one was tried alone."""

    async def work(tx: HotTransaction) -> tuple[int, int]:
        before = await tx.revision()
        await store.webhooks.delete(7, at=1)
        return before, await tx.revision()

    await store.webhooks.add(WEBHOOK)
    before, after = await store.hot.read(work)

    assert before == after


async def test_what_a_finish_refuses_is_refused_whole(store: Store) -> None:
    """Attempts and moves are one statement."""

    async def arrive(tx: HotTransaction) -> None:
        await tx.insert_events([event(1)])
        await tx.insert_deliveries([delivery(1)])

    await store.hot.write(arrive)
    broken = ATTEMPT._replace(delivery_id=1, error="\0")
    with pytest.raises(Exception, match="refused"):
        await store.hot.write(lambda tx: tx.finish_deliveries([FINISH._replace(id=1)], [broken]))

    found = await store.deliveries.get(1)
    assert found is not None
    assert (found.state, await store.deliveries.attempts(1)) == (0, [])
