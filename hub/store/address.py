"""Read a database URL: a path for SQLite, an address for PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from hub.store.faults import UnknownDatabase

if TYPE_CHECKING:
    import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
    from sqlalchemy.ext.asyncio import AsyncEngine

COMMAND_TIMEOUT_SECONDS = 60.0
SERVER_SETTINGS = {
    "application_name": "hub",
    # Whatever the server's default: accepted means durable.
    "synchronous_commit": "on",
    # Our statements are short; compiling them costs more than running them.
    "jit": "off",
    # A process that hangs in a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "60s",
}


def parse(url: str) -> Path | URL:
    """Tell the two apart.

    Raises:
        UnknownDatabase: It is neither `sqlite:///path` nor `postgresql://…`.
    """
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError:
        raise UnknownDatabase(url.partition(":")[0][:32]) from None
    name = parsed.get_backend_name()
    if name == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return Path(parsed.database or "")
    if name == "postgresql":
        return parsed.set(drivername="postgresql")
    raise UnknownDatabase(url.partition(":")[0][:32])


def dsn(url: URL) -> str:
    """Spell it as asyncpg reads it."""
    return url.render_as_string(hide_password=False)


async def connect(
    url: URL, settings: Mapping[str, str] = SERVER_SETTINGS, *, is_patient: bool = False
) -> asyncpg.Connection:
    """Open one connection as Hub uses them all.

    Args:
        url: Where the database is.
        settings: What the server is told.
        is_patient: Whether a statement may take as long as it takes.
    """
    import asyncpg  # noqa: PLC0415 - a hub on SQLite does without its memory

    return await asyncpg.connect(
        dsn(url),
        server_settings=dict(settings),
        command_timeout=None if is_patient else COMMAND_TIMEOUT_SECONDS,
    )


def engine(url: URL) -> AsyncEngine:
    """An engine without a pool, for work that is done once and may take long: an index over millions of rows."""
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - as above

    return create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(url, is_patient=True), poolclass=NullPool
    )
