"""The statements of pieces on PostgreSQL's hot path (hub.flow.piece_ports): only sends of several parts have any.

Rows go in by the order of their key, so that two transactions never wait for each other crosswise.
"""

# ruff: noqa: S608 - the statements are put together from constants of ours; values are always bound.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from asyncpg import Connection  # type: ignore[import-untyped]  # asyncpg ships no types

from hub.flow.piece_ports import PieceRow
from hub.store.merging import POSTGRES, merge_pieces

_COLUMNS: Final = ", ".join(PieceRow._fields)
_OWN: Final = ", ".join(f"message_pieces.{name}" for name in PieceRow._fields)
_WANTED: Final = "unnest($1::bigint[], $2::text[]) AS wanted (line, guid)"
_IS_WANTED: Final = "message_pieces.line_id = wanted.line AND message_pieces.guid = wanted.guid"
_VALUES: Final = ", ".join(f"${number}" for number in range(1, len(PieceRow._fields) + 1))
MERGE: Final = f"INSERT INTO message_pieces ({_COLUMNS}) VALUES ({_VALUES}) {merge_pieces(POSTGRES)}"
BY_GUID: Final = f"SELECT {_OWN} FROM {_WANTED} JOIN message_pieces ON {_IS_WANTED}"
OF: Final = (
    f"SELECT {_OWN} FROM message_pieces WHERE message_id = ANY($1::bigint[]) "
    'ORDER BY first_part, guid COLLATE "C"'
)
MOVE: Final = "UPDATE message_pieces SET message_id = $2 WHERE message_id = $1"
HIDE: Final = (
    "UPDATE messages SET is_known = 3 WHERE line_id = $1 AND guid = $2 AND id <> $3 AND is_known <> 3 "
    "AND coalesce(outbox_id, $4) = $4 RETURNING delivered_at, read_at"
)
OF_OTHERS: Final = (
    "SELECT p.guid FROM (SELECT m.id FROM messages AS m "
    "WHERE m.chat_id = (SELECT chat_id FROM messages WHERE id = $1) AND m.sent_at >= $3 "
    "AND m.is_from_me = 1 AND m.outbox_id IS NOT NULL AND m.outbox_id <> $2 "
    "ORDER BY m.sent_at DESC, m.id DESC LIMIT $4) AS own JOIN message_pieces AS p ON p.message_id = own.id"
)
FORGET: Final = f"DELETE FROM message_pieces USING {_WANTED} WHERE {_IS_WANTED}"


class PostgresPieces:
    """Statements on a connection whose BEGIN and COMMIT are someone else's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def merge(self, rows: Sequence[PieceRow]) -> None:
        if rows:
            await self._connection.executemany(MERGE, sorted(rows, key=lambda row: (row.line_id, row.guid)))

    async def by_guid(self, keys: Sequence[tuple[int, str]]) -> list[PieceRow]:
        return _rows(await self._connection.fetch(BY_GUID, *zip(*keys, strict=True))) if keys else []

    async def of(self, message_ids: Sequence[int]) -> list[PieceRow]:
        return _rows(await self._connection.fetch(OF, list(message_ids))) if message_ids else []

    async def move(self, pairs: Sequence[tuple[int, int]]) -> None:
        if pairs:
            await self._connection.executemany(MOVE, sorted(pairs))

    async def of_others(self, message_id: int, outbox_id: int, since_ms: int, limit: int) -> list[str]:
        rows = await self._connection.fetch(OF_OTHERS, message_id, outbox_id, since_ms, limit)
        return [row[0] for row in rows]

    async def hide(self, pieces: Sequence[PieceRow]) -> list[PieceRow]:
        return [
            piece._replace(delivered_at=row[0], read_at=row[1])
            for piece in pieces
            for row in await self._connection.fetch(HIDE, *piece[:4])
        ]

    async def forget(self, keys: Sequence[tuple[int, str]]) -> None:
        if keys:
            await self._connection.execute(FORGET, *zip(*keys, strict=True))


def _rows(found: Sequence[Any]) -> list[PieceRow]:
    return [PieceRow._make(row) for row in found]
