"""A PostgreSQL database as it was after its migration, for the next test.

Truncating a table makes its files anew, and those of its indexes: who wrote to five tables does not pay for all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from hub.store import address
from hub.store.schema import metadata

_NAMES: Final = [table.name for table in metadata.sorted_tables if table.name != "revisions"]
#: Those that were written to, even if nothing is left of it, or whose statistics were taken.
_TOUCHED: Final = text(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
    "AND relname = ANY(:names) AND (pg_relation_size(oid) > 0 OR reltuples <> -1)"
)


async def empty(url: str) -> None:
    """Leave nothing in any table, and count positions from the beginning."""
    parsed = address.parse(url)
    assert not isinstance(parsed, Path)
    engine = address.engine(parsed)
    async with engine.begin() as connection:
        await connection.run_sync(_empty)
    await engine.dispose()


def _empty(connection: Connection) -> None:
    touched = connection.execute(_TOUCHED, {"names": _NAMES}).scalars().all()
    if touched:
        connection.execute(text(f"TRUNCATE {', '.join(touched)} CASCADE"))
    connection.execute(text("UPDATE revisions SET version = 1"))
    connection.execute(text("SELECT setval('event_positions', 1, false)"))
