"""The statements of consent, budgets and health on PostgreSQL (hub.flow.safety_ports).

Rows are locked by the order of their key, so that two transactions never wait for each other crosswise.
"""

# ruff: noqa: S608 - the statements are put together from constants of ours; values are always bound.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from asyncpg import Connection, Record  # type: ignore[import-untyped]  # asyncpg ships no types

from hub.flow.safety_ports import Pair
from hub.flow.safety_rows import (
    BridgeStatusRow,
    ConsentLogRow,
    ConsentRow,
    ConversationRow,
    CountKey,
    OpeningRow,
)
from hub.store import safety_merging as merging

_by_dedupe_key = itemgetter(ConsentLogRow._fields.index("dedupe_key"))
_WANTED = "unnest($1::bigint[], $2::text[]) AS wanted (line, key)"


def _insert(table: str, columns: Sequence[str], tail: str) -> str:
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) {tail}"


CONSENTS_OF = (
    f"SELECT {', '.join(f'consents.{name}' for name in ConsentRow._fields)} FROM {_WANTED} "
    "JOIN consents ON consents.scope_line_id = wanted.line AND consents.handle = wanted.key"
)
INSERT_LOG = _insert("consent_log", ConsentLogRow._fields, "ON CONFLICT DO NOTHING")
LOGGED = "SELECT id FROM consent_log WHERE id = ANY($1::bigint[])"
MERGE_CONSENT = _insert("consents", ConsentRow._fields, f"{merging.MERGE_CONSENT} RETURNING entry_id")
STANDING = "SELECT entry_id FROM consents WHERE scope_line_id = $1 AND handle = $2 AND entry_id = $3"
CONVERSATIONS = (
    "SELECT wanted.line, wanted.key, coalesce(chats.has_inbound, 0), "
    f"(openings.line_id IS NOT NULL OR {merging.WAS_SEEN})::int, coalesce(chats.participants, '[]'), "
    f"coalesce(openings.outbox_id, 0) FROM {_WANTED} "
    "LEFT JOIN chats ON chats.line_id = wanted.line AND chats.chat_key = wanted.key "
    "LEFT JOIN openings ON openings.line_id = wanted.line AND openings.chat_key = wanted.key "
    "WHERE chats.id IS NOT NULL OR openings.line_id IS NOT NULL"
)
INSERT_OPENING = _insert("openings", OpeningRow._fields, "ON CONFLICT DO NOTHING")
#: An update that changes nothing locks the row, and tells what stands there.
LOCK_COUNTS = (
    "INSERT INTO line_counts (line_id, counter, window_start, count) "
    "SELECT line_id, counter, window_start, 0 FROM unnest($1::bigint[], $2::smallint[], $3::bigint[]) "
    "AS wanted (line_id, counter, window_start) ORDER BY 1, 2, 3 "
    "ON CONFLICT (line_id, counter, window_start) DO UPDATE SET count = line_counts.count "
    "RETURNING line_id, counter, window_start, count"
)
SET_COUNT = "UPDATE line_counts SET count = $4 WHERE line_id = $1 AND counter = $2 AND window_start = $3"
REPORT_BRIDGE = _insert("line_health", merging.HEALTH_COLUMNS, merging.MERGE_BRIDGE)


class PostgresSafety:
    """Statements on a connection whose BEGIN and COMMIT are someone else's.

    Args:
        connection: Within a transaction.
        is_repeat: The same work ran before, and its commit may have succeeded.
    """

    def __init__(self, connection: Connection, *, is_repeat: bool = False) -> None:
        self._connection = connection
        self._is_repeat = is_repeat

    async def consents_of(self, keys: Sequence[Pair]) -> list[ConsentRow]:
        return [ConsentRow._make(row) for row in await self._wanted(CONSENTS_OF, keys)]

    async def insert_consent_log(self, rows: Sequence[ConsentLogRow]) -> set[int]:
        if not rows:
            return set()
        await self._each(INSERT_LOG, sorted(rows, key=_by_dedupe_key))
        return {row[0] for row in await self._connection.fetch(LOGGED, [row.id for row in rows])}

    async def merge_consent(self, row: ConsentRow) -> bool:
        if await self._connection.fetch(MERGE_CONSENT, *row):
            return True
        if not self._is_repeat:
            return False
        standing = await self._connection.fetch(STANDING, row.scope_line_id, row.handle, row.entry_id)
        return bool(standing)

    async def conversations(self, keys: Sequence[Pair]) -> list[ConversationRow]:
        return [ConversationRow._make(row) for row in await self._wanted(CONVERSATIONS, keys)]

    async def insert_openings(self, rows: Sequence[OpeningRow]) -> None:
        await self._each(INSERT_OPENING, sorted(rows))

    async def lock_counts(self, keys: Sequence[CountKey]) -> Mapping[CountKey, int]:
        if not keys:
            return {}
        found = await self._connection.fetch(LOCK_COUNTS, *zip(*keys, strict=True))
        return {CountKey(*row[:3]): row[3] for row in map(tuple, found)}

    async def set_counts(self, counts: Mapping[CountKey, int]) -> None:
        await self._each(SET_COUNT, [(*key, counts[key]) for key in sorted(counts)])

    async def report_bridges(self, rows: Sequence[BridgeStatusRow]) -> None:
        await self._each(REPORT_BRIDGE, [merging.health_row(row) for row in sorted(rows)])

    async def _wanted(self, statement: str, keys: Sequence[Pair]) -> list[Record]:
        if not keys:
            return []
        found: list[Record] = await self._connection.fetch(statement, *zip(*keys, strict=True))
        return found

    async def _each(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await self._connection.executemany(statement, rows)
