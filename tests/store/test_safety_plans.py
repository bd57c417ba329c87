"""What keeps lines safe reads ranges of indexes: what a look or a send costs does not grow with the store."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Select, create_engine, event

from hub.flow.safety_repositories import ConsentFilter
from hub.flow.safety_rows import CountKey
from hub.rules.local_time import Window
from hub.store.repositories.consents import SqlConsents
from hub.store.repositories.health import SqlHealth
from hub.store.sqlite import safety

T = TypeVar("T")
DAY = Window(start_ms=1, end_ms=2)
#: Tables that grow for ever.
LARGE = ("messages", "chats", "outbox", "openings", "consents", "consent_log", "line_counts", "line_days")


class Explaining:
    """A database that explains what is asked of it, and answers."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self.engine = create_engine(f"sqlite:///{path}")
        self.plans: list[str] = []

    async def read(self, work: Callable[[Connection], T]) -> T:
        asked: list[tuple[str, Any]] = []

        def listen(_: Any, __: Any, statement: str, values: Any, *rest: Any) -> None:
            asked.append((statement, values))

        with self.engine.connect() as connection:
            event.listen(connection, "before_cursor_execute", listen)
            result = work(connection)
            event.remove(connection, "before_cursor_execute", listen)
            raw = connection.connection.driver_connection
            assert raw is not None
            for statement, values in asked:
                self.plans += [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        return result

    async def look_up(self, query: Select[Any], values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        return await self.read(lambda connection: [tuple(row) for row in connection.execute(query, values)])

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self.read(work)


def scans(plans: list[str]) -> list[str]:
    """The steps that read a whole table, or sort more than a page."""
    return [
        plan
        for plan in plans
        if plan.startswith("SCAN ") and plan.split()[1] in LARGE and "INDEX" not in plan
    ]


LOOKS: dict[str, Callable[[SqlHealth, SqlConsents], Awaitable[object]]] = {
    "count": lambda health, _: health.count(1, DAY, now=5, undelivered_before=4),
    "unanswered": lambda health, _: health.unanswered(1, since=1, most_chats=1000),
    "days": lambda health, _: health.days(1, since=1),
    "used": lambda health, _: health.used([CountKey(1, 1, 1)]),
    "standing": lambda _, consents: consents.of([0, 1], "+1"),
    "list": lambda _, consents: consents.list(ConsentFilter(), after=9, limit=5),
    "history": lambda _, consents: consents.history(ConsentFilter(handle="+1"), after=None, limit=5),
    "export": lambda _, consents: consents.page(ConsentFilter(), after=9, limit=5),
    "owed": lambda _, consents: consents.owed_replies(limit=5),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_look_reads_ranges(
    migrated_sqlite: Path, look: Callable[[SqlHealth, SqlConsents], Awaitable[object]]
) -> None:
    """Whatever was sent before."""
    database = Explaining(migrated_sqlite)

    async def run() -> None:
        await look(SqlHealth(database), SqlConsents(database))

    asyncio.run(run())
    database.engine.dispose()

    assert database.plans
    assert scans(database.plans) == []


@pytest.mark.parametrize("statement", [safety.CONSENTS_OF, safety.CONVERSATIONS])
def test_a_send_is_judged_by_look_ups(migrated_sqlite: Path, statement: str) -> None:
    """Of its chat and its handles."""
    with closing(sqlite3.connect(migrated_sqlite)) as connection:
        plans = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", ("[]",))]

    assert any("SEARCH" in plan for plan in plans)
    assert scans(plans) == []
