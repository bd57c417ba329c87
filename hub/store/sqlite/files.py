"""The statements of files on SQLite's hot path (hub.flow.file_ports): only messages with attachments pay for them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from hub.flow.file_ports import FileClaimRow, FileUseRow

CLAIM: Final = (
    "INSERT INTO files (id, line_id, source_key, filename, mime_type, size, source, created_at, touched_at, "
    "next_attempt_at, state, attempt_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 2, 0) "
    "ON CONFLICT (line_id, source_key) DO NOTHING"
)
CLAIMED: Final = (
    "SELECT files.line_id, files.source_key, files.id FROM json_each(?) AS wanted CROSS JOIN files "
    "ON files.line_id = json_extract(wanted.value, '$[0]') AND files.source_key = json_extract(wanted.value, '$[1]')"
)
PRESENT: Final = "SELECT id FROM files WHERE id IN (SELECT value FROM json_each(?))"
USE: Final = (
    "INSERT INTO file_uses (file_id, kind, user_id, line_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
USED: Final = "SELECT DISTINCT file_id FROM file_uses WHERE file_id IN (SELECT value FROM json_each(?))"
MOVE: Final = "UPDATE OR REPLACE file_uses SET user_id = ? WHERE kind = ? AND user_id = ?"


class SqliteFiles:
    """Statements on a connection whose BEGIN and COMMIT are someone else's; a writer is alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def claim(self, rows: Sequence[FileClaimRow]) -> list[int]:
        if not rows:
            return []
        self._connection.executemany(CLAIM, rows)
        keys = json.dumps([(row.line_id, row.source_key) for row in rows])
        found = {(row[0], row[1]): row[2] for row in self._connection.execute(CLAIMED, (keys,))}
        return [found[row.line_id, row.source_key] for row in rows]

    async def use(self, rows: Sequence[FileUseRow]) -> set[int]:
        if not rows:
            return set()
        wanted = {row.file_id for row in rows}
        present = {row[0] for row in self._connection.execute(PRESENT, (json.dumps(sorted(wanted)),))}
        self._connection.executemany(USE, [row for row in rows if row.file_id in present])
        return wanted - present

    async def used(self, file_ids: Sequence[int]) -> set[int]:
        if not file_ids:
            return set()
        return {row[0] for row in self._connection.execute(USED, (json.dumps(sorted(file_ids)),))}

    async def move(self, kind: str, pairs: Sequence[tuple[int, int]]) -> None:
        self._connection.executemany(MOVE, [(to, kind, from_) for from_, to in pairs])
