"""Read a database URL: a path for SQLite, an address for PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hub.store.faults import UnknownDatabase


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


def engine(url: URL) -> AsyncEngine:
    """An engine without a pool, for work that is done once."""
    return create_async_engine(url.set(drivername="postgresql+asyncpg"), poolclass=NullPool)
