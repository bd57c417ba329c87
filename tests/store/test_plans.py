"""The hot reads are index ranges on both databases: their cost does not grow with backlog or history."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import pytest

from hub.store.migration import migrate, migrate_sqlite
from hub.store.postgres import statements as postgres_sql
from hub.store.postgres.database import HOT_SETTINGS
from hub.store.sqlite import statements as sqlite_sql
from tests.support.postgres import PostgresServer

#: 20,000 finished and 20,000 pending deliveries in one lane, and 20 lanes with one each.
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
_FILL = (
    f"INSERT INTO events (id, type, dedupe_key, occurred_at, data) {_NUMBERS} "
    "SELECT i, 'message.received', {digest}, 1, '{{}}' FROM n",
    "INSERT INTO deliveries (id, event_id, webhook_id, shard, state, attempt_count, next_attempt_at) "
    f"{_NUMBERS} SELECT i, i, 7, 0, 1, 1, 0 FROM n",
    "INSERT INTO deliveries (id, event_id, webhook_id, shard, state, attempt_count, next_attempt_at) "
    f"{_NUMBERS} SELECT i + 100000, i, 8, 0, 0, 0, i FROM n",
    "INSERT INTO deliveries (id, event_id, webhook_id, shard, state, attempt_count, next_attempt_at) "
    f"{_NUMBERS} SELECT i + 200000, i, 100 + i, i % 2, 0, 0, i FROM n LIMIT 20",
    "INSERT INTO outbox (id, line_id, shard, kind, payload, state, attempt_count, next_attempt_at, created_at) "
    f"{_NUMBERS} SELECT i, i % 50, 0, 'send', '{{{{}}}}', 3 * ((i % 100) / 5 % 2), 0, i, 1 FROM n",
)
READS = {
    "due_deliveries": (("DUE_DELIVERIES", (8, 0, 30, 100)), ["ix_deliveries_pending"]),
    "ordered_deliveries": (("ORDERED_DELIVERIES", (8, 0, 100)), ["ix_deliveries_pending"]),
    "pending_lanes": (("PENDING_LANES", (0,)), ["ix_deliveries_pending"]),
    "pending_lines": (("PENDING_LINES", (0,)), ["ix_outbox_pending"]),
    "due_outbox": (("DUE_OUTBOX", (7, 0, 100)), ["ix_outbox_started", "ix_outbox_waiting"]),
}
cases = pytest.mark.parametrize(("read", "indexes"), READS.values(), ids=READS)


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("plans") / "hub.db"
    migrate_sqlite(path)
    with closing(sqlite3.connect(path)) as connection:
        for statement in _FILL:
            connection.execute(statement.format(digest="cast(i AS blob)"))
        yield connection


@pytest.fixture(scope="module", params=[True, False], ids=["analysed", "young"])
def filled_postgres_url(postgres: PostgresServer, request: pytest.FixtureRequest) -> tuple[str, bool]:
    return postgres.create_database(f"plans_{request.param}".lower()), request.param


@pytest.fixture
async def filled_postgres(filled_postgres_url: tuple[str, bool]) -> AsyncIterator[asyncpg.Connection]:
    """With statistics, or so young that the planner has none."""
    url, has_statistics = filled_postgres_url
    await migrate(url)
    connection = await asyncpg.connect(url, server_settings=HOT_SETTINGS)
    if await connection.fetchval("SELECT count(*) FROM events") == 0:
        for table in ("events", "deliveries", "outbox"):
            await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        for statement in _FILL:
            await connection.execute(statement.format(digest="decode(lpad(to_hex(i), 32, '0'), 'hex')"))
        if has_statistics:
            await connection.execute("ANALYZE")
    yield connection
    await connection.close()


def _sqlite_plan(connection: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


@cases
def test_sqlite_reads_ranges_of_its_indexes(
    filled_sqlite: sqlite3.Connection, read: tuple[str, tuple[int, ...]], indexes: list[str]
) -> None:
    """No table is scanned, and each lane's range comes from the index of the pending ones."""
    plan = _sqlite_plan(filled_sqlite, getattr(sqlite_sql, read[0]), read[1])
    scans = [
        step
        for step in plan
        if step.startswith("SCAN") and step.split()[1] not in {"lanes", "lane", "priorities"}
    ]

    assert [step for step in scans if "CONSTANT ROW" not in step] == []
    assert all(any(index in step for step in plan) for index in indexes)


