"""A hub on SQLite carries nothing that only others need: memory is counted, and commands should start fast."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Module → who needs it.
NEEDED_BY_OTHERS = {
    "alembic": "migrations, in a process of their own",
    "asyncpg": "PostgreSQL",
    "hub.store.postgres.database": "PostgreSQL",
    "hypothesis": "tests",
    "sqlalchemy.ext.asyncio": "PostgreSQL",
    "sqlalchemy.orm": "nobody",
}


@pytest.mark.slow
def test_the_processes_of_hub_up_do_not_load_what_only_postgresql_needs() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, hub.app.up, hub.cli; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert set(loaded.stdout.split()) & NEEDED_BY_OTHERS.keys() == set()


@pytest.mark.slow
def test_help_loads_neither_database_nor_web_framework() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, hub.cli; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert set(loaded.stdout.split()) & {"sqlalchemy", "starlette", "uvicorn", "redis", "arq"} == set()


def test_the_supervisor_that_stays_has_nothing_of_the_product_in_memory() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, hub.app.lean; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    heavy = {"asyncio", "msgspec", "redis", "sqlalchemy", "starlette", "structlog", "yaml"}

    assert heavy & set(loaded) == set()
    assert [
        name for name in loaded if name.startswith(("hub.flow", "hub.api", "hub.rules", "hub.store"))
    ] == []


@pytest.mark.slow
def test_the_rehearsal_before_the_fork_leaves_no_thread_and_nothing_open() -> None:
    program = (
        "import os, threading, hub.app.rehearsal as rehearsal\n"
        "before = os.listdir('/dev/fd')\n"
        "rehearsal.rehearse()\n"
        "print(threading.active_count(), os.listdir('/dev/fd') == before)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert told == ["1", "True"]
