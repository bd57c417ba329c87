"""Pages of messages are index ranges on both databases: what one costs does not grow with the number of messages."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import msgspec
import pytest
from sqlalchemy import Connection, Engine, Select, create_engine, event
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgres_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as sqlite_dialect
from sqlalchemy.ext.asyncio import create_async_engine

from hub.flow.message_pages import MessageFilter, Place
from hub.rules.message_status import MessageStatus
from hub.store.lookups import as_text, compiled, one_value
from hub.store.migration import migrate, migrate_sqlite
from hub.store.postgres.database import HOT_SETTINGS
from hub.store.repositories import chats as chat_reads
from hub.store.repositories import messages as message_reads
from hub.store.repositories import outbox as outbox_reads
from hub.store.repositories.message_arrivals import read_arrivals
from hub.store.repositories.message_counts import counting
from hub.store.repositories.message_pages import MOST_RANGES, _last_of, count_all, read_page
from hub.store.sqlite.connection import connect
from tests.support.postgres import PostgresServer

#: Lines 1 to 100, mostly silent; nearly all is said on lines 1 to 4, in 20 chats.
MANY, FEW = 40_000, 1_000
LIMIT, MOST_READ = 50, 400
LINES = (1, 2, 3, 4)
_FILL = (
    "INSERT INTO bridges (id, name, kind, secrets, is_enabled, created_at) VALUES (1, 'b', 'push', '[]', 1, 1)",
    "INSERT INTO lines (id, bridge_id, handle, service, is_active, is_contact_first, pace_ms, status, created_at) "
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
    "SELECT i, 1, '+' || i, 'auto', 1, 0, 0, 'online', 1 FROM n",
    "INSERT INTO chats (id, line_id, chat_key, identifier, service, is_group, participants, has_inbound, created_at) "
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
    "SELECT i, 1 + i % 4, 'dm:+' || i, '+' || i, 'imessage', 0, '[]', 1, 1 FROM n",
    "INSERT INTO messages (id, line_id, chat_id, guid, is_known, text, is_from_me, is_audio_message, sent_at, "
    "synced_at, job_id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
    "SELECT i, 1 + i % 4, 1 + i % 20, 'g' || i, 2, 'some words', i % 2, 0, i, 1, "
    "CASE WHEN i % 100 = 7 THEN 9 END FROM n",
    "INSERT INTO messages (id, line_id, chat_id, guid, is_known, text, is_from_me, is_audio_message, sent_at, "
    "synced_at) WITH RECURSIVE n(i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
    "SELECT 1000000 + i, i, 1000 + i, 'g', 2, 'seldom', 0, 0, i, 1 FROM n",
)


@dataclass(frozen=True)
class Question:
    """A page, and what it may cost."""

    wanted: MessageFilter
    after: Place | None = None
    is_oldest_first: bool = False
    #: Rows and index entries that it may look at.
    most: int = 4 * LIMIT

    def ask(self, connection: Connection) -> int:
        read = read_arrivals if self.wanted.is_by_arrival else read_page
        page = read(
            connection,
            self.wanted,
            walk=(self.after, self.is_oldest_first),
            limit=LIMIT,
            most_read=MOST_READ,
        )
        return len(page.messages)


#: Finding where to stop, looking into each, and the page itself.
SEARCHED = 3 * MOST_READ
QUESTIONS = {
    "a chat": Question(MessageFilter(line_ids=(1,), chat_ids=(5,))),
    "a chat, later": Question(MessageFilter(line_ids=(1,), chat_ids=(5,)), after=(900, 900)),
    "a line": Question(MessageFilter(line_ids=(2,))),
    "a line, oldest first": Question(MessageFilter(line_ids=(2,)), is_oldest_first=True),
    "a line, a time": Question(MessageFilter(line_ids=(2,), since=100, until=900), after=(800, 3)),
    "some lines": Question(MessageFilter(line_ids=LINES)),
    "some lines, later, oldest first": Question(MessageFilter(line_ids=LINES), after=(500, 2), is_oldest_first=True),
    "some chats": Question(MessageFilter(line_ids=LINES, chat_ids=(3, 4, 5))),
    "many lines": Question(MessageFilter(line_ids=tuple(range(1, 101))), most=4 * LIMIT + 400),
    "words that are everywhere": Question(MessageFilter(line_ids=(1,), words="WORDS"), most=SEARCHED),
    "words that are nowhere": Question(MessageFilter(line_ids=(1,), words="näher"), most=SEARCHED),
    "words that are nowhere, on some lines": Question(
        MessageFilter(line_ids=LINES, words="nowhere"), most=SEARCHED
    ),
    "a status that none has": Question(
        MessageFilter(line_ids=LINES, status=MessageStatus.CANCELLED), most=SEARCHED
    ),
    "a status in a chat": Question(
        MessageFilter(line_ids=(1,), chat_ids=(5,), status=MessageStatus.FAILED), most=SEARCHED
    ),
    "a job": Question(MessageFilter(line_ids=LINES, job_id=9), most=SEARCHED),
    "no attachments": Question(MessageFilter(line_ids=(3,), has_attachments=True), most=SEARCHED),
    "what came in": Question(MessageFilter(line_ids=LINES, synced_since=0), is_oldest_first=True, most=SEARCHED),
    "what came in, later": Question(
        MessageFilter(line_ids=LINES, synced_since=0), is_oldest_first=True, after=(0, 700), most=SEARCHED
    ),
    "what came in last on a silent line": Question(MessageFilter(line_ids=(77,), synced_since=0), most=SEARCHED),
    "what came in of a job": Question(MessageFilter(line_ids=LINES, job_id=9, synced_since=0), most=SEARCHED),
    "what came in of a chat": Question(
        MessageFilter(line_ids=(1,), chat_ids=(5,), is_from_me=False, synced_since=0), after=(0, 900), most=SEARCHED
    ),
}  # fmt: skip
cases = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
Statement = tuple[str, tuple[Any, ...]]


@contextmanager
def listening(connection: Connection) -> Iterator[list[Statement]]:
    """Write down what is asked of the database."""
    asked: list[Statement] = []

    def listen(_: Any, __: Any, statement: str, values: Any, *rest: Any) -> None:
        asked.append((statement, tuple(values)))

    event.listen(connection, "before_cursor_execute", listen)
    yield asked
    event.remove(connection, "before_cursor_execute", listen)


def _filled(path: Path, count: int) -> Path:
    migrate_sqlite(path)
    with closing(sqlite3.connect(path)) as connection:
        for statement in _FILL:
            connection.execute(statement.format(count=count))
        connection.commit()
    return path


def _opened(path: Path) -> Engine:
    """As the store opens it, with the functions that it adds."""
    return create_engine("sqlite://", creator=lambda: connect(path, cache_kib=1024, is_reader=True))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file with few messages, and one with many."""
    folder = tmp_path_factory.mktemp("plans")
    return _filled(folder / "few.db", FEW), _filled(folder / "many.db", MANY)