def test_sqlite_takes_due_deliveries_without_sorting(filled_sqlite: sqlite3.Connection) -> None:
    """In the order of the index, so that a limit ends the walk."""
    plan = _sqlite_plan(filled_sqlite, sqlite_sql.DUE_DELIVERIES, (8, 0, 30, 100))

    assert not any("TEMP B-TREE" in step for step in plan)


def test_sqlite_finishes_by_key(filled_sqlite: sqlite3.Connection) -> None:
    """A batch is looked up row by row, and not held against the whole table."""
    statement = sqlite_sql.rendered(sqlite_sql.FINISH_DELIVERIES, 2)
    plan = _sqlite_plan(filled_sqlite, statement, (1, 1, 1, 1, 1, 1, 1) * 2)

    assert any("SEARCH deliveries USING INTEGER PRIMARY KEY" in step for step in plan)
    assert not any("SCAN deliveries" in step for step in plan)


@pytest.mark.parametrize("name", ["CHATS_BY_KEY", "KNOWN_GUIDS", "MESSAGES_BY_GUID", "SELECT_IDEMPOTENCY"])
def test_sqlite_looks_batches_up_by_key(filled_sqlite: sqlite3.Connection, name: str) -> None:
    """Never by walking the table."""
    statement = sqlite_sql.rendered(getattr(sqlite_sql, name), 2)
    plan = _sqlite_plan(filled_sqlite, statement, (1, "a", 1, "b"))

    assert [step.split()[1] for step in plan if step.startswith("SEARCH")] == [
        statement.split(" CROSS JOIN ")[1].split()[0]
    ]


def test_sqlite_finds_new_deliveries_by_key(filled_sqlite: sqlite3.Connection) -> None:
    """Not by walking the backlog of a shard."""
    plan = _sqlite_plan(filled_sqlite, sqlite_sql.DELIVERIES_BETWEEN, (200_000, 200_010, "[0,1]", 9))

    assert any("SEARCH d USING INTEGER PRIMARY KEY" in step for step in plan)
    assert not any("TEMP B-TREE" in step for step in plan)


def _steps(node: dict[str, object]) -> Iterator[dict[str, object]]:
    yield node
    children = node.get("Plans", [])
    assert isinstance(children, list)
    for child in children:
        yield from _steps(child)


async def _postgres_plan(
    connection: asyncpg.Connection, statement: str, values: tuple[object, ...]
) -> list[dict[str, object]]:
    import msgspec

    # As after several runs, when the plan must serve any value.
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE hot AS {statement}")
    listed = ", ".join(map(str, values))
    plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE hot({listed})")
    await connection.execute("DEALLOCATE hot")
    return list(_steps(msgspec.json.decode(plan)[0]["Plan"]))


@cases
async def test_postgresql_reads_ranges_of_its_indexes(
    filled_postgres: asyncpg.Connection, read: tuple[str, tuple[int, ...]], indexes: list[str]
) -> None:
    """No table is scanned, even with the plan for unknown values."""
    steps = await _postgres_plan(filled_postgres, getattr(postgres_sql, read[0]), read[1])
    used = {step["Index Name"] for step in steps if "Index Name" in step}

    assert not [step for step in steps if step["Node Type"] == "Seq Scan"]
    assert used >= set(indexes)


async def test_postgresql_finds_new_deliveries_by_key(filled_postgres: asyncpg.Connection) -> None:
    """Not by walking the backlog of a shard."""
    values = (200_000, 200_010, "'{0,1}'", 9)
    steps = await _postgres_plan(filled_postgres, postgres_sql.DELIVERIES_BETWEEN, values)

    read = [step["Index Name"] for step in steps if step["Node Type"] == "Index Scan"]

    assert sorted(map(str, read)) == ["pk_deliveries", "pk_events"]
    assert not any("Bitmap" in str(step["Node Type"]) for step in steps)


