"""The statements of pieces on SQLite's hot path (hub.flow.piece_ports): only sends of several parts have any."""

# ruff: noqa: S608 - the statements are put together from constants of ours; values are always bound.

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from hub.flow.piece_ports import PieceRow
from hub.store.merging import SQLITE, merge_pieces

_COLUMNS: Final = ", ".join(PieceRow._fields)
_OWN: Final = ", ".join(f"message_pieces.{name}" for name in PieceRow._fields)
MERGE: Final = (
    f"INSERT INTO message_pieces ({_COLUMNS}) VALUES ({','.join('?' * len(PieceRow._fields))}) "
    f"{merge_pieces(SQLITE)}"
)
BY_GUID: Final = (
    f"SELECT {_OWN} FROM json_each(?) AS wanted CROSS JOIN message_pieces "
    "ON message_pieces.line_id = json_extract(wanted.value, '$[0]') "
    "AND message_pieces.guid = json_extract(wanted.value, '$[1]')"
)
OF: Final = (
    f"SELECT {_OWN} FROM json_each(?) AS wanted CROSS JOIN message_pieces "
    "ON message_pieces.message_id = wanted.value ORDER BY first_part, guid"
)
MOVE: Final = "UPDATE message_pieces SET message_id = ? WHERE message_id = ?"
HIDE: Final = (
    "UPDATE messages SET is_known = 3 WHERE line_id = ?1 AND guid = ?2 AND id <> ?3 AND is_known <> 3 "
    "AND coalesce(outbox_id, ?4) = ?4 RETURNING delivered_at, read_at"
)
OF_OTHERS: Final = (
    "SELECT p.guid FROM (SELECT m.id FROM messages AS m "
    "WHERE m.chat_id = (SELECT chat_id FROM messages WHERE id = ?1) AND m.sent_at >= ?3 "
    "AND m.is_from_me = 1 AND m.outbox_id IS NOT NULL AND m.outbox_id <> ?2 "
    "ORDER BY m.sent_at DESC, m.id DESC LIMIT ?4) AS own JOIN message_pieces AS p ON p.message_id = own.id"
)
FORGET: Final = "DELETE FROM message_pieces WHERE line_id = ? AND guid = ?"


class SqlitePieces:
    """Statements on a connection whose BEGIN and COMMIT are someone else's; a writer is alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def merge(self, rows: Sequence[PieceRow]) -> None:
        self._connection.executemany(MERGE, rows)

    async def by_guid(self, keys: Sequence[tuple[int, str]]) -> list[PieceRow]:
        return self._found(BY_GUID, keys)

    async def of(self, message_ids: Sequence[int]) -> list[PieceRow]:
        return self._found(OF, message_ids)

    async def move(self, pairs: Sequence[tuple[int, int]]) -> None:
        self._connection.executemany(MOVE, [(to, from_) for from_, to in pairs])

    async def of_others(self, message_id: int, outbox_id: int, since_ms: int, limit: int) -> list[str]:
        rows = self._connection.execute(OF_OTHERS, (message_id, outbox_id, since_ms, limit))
        return [row[0] for row in rows]

    async def hide(self, pieces: Sequence[PieceRow]) -> list[PieceRow]:
        return [
            piece._replace(delivered_at=row[0], read_at=row[1])
            for piece in pieces
            for row in self._connection.execute(HIDE, piece[:4]).fetchall()
        ]

    async def forget(self, keys: Sequence[tuple[int, str]]) -> None:
        self._connection.executemany(FORGET, keys)

    def _found(self, statement: str, wanted: Sequence[object]) -> list[PieceRow]:
        if not wanted:
            return []
        rows = self._connection.execute(statement, (json.dumps(list(wanted)),))
        return [PieceRow._make(row) for row in rows]
