"""The rig for every test of the worker."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store import migration
from tests.worker.rig import Rig, running_rig


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    migration.migrate_sqlite(path)
    return path


@pytest.fixture
async def rig(migrated: Path, tmp_path: Path) -> AsyncIterator[Rig]:
    path = tmp_path / "hub.db"
    shutil.copy(migrated, path)
    async with running_rig(path) as rig:
        yield rig