async def test_postgresql_finds_lanes_by_seeks(filled_postgres: asyncpg.Connection) -> None:
    """A backlog of 20,000 in one lane is passed over in one step."""
    steps = await _postgres_plan(filled_postgres, postgres_sql.PENDING_LANES, (0,))
    scanned = [step for step in steps if step["Node Type"] in {"Index Only Scan", "Index Scan"}]

    assert all(step["Actual Rows"] == 1 or step["Actual Rows"] == 0 for step in scanned)
    assert all("Filter" not in step for step in scanned)


def test_a_backlog_does_not_slow_other_lanes_on_sqlite(tmp_path: Path) -> None:
    """The steps of the virtual machine, counted: as many with a backlog of 20,000 as without one."""
    counts = []
    for has_backlog in (False, True):
        path = tmp_path / f"{has_backlog}.db"
        migrate_sqlite(path)
        with closing(sqlite3.connect(path)) as connection:
            for statement in _FILL if has_backlog else (_FILL[0], _FILL[3]):
                connection.execute(statement.format(digest="cast(i AS blob)"))
            ticks = [0]

            def tick(ticks: list[int] = ticks) -> int:
                ticks[0] += 1
                return 0

            connection.set_progress_handler(tick, 1)
            connection.execute(sqlite_sql.DUE_DELIVERIES, (102, 0, 99, 100)).fetchall()
            connection.execute(sqlite_sql.PENDING_LANES, (0,)).fetchall()
            counts.append(ticks[0])

    assert counts[1] - counts[0] < 100


#: 200,000 planned far ahead at the highest priority, 200,000 due at the lowest, and a few that were tried.
_OUTBOX_FILL = (
    "INSERT INTO outbox (id, line_id, shard, kind, payload, state, attempt_count, next_attempt_at, created_at, "
    "priority) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
    "SELECT i * 2 + 1000000 + {first}, 7, 0, 'send', '{{}}', 0, 0, 1000000 * {first} + i, 1, 90 * {first} FROM n"
)
_OUTBOX_TRIED = (
    "INSERT INTO outbox (id, line_id, shard, kind, payload, state, attempt_count, next_attempt_at, created_at) "
    "VALUES (9000001, 7, 0, 'send', '{}', 0, 1, 50, 1), (9000002, 7, 0, 'send', '{}', 2, 1, 60, 1)"
)


def test_a_lines_backlog_does_not_slow_its_next_step_on_sqlite(tmp_path: Path) -> None:
    """The steps of the virtual machine, counted: as many with 400,000 waiting as with 40."""
    counts = []
    for size in (20, 200_000):
        path = tmp_path / f"{size}.db"
        migrate_sqlite(path)
        with closing(sqlite3.connect(path)) as connection:
            for first in (0, 1):
                connection.execute(_OUTBOX_FILL.format(first=first, count=size))
            connection.execute(_OUTBOX_TRIED)
            ticks = [0]

            def tick(ticks: list[int] = ticks) -> int:
                ticks[0] += 1
                return 0

            connection.set_progress_handler(tick, 1)
            rows = connection.execute(sqlite_sql.DUE_OUTBOX, (7, 0, 50)).fetchall()
            connection.execute(sqlite_sql.PENDING_LINES, (0,)).fetchall()
            counts.append(ticks[0])

    assert [row[0] for row in rows] == [9000001, 9000002, 1000003, 1000002]
    assert counts[1] - counts[0] < 100


async def test_a_lines_backlog_does_not_slow_its_next_step_on_postgresql(
    filled_postgres: asyncpg.Connection,
) -> None:
    """Each index is entered for a few rows, with statistics and without."""
    transaction = filled_postgres.transaction()
    await transaction.start()
    for first in (0, 1):
        await filled_postgres.execute(_OUTBOX_FILL.format(first=first, count=50_000))
    steps = await _postgres_plan(filled_postgres, postgres_sql.DUE_OUTBOX, (7, 0, 50))
    await transaction.rollback()
    scanned = [step for step in steps if step["Node Type"] in {"Index Only Scan", "Index Scan"}]

    assert all(step["Actual Rows"] * step["Actual Loops"] < 500 for step in scanned)  # type: ignore[operator] # numbers
    assert all(step.get("Rows Removed by Filter", 0) == 0 for step in scanned)
