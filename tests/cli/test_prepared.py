"""What a start finds: whether there are routes decides what is loaded before the fork (decision 28)."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from hub.app.prepare import prepare
from hub.config.settings import Settings, load_settings
from hub.embedded.secretkey import read_or_create_key
from hub.store.faults import DatabaseUnavailable, UnsealingFailed


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    routes = tmp_path / "routes"
    routes.mkdir()
    return load_settings(None, {"HUB_DATA_FOLDER": str(tmp_path / "data"), "HUB_ROUTES__FOLDER": str(routes)})


async def test_a_new_hub_has_no_routes(settings: Settings) -> None:
    assert not (await prepare(settings)).has_routes


async def test_a_new_hub_with_files_of_routes_has_some_before_they_are_read(settings: Settings) -> None:
    (settings.routes.folder / "first.yaml").write_text("version: 1\nroutes: []\n")

    assert (await prepare(settings)).has_routes


async def test_another_key_is_told_before_anything_is_started(settings: Settings) -> None:
    """With and without the sandbox, which opens its own bridge."""
    await prepare(settings)
    other = replace(settings.secrets, encryption_key=base64.urlsafe_b64encode(b"k" * 32).decode())
    without = replace(settings, secrets=other, sandbox=replace(settings.sandbox, enabled=False))

    with pytest.raises(UnsealingFailed, match="Use the encryption key again"):
        await prepare(without)


async def test_a_file_that_sqlite_cannot_open_is_told_and_is_no_mistake_of_ours(settings: Settings) -> None:
    """On a full disk, too, SQLite cannot open what was there before."""
    settings.data_folder.mkdir(mode=0o700)
    read_or_create_key(settings.data_folder / "secret.key")
    (settings.data_folder / "hub.db").write_bytes(b"no database" * 1000)

    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        await prepare(settings)


async def test_a_folder_that_is_not_there_is_no_reason_not_to_start(settings: Settings) -> None:
    settings.routes.folder.rmdir()

    assert not (await prepare(settings)).has_routes
