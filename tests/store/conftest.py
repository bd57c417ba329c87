"""Both databases, migrated and empty, for every test that asks for a store."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from hub.flow.repositories import Store
from hub.store import address, migration
from hub.store.open import OpenStore, open_store
from hub.store.schema import metadata
from hub.store.sealing import Sealer
from tests.support.postgres import PostgresServer, running_postgres

KEY = b"k" * 32


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of our own, without fsync."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """The URL of a migrated database."""
    url = postgres.create_database("hub_store")
    with ThreadPoolExecutor(1) as thread:
        # This fixture may be made from within a running loop.
        thread.submit(asyncio.run, migration.migrate(url)).result()
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    migration.migrate_sqlite(path)
    return path


def _empty(connection: Connection) -> None:
    names = ", ".join(table.name for table in metadata.sorted_tables if table.name != "revisions")
    connection.execute(text(f"TRUNCATE {names}"))
    connection.execute(text("UPDATE revisions SET version = 1"))
    connection.execute(text("SELECT setval('event_positions', 1, false)"))


async def _emptied(url: str) -> str:
    parsed = address.parse(url)
    assert not isinstance(parsed, Path)
    engine = address.engine(parsed)
    async with engine.begin() as connection:
        await connection.run_sync(_empty)
    await engine.dispose()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty, migrated database."""
    if request.param == "postgresql":
        return await _emptied(request.getfixturevalue("migrated_postgres"))
    shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "hub.db")
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
async def opened(url: str) -> AsyncIterator[OpenStore]:
    """An open store."""
    opened = await open_store(url, sealer=Sealer([KEY]))
    yield opened
    await opened.close()


@pytest.fixture
def store(opened: OpenStore) -> Store:
    """Everything that is kept."""
    return opened.store
