"""A hub on SQLite carries nothing that only others need: memory is counted, and commands should start fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Module → who needs it.
NEEDED_BY_OTHERS = {
    "alembic": "migrations, in a process of their own",
    "asyncpg": "PostgreSQL",
    "hub.store.postgres.database": "PostgreSQL",
    "hypothesis": "tests",
    "sqlalchemy.ext.asyncio": "PostgreSQL",
    "sqlalchemy.orm": "nobody",
}
#: What reads, checks and runs routes: needed from the first route on, never before (docs/decisions/0028).
ROUTE_MACHINERY = (
    "cronsim",
    "hub.actions",
    "hub.app.actions",
    "hub.app.connectors",
    "hub.app.routing",
    "hub.config.connectors",
    "hub.config.route_files",
    "hub.connectors",
    "hub.flow.routing.book",
    "hub.flow.routing.desk",
    "hub.flow.routing.driving",
    "hub.rules.connectors",
    "hub.rules.expressions",
    "hub.rules.routes.model",
    "hub.rules.routes.when",
    "hub.rules.runs.wishing",
    "hub.worker.runs",
    "jinja2",
    "re2",
)


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
        "rehearsal.rehearse(has_routes=True)\n"
        "print(threading.active_count(), os.listdir('/dev/fd') == before)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert told == ["1", "True"]


@pytest.mark.slow
def test_a_hub_without_routes_loads_nothing_of_what_reads_and_runs_them(tmp_path: Path) -> None:
    """Not with the processes, and not while they idle: 9 MiB in each of two (decision 28)."""
    loaded = subprocess.run(
        [sys.executable, "-m", "tests.support.idle_hub", str(tmp_path / "data")],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.splitlines()[-1].split()  # fmt: skip

    assert {"hub.app.web", "hub.app.worker", "hub.worker.late_rounds"} <= set(loaded)
    assert [name for name in loaded if name.startswith(ROUTE_MACHINERY)] == []


@pytest.mark.slow
def test_a_hub_with_routes_loads_it_before_the_fork_so_that_the_processes_share_it() -> None:
    program = (
        "import sys, hub.app.rehearsal; hub.app.rehearsal.rehearse(has_routes=True); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert {"hub.flow.routing.driving", "hub.config.route_files", "hub.rules.expressions"} <= set(loaded)