@cases
def test_sqlite_walks_along_indexes(files: tuple[Path, Path], question: Question) -> None:
    """Nothing is scanned, and nothing but the page itself is sorted."""
    with _opened(files[1]).connect() as connection, listening(connection) as asked:
        question.ask(connection)
        for statement, values in list(asked):
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            by_id = any("SEARCH messages USING INTEGER PRIMARY KEY" in step for step in plan)

            assert not [step for step in plan if step.startswith("SCAN messages")], plan
            assert by_id or not [step for step in plan if "TEMP B-TREE FOR ORDER" in step], plan


@cases
def test_sqlite_works_as_little_for_many_as_for_few(files: tuple[Path, Path], question: Question) -> None:
    """The steps of its virtual machine, counted."""
    counts = []
    for path in files:
        with _opened(path).connect() as connection:
            ticks = [0]

            def tick(ticks: list[int] = ticks) -> int:
                ticks[0] += 1
                return 0

            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            question.ask(connection)
            raw.set_progress_handler(tick, 10)
            question.ask(connection)
            raw.set_progress_handler(None, 0)
            counts.append(ticks[0])

    # A search with few messages ends before it has looked into as many as it may.
    assert counts[1] < max(2 * counts[0], 10 * question.most)


@pytest.fixture(scope="module", params=["analysed", "young"])
def postgres_place(postgres: PostgresServer, request: pytest.FixtureRequest) -> tuple[str, bool]:
    return postgres.create_database(f"message_plans_{request.param}"), request.param == "analysed"


