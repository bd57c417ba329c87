"""The command line as a person uses it, in this process: what it prints and how it ends."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from hub.cli import main


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _loggers_of_its_own() -> Iterator[None]:
    """Put back what commands configure for their whole process."""
    root = logging.getLogger()
    handlers, level, log = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**log)
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def hub(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Give the command; its data folder is `data` below the test's folder, unless a variable says otherwise."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str, **variables: str) -> Ended:
        with monkeypatch.context() as patch:
            for name, value in {"HUB_DATA_FOLDER": str(tmp_path / "data"), **variables}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main(arguments)
        printed = capfd.readouterr()
        code = ended.value.code
        assert "Traceback" not in printed.err
        return Ended(code if isinstance(code, int) else 1 if code else 0, printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a hub once; tests copy its folder."""
    folder = tmp_path_factory.mktemp("migrated") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_DATA_FOLDER", str(folder))
        with pytest.raises(SystemExit):
            main(["migrate"])
    with sqlite3.connect(folder / "hub.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder


@pytest.fixture
def stopped_hub(hub: Command, migrated: Path, tmp_path: Path) -> Command:
    """Give the command on a hub that was set up and is not running."""
    shutil.copytree(migrated, tmp_path / "data")
    (tmp_path / "data").chmod(0o700)
    return hub
