"""Both databases, migrated and empty, for every test that asks for a store."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.flow.repositories import Store
from hub.store import migration
from hub.store.open import OpenStore, open_store
from hub.store.sealing import Sealer
from tests.support.emptying import empty
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


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty, migrated database."""
    if request.param == "postgresql":
        made: str = request.getfixturevalue("migrated_postgres")
        await empty(made)
        return made
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