@pytest.fixture
async def postgres_url(postgres_place: tuple[str, bool]) -> str:
    """With statistics, or so young that the planner has none."""
    url, has_statistics = postgres_place
    await migrate(url)
    connection = await asyncpg.connect(url)
    if await connection.fetchval("SELECT count(*) FROM messages") == 0:
        await connection.execute("ALTER TABLE messages SET (autovacuum_enabled = off)")
        for statement in _FILL:
            await connection.execute(statement.format(count=MANY))
        if has_statistics:
            await connection.execute("ANALYZE")
    await connection.close()
    return url


async def _asked(url: str, ask_it: Callable[[Connection], object]) -> list[Statement]:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:

        def ask(plain: Connection) -> list[Statement]:
            with listening(plain) as asked:
                ask_it(plain)
            return asked

        asked = await connection.run_sync(ask)
    await engine.dispose()
    return asked


def _steps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _steps(child)


def _looked_at(step: dict[str, Any]) -> int:
    """Rows or entries that a scan gave, and those that it threw away."""
    removed = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0)
    return int((step["Actual Rows"] + removed) * step["Actual Loops"])


@cases
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_postgresql_walks_along_indexes(postgres_url: str, question: Question, mode: str) -> None:
    """Whether the planner knows the values or not: no table is scanned, and few rows are looked at."""
    plans = await _plans(postgres_url, await _asked(postgres_url, question.ask), mode)
    scans = [step for plan in plans for step in _steps(plan) if step.get("Relation Name") == "messages"]

    assert {step["Node Type"] for step in scans} <= {"Index Scan", "Index Only Scan"}, plans
    assert sum(map(_looked_at, scans)) <= question.most, plans


async def _plans(url: str, asked: list[Statement], mode: str) -> list[dict[str, Any]]:
    plans = []
    connection = await asyncpg.connect(url, server_settings=HOT_SETTINGS)
    try:
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for statement, values in asked:
            await connection.execute(f"PREPARE page AS {statement}")
            listed = ", ".join(_literal(value) for value in values)
            told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page({listed})")
            await connection.execute("DEALLOCATE page")
            plans.append(msgspec.json.decode(told)[0]["Plan"])
    finally:
        await connection.close()
    return plans


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"ARRAY{value}"
    return f"'{value}'" if isinstance(value, str) else str(int(value))


LOOKUPS: dict[str, tuple[Select[Any], dict[str, object]]] = {
    "a message": (message_reads._BY_ID, {"id": 7}),
    "a folded message": (message_reads._FOLDED, {"id": 7}),
    "messages": (message_reads._BY_IDS, {"ids": [7, 8, 9]}),
    "a message by its guid": (message_reads._BY_GUID, {"line_id": 1, "guid": "g4"}),
    "a message by its guid on some lines": (message_reads._BY_GUID_ON, {"line_ids": [1, 2], "guid": "g4"}),
    "the last one read": (message_reads._LAST_READ, {"chat_id": 5}),
    "reactions": (message_reads._REACTIONS, {"line_id": 1, "guid": "g4"}),
    "reactions to messages": (message_reads._REACTIONS_OF, {"ids": [7, 8, 9]}),
    "a chat": (chat_reads._BY_ID, {"id": 7}),
    "a chat by its key": (chat_reads._BY_KEY, {"line_id": 1, "chat_key": "dm:+1"}),
    "chats by their key": (chat_reads._BY_KEY_ON, {"line_ids": [1, 2], "chat_key": "dm:+1"}),
    "what is unread": (chat_reads._UNREAD, {"ids": [5, 6], "most": 100}),
    "last messages": (chat_reads._LAST, {"ids": [5, 6]}),
    "an outbox item": (outbox_reads._BY_ID, {"id": 7}),
    "what was owed for a message": (outbox_reads._OF_MESSAGE, {"message_id": 7}),
}
lookups = pytest.mark.parametrize(("query", "values"), LOOKUPS.values(), ids=LOOKUPS)


