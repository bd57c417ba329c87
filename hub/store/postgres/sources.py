"""The statements of inbound sources on PostgreSQL (hub.flow.source_ports).

Rows are locked by the order of their key, so that two transactions never wait for each other crosswise.
"""

from __future__ import annotations

from collections.abc import Sequence

from asyncpg import Connection  # type: ignore[import-untyped]  # asyncpg ships no types

from hub.flow.source_ports import MemoryRow

REMEMBER = (
    "INSERT INTO source_memory (key, expires_at) SELECT key, expires_at FROM unnest($1::bytea[], $2::bigint[]) "
    "AS wanted (key, expires_at) ORDER BY 1 ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at "
    "WHERE source_memory.expires_at <= $3 RETURNING key"
)


class PostgresSources:
    """Statements on a connection whose BEGIN and COMMIT are someone else's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def remember(self, rows: Sequence[MemoryRow], *, now_ms: int) -> set[bytes]:
        if not rows:
            return set()
        found = await self._connection.fetch(REMEMBER, *zip(*rows, strict=True), now_ms)
        return {bytes(row[0]) for row in found}
