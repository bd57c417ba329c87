"""A database that fails while a test wants it to: a table is not where it was, and the database itself says so.

Locks would do as well, but every driver waits for those before it gives up.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it ships no types


@contextlib.asynccontextmanager
async def table_away(place: Path | str, name: str) -> AsyncIterator[None]:
    """Take a table away for the length of a block.

    Args:
        place: The folder of a hub's SQLite file, or the URL of its database.
        name: The table.
    """
    await _change(place, f"ALTER TABLE {name} RENAME TO {name}_away")
    try:
        yield
    finally:
        await _change(place, f"ALTER TABLE {name}_away RENAME TO {name}")


async def _change(place: Path | str, statement: str) -> None:
    if isinstance(place, Path):
        with contextlib.closing(sqlite3.connect(place / "hub.db")) as connection:
            connection.execute(statement)
            connection.commit()
        return
    connected = await asyncpg.connect(place)
    try:
        await connected.execute(statement)
    finally:
        await connected.close()