@lookups
def test_sqlite_looks_up_by_indexes(
    files: tuple[Path, Path], query: Select[Any], values: dict[str, object]
) -> None:
    lookup = compiled(query, sqlite_dialect())
    arguments = list(map(as_text, lookup.arguments(values)))
    with closing(sqlite3.connect(files[1])) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {lookup.text}", arguments)]

    assert not [step for step in plan if re.match("SCAN (messages|chats|outbox|reactions)", step)], plan


@lookups
async def test_postgresql_looks_up_by_indexes(
    postgres_url: str, query: Select[Any], values: dict[str, object]
) -> None:
    """With the plan for unknown values."""
    lookup = compiled(query, postgres_dialect())  # type: ignore[no-untyped-call] # SQLAlchemy does not type it
    connection = await asyncpg.connect(postgres_url, server_settings=HOT_SETTINGS)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        told = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {lookup.text}", *lookup.arguments(values)
        )
    finally:
        await connection.close()
    scans = [step for step in _steps(msgspec.json.decode(told)[0]["Plan"]) if "Relation Name" in step]

    assert {step["Node Type"] for step in scans} <= {"Index Scan", "Index Only Scan"}, told
    assert sum(map(_looked_at, scans)) <= 2_000, told


COUNTED: dict[str, MessageFilter] = {
    "a chat": MessageFilter(line_ids=(1,), chat_ids=(5,)),
    "a line": MessageFilter(line_ids=(2,)),
    "a line, a time, from us": MessageFilter(line_ids=(2,), since=100, until=900, is_from_me=True),
    "many lines": MessageFilter(line_ids=tuple(range(1, 101))),
}
counted = pytest.mark.parametrize("wanted", COUNTED.values(), ids=COUNTED)


def _count_and_skip(connection: Connection, wanted: MessageFilter) -> None:
    count_all(connection, wanted)
    connection.execute(
        counting("chat_id"), {"ids": one_value([5, 6], connection), "since": 0, "until": 1 << 62}
    )
    _last_of(connection, wanted, 300, is_oldest_first=False)


@counted
def test_sqlite_counts_and_skips_without_reading_rows(
    files: tuple[Path, Path], wanted: MessageFilter
) -> None:
    with _opened(files[1]).connect() as connection, listening(connection) as asked:
        _count_and_skip(connection, wanted)
        for statement, values in list(asked):
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            steps = [step for step in plan if re.match("(SEARCH|SCAN) (messages|others)", step)]

            assert steps, plan
            assert all(re.match(r"SEARCH \w+ USING COVERING INDEX ix_messages_", step) for step in steps), (
                plan
            )


@counted
async def test_postgresql_counts_and_skips_without_reading_rows(
    postgres_url: str, wanted: MessageFilter
) -> None:
    asked = await _asked(postgres_url, lambda connection: _count_and_skip(connection, wanted))
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("VACUUM messages")
    await connection.close()
    plans = await _plans(postgres_url, asked, "force_custom_plan")
    scans = [step for plan in plans for step in _steps(plan) if step.get("Relation Name") == "messages"]

    assert {step["Node Type"] for step in scans} == {"Index Only Scan"}, plans


def test_many_lines_are_more_than_are_merged() -> None:
    assert len(QUESTIONS["many lines"].wanted.line_ids) > MOST_RANGES
