"""An agent carries nothing of the hub's stores and servers: it runs on somebody's Mac, all day."""

from __future__ import annotations

import subprocess
import sys


def test_an_agent_loads_neither_database_nor_web_framework() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, hub.app.agent, hub.cli.agent; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    heavy = {
        "alembic",
        "arq",
        "asyncpg",
        "jinja2",
        "prometheus_client",
        "redis",
        "sqlalchemy",
        "starlette",
        "uvicorn",
    }

    assert heavy & set(loaded) == set()
    assert [
        name for name in loaded if name.startswith(("hub.store", "hub.api", "hub.worker", "bridge.chatdb"))
    ] == []
