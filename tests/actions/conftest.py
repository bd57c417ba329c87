"""One fresh hub for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.store import migration
from tests.actions.bench import Bench, open_bench
from tests.support.emptying import empty
from tests.support.postgres import running_postgres


@pytest.fixture(scope="package")
def postgres_url() -> Iterator[str]:
    """The URL of a migrated database on a server of our own."""
    with running_postgres() as server:
        made = server.create_database("hub_actions")
        with ThreadPoolExecutor(1) as thread:  # the fixture may be made from within a running loop
            thread.submit(asyncio.run, migration.migrate(made)).result()
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A hub with its built-in actions."""
    place: Path | str = tmp_path
    if request.param == "postgres":
        place = request.getfixturevalue("postgres_url")
        assert isinstance(place, str)
        await empty(place)
    async with open_bench(place) as opened:
        yield opened
