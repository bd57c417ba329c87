"""Pages of contacts walk an index in the order asked for: no table is sorted, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import product
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import msgspec
import pytest
from sqlalchemy import Select, make_url
from sqlalchemy.engine import Dialect

from hub.flow.contact_store import ContactFilter, ContactOrder, ContactPlace
from hub.store.migration import migrate, migrate_sqlite
from hub.store.repositories import contact_queries
from tests.support.postgres import PostgresServer

SQLITE, POSTGRESQL = (make_url(url).get_dialect()() for url in ("sqlite://", "postgresql+asyncpg://"))
COUNT = 20_000
_NUMBERS = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COUNT})"
#: One tag that all have, one that few have, and a group of every tenth.
_FILL = (
    "INSERT INTO contacts (id, handles, tags, sort_name, search, created_at, updated_at) "
    f"{_NUMBERS} SELECT i, '[]', '[]', 'name ' || (i * 7919 % {COUNT}), 'name ' || i, 1, 1 FROM n",
    f"INSERT INTO contact_handles (handle, contact_id) {_NUMBERS} SELECT '+1555' || i, i FROM n",
    "INSERT INTO contact_tags (contact_id, tag, sort_name) "
    f"{_NUMBERS} SELECT i, 'all', 'name ' || (i * 7919 % {COUNT}) FROM n",
    "INSERT INTO contact_tags (contact_id, tag, sort_name) "
    f"{_NUMBERS} SELECT i, 'few', 'name ' || (i * 7919 % {COUNT}) FROM n WHERE i % 1000 = 0",
    "INSERT INTO contact_groups (id, name, created_at, updated_at) VALUES (7, 'g', 1, 1)",
    "INSERT INTO contact_group_members (group_id, contact_id, added_at) "
    f"{_NUMBERS} SELECT 7, i, 1 FROM n WHERE i % 10 = 0",
)
BY_ID = (ContactOrder.RECENT, ContactOrder.OLDEST)
FILTERS: dict[str, ContactFilter] = {
    f"{order}{' tagged' if tags else ''}{' twice' if len(tags) > 1 else ''}{' grouped' if group_id else ''}"
    f"{' sought' if needle else ''}": ContactFilter(order=order, tags=tags, group_id=group_id, needle=needle)
    for order, tags, group_id, needle in product(
        ContactOrder, ((), ("all",), ("few",), ("all", "few")), (None, 7), ("", "nobody")
    )
    # A group is ordered by name by sorting its members; nothing keeps their names.
    if group_id is None or tags or order in BY_ID
}
cases = pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())


def _sql(query: Select[Any], dialect: Dialect) -> str:
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _page(wanted: ContactFilter, dialect: Dialect) -> str:
    after = ContactPlace(COUNT // 2, "name 5")
    return _sql(contact_queries.page(wanted, after, dialect=dialect.name).limit(51), dialect)


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("plans") / "hub.db"
    migrate_sqlite(path)
    with closing(sqlite3.connect(path)) as connection:
        for statement in _FILL:
            connection.execute(statement)
        yield connection


def _sqlite_plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


@cases
def test_sqlite_walks_an_index_in_order(filled_sqlite: sqlite3.Connection, wanted: ContactFilter) -> None:
    """Without statistics, as every SQLite file is."""
    plan = _sqlite_plan(filled_sqlite, _page(wanted, SQLITE))

    assert [step for step in plan if "TEMP B-TREE" in step or step.startswith("SCAN")] == []


#: What a walk over 20,000 contacts costs at the most, in steps of the virtual machine, where all of them are read.
_STEPS_OF_A_PAGE = 4_000


@pytest.mark.parametrize("order", list(ContactOrder))
def test_a_page_costs_the_same_wherever_it_is(filled_sqlite: sqlite3.Connection, order: ContactOrder) -> None:
    """Counted, not timed."""
    ticks = [0]

    def tick() -> int:
        ticks[0] += 1
        return 0

    for tags in ((), ("all",), ("few",)):
        wanted = ContactFilter(order=order, tags=tags)
        ticks[0] = 0
        filled_sqlite.set_progress_handler(tick, 1)
        filled_sqlite.execute(_page(wanted, SQLITE)).fetchall()
        filled_sqlite.set_progress_handler(None, 0)

        assert ticks[0] < _STEPS_OF_A_PAGE


def test_sqlite_counts_the_tags_of_a_page_only(filled_sqlite: sqlite3.Connection) -> None:
    plan = _sqlite_plan(filled_sqlite, _sql(contact_queries.tags("a").limit(51), SQLITE))

    assert plan == ["SEARCH contact_tags USING COVERING INDEX ix_contact_tags_tag_contact_id (tag>?)"]


def test_sqlite_finds_chats_of_contacts_by_key(filled_sqlite: sqlite3.Connection) -> None:
    plans = [
        _sqlite_plan(filled_sqlite, _sql(query, SQLITE))
        for query in (
            contact_queries.last_messages([1, 2], None),
            contact_queries.last_messages([1, 2], [3]),
            contact_queries.latest_line(1, [3, 4]),
            contact_queries.page(ContactFilter(line_ids=frozenset({3})), None, dialect="sqlite").limit(9),
        )
    ]
    scanned = [step for plan in plans for step in plan if step.startswith("SCAN")]

    assert scanned == ["SCAN contacts"]  # the walk itself, which a limit ends
    assert all(
        any("sqlite_autoindex_chats_1 (line_id=? AND chat_key=?)" in step for step in plan) for plan in plans
    )


@pytest.fixture(scope="module")
def filled_postgres_url(postgres: PostgresServer) -> str:
    return postgres.create_database("contact_plans")


@pytest.fixture
async def filled_postgres(filled_postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    await migrate(filled_postgres_url)
    connection = await asyncpg.connect(filled_postgres_url)
    if await connection.fetchval("SELECT count(*) FROM contacts") == 0:
        for statement in _FILL:
            await connection.execute(statement)
        await connection.execute("VACUUM ANALYZE")
    yield connection
    await connection.close()


def _steps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _steps(child)


@cases
async def test_postgresql_sorts_no_table(filled_postgres: asyncpg.Connection, wanted: ContactFilter) -> None:
    """Few rows may be sorted; where many fit, the index gives the order."""
    statement = _page(wanted, POSTGRESQL)
    plan = await filled_postgres.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
    steps = list(_steps(msgspec.json.decode(plan)[0]["Plan"]))
    sorted_rows = [
        child["Actual Rows"] for step in steps if "Sort" in step["Node Type"] for child in step["Plans"]
    ]

    assert all(count <= COUNT / 100 for count in sorted_rows)
    if not wanted.needle:
        scanned = {step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"}
        assert scanned <= {"contact_group_members"}
