"""Bring a database to the schema that this code knows: forward only, safe when many processes start at once.

Not here: what each step does (migrations/versions), what the tables mean (schema), and whether to start (revision).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from hub.store import address
from hub.store.revision import refuse_newer
from hub.store.sqlite.connection import BUSY_TIMEOUT_SECONDS
from hub.store.sqlite.turnstile import Turnstile

#: Any number, the same for ever: PostgreSQL's advisory lock of the migrations.
_LOCK = 0x48_75_62_00_01


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # A percent sign in the installation path must not be read as interpolation.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    refuse_newer(connection)
    command.upgrade(_config(connection), "head")


def _open_without_autocommit(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own transactions leave DDL out; ours do not.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate_sqlite(path: Path) -> None:
    """Create or migrate a database file, one process at a time."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    turnstile = Turnstile(path)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _open_without_autocommit)
    event.listen(engine, "begin", _begin)
    try:
        with turnstile.held(), engine.begin() as connection:
            _upgrade(connection)
    finally:
        engine.dispose()
        turnstile.close()


def _upgrade_locked(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _upgrade(connection)


async def migrate(url: str) -> None:
    """Create or migrate the database at `url`."""
    parsed = address.parse(url)
    if isinstance(parsed, Path):
        await asyncio.to_thread(migrate_sqlite, parsed)
        return
    engine = address.engine(parsed)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade_locked)
    finally:
        await engine.dispose()
