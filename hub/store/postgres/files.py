"""The statements of files on PostgreSQL's hot path (hub.flow.file_ports): only messages with attachments pay for them.

Rows go in by the order of their key, so that two transactions never wait for each other crosswise.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from asyncpg import Connection  # type: ignore[import-untyped]  # asyncpg ships no types

from hub.flow.file_ports import FileClaimRow, FileUseRow

CLAIM: Final = (
    "INSERT INTO files (id, line_id, source_key, filename, mime_type, size, source, created_at, touched_at, "
    "next_attempt_at, state, attempt_count) SELECT new.*, 2, 0 FROM unnest($1::bigint[], $2::bigint[], $3::text[], "
    "$4::text[], $5::text[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[]) AS new "
    "ON CONFLICT (line_id, source_key) DO NOTHING"
)
CLAIMED: Final = (
    "SELECT files.line_id, files.source_key, files.id FROM unnest($1::bigint[], $2::text[]) AS wanted (line, key) "
    "JOIN files ON files.line_id = wanted.line AND files.source_key = wanted.key"
)
#: Locked, so that none of them is deleted before the uses are there.
PRESENT: Final = "SELECT id FROM files WHERE id = ANY($1::bigint[]) ORDER BY id FOR KEY SHARE"
USE: Final = (
    "INSERT INTO file_uses (file_id, kind, user_id, line_id) "
    "SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING"
)
#: Locked against whoever would note a use of them.
UNUSED_SO_FAR: Final = "SELECT id FROM files WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE"
USED: Final = "SELECT DISTINCT file_id FROM file_uses WHERE file_id = ANY($1::bigint[])"
MOVE: Final = (
    "WITH gone AS (DELETE FROM file_uses USING unnest($2::bigint[], $3::bigint[]) AS moved (source, target) "
    "WHERE kind = $1 AND user_id = moved.source RETURNING file_id, kind, moved.target, line_id) "
    "INSERT INTO file_uses (file_id, kind, user_id, line_id) SELECT * FROM gone ON CONFLICT DO NOTHING"
)


class PostgresFiles:
    """Statements on a connection whose BEGIN and COMMIT are someone else's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(self, rows: Sequence[FileClaimRow]) -> list[int]:
        if not rows:
            return []
        first = {(row.line_id, row.source_key): row for row in reversed(rows)}
        ordered = [first[key] for key in sorted(first)]
        await self._connection.execute(CLAIM, *zip(*ordered, strict=True))
        keys = sorted(first)
        found = await self._connection.fetch(CLAIMED, *zip(*keys, strict=True))
        ids = {(row[0], row[1]): row[2] for row in found}
        return [ids[row.line_id, row.source_key] for row in rows]

    async def use(self, rows: Sequence[FileUseRow]) -> set[int]:
        if not rows:
            return set()
        wanted = {row.file_id for row in rows}
        present = {row[0] for row in await self._connection.fetch(PRESENT, sorted(wanted))}
        there = sorted({row for row in rows if row.file_id in present}, key=itemgetter(0, 1, 2))
        if there:
            await self._connection.execute(USE, *zip(*there, strict=True))
        return wanted - present

    async def used(self, file_ids: Sequence[int]) -> set[int]:
        if not file_ids:
            return set()
        await self._connection.execute(UNUSED_SO_FAR, sorted(file_ids))
        return {row[0] for row in await self._connection.fetch(USED, sorted(file_ids))}

    async def move(self, kind: str, pairs: Sequence[tuple[int, int]]) -> None:
        if pairs:
            await self._connection.execute(MOVE, kind, *zip(*pairs, strict=True))
