"""A store for tests of connectors: SQLite as it ships, copied from a migrated template."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.flow.repositories import Store
from hub.store import migration
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.outbound.certificates import Authority


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("connectors") / "hub.db"
    migration.migrate_sqlite(path)
    return path


@pytest.fixture
async def store(migrated: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    path = tmp_path / "hub.db"
    shutil.copy(migrated, path)
    opened = await open_store(f"sqlite:///{path}", sealer=Sealer([b"k" * 32]))
    yield opened.store
    await opened.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate authority that only these tests trust."""
    return Authority(tmp_path)
