"""The statements of inbound sources on SQLite (hub.flow.source_ports)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from hub.flow.source_ports import MemoryRow

REMEMBER = (
    "INSERT INTO source_memory (key, expires_at) VALUES (?, ?) "
    "ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE source_memory.expires_at <= ?"
)


class SqliteSources:
    """Statements on a connection whose BEGIN and COMMIT are someone else's; a writer is alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def remember(self, rows: Sequence[MemoryRow], *, now_ms: int) -> set[bytes]:
        return {row.key for row in rows if self._connection.execute(REMEMBER, (*row, now_ms)).rowcount}
