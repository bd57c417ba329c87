"""What runs beside Messages, in a small agent on somebody's Mac, brings no database and no server along."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "arq",
    "asyncpg",
    "cryptography",
    "jinja2",
    "re2",
    "redis",
    "sqlalchemy",
    "starlette",
    "uvicorn",
}


@pytest.mark.slow
@pytest.mark.parametrize("module", ["bridge.chatdb.kind", "bridge.imsg.kind"])
def test_it_imports_nothing_heavy(module: str) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert {name.partition(".")[0] for name in loaded.stdout.split()} & HEAVY == set()
