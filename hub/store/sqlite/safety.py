"""The statements of consent, budgets and health on SQLite (hub.flow.safety_ports): all of them are seldom or small."""

# ruff: noqa: S608 - the statements are put together from constants of ours; values are always bound.

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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

#: The pairs of a JSON list; CROSS JOIN then looks each of them up by its key.
_WANTED = "json_each(?) AS wanted CROSS JOIN"
_FIRST, _SECOND = "json_extract(wanted.value, '$[0]')", "json_extract(wanted.value, '$[1]')"


def _insert(table: str, columns: Sequence[str], tail: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({','.join('?' * len(columns))}) {tail}"


CONSENTS_OF = (
    f"SELECT {', '.join(f'consents.{name}' for name in ConsentRow._fields)} FROM {_WANTED} consents "
    f"ON consents.scope_line_id = {_FIRST} AND consents.handle = {_SECOND}"
)
INSERT_LOG = _insert("consent_log", ConsentLogRow._fields, "ON CONFLICT DO NOTHING")
LOGGED = "SELECT id FROM consent_log WHERE id IN (SELECT value FROM json_each(?))"
MERGE_CONSENT = _insert("consents", ConsentRow._fields, merging.MERGE_CONSENT)
CONVERSATIONS = (
    f"SELECT {_FIRST}, {_SECOND}, coalesce(chats.has_inbound, 0), "
    f"openings.line_id IS NOT NULL OR {merging.WAS_SEEN}, coalesce(chats.participants, '[]'), "
    "coalesce(openings.outbox_id, 0) FROM json_each(?) AS wanted "
    f"LEFT JOIN chats ON chats.line_id = {_FIRST} AND chats.chat_key = {_SECOND} "
    f"LEFT JOIN openings ON openings.line_id = {_FIRST} AND openings.chat_key = {_SECOND} "
    "WHERE chats.id IS NOT NULL OR openings.line_id IS NOT NULL"
)
INSERT_OPENING = _insert("openings", OpeningRow._fields, "ON CONFLICT DO NOTHING")
LOCK_COUNT = _insert("line_counts", (*CountKey._fields, "count"), "ON CONFLICT DO NOTHING")
GET_COUNT = "SELECT count FROM line_counts WHERE line_id = ? AND counter = ? AND window_start = ?"
SET_COUNT = "UPDATE line_counts SET count = ? WHERE line_id = ? AND counter = ? AND window_start = ?"
REPORT_BRIDGE = _insert("line_health", merging.HEALTH_COLUMNS, merging.MERGE_BRIDGE)


class SqliteSafety:
    """Statements on a connection whose BEGIN and COMMIT are someone else's; a writer is alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def consents_of(self, keys: Sequence[Pair]) -> list[ConsentRow]:
        return [ConsentRow._make(row) for row in self._wanted(CONSENTS_OF, keys)]

    async def insert_consent_log(self, rows: Sequence[ConsentLogRow]) -> set[int]:
        self._each(INSERT_LOG, rows)
        return {row[0] for row in self._wanted(LOGGED, [row.id for row in rows])}

    async def merge_consent(self, row: ConsentRow) -> bool:
        return self._connection.execute(MERGE_CONSENT, row).rowcount > 0

    async def conversations(self, keys: Sequence[Pair]) -> list[ConversationRow]:
        return [ConversationRow._make(row) for row in self._wanted(CONVERSATIONS, keys)]

    async def insert_openings(self, rows: Sequence[OpeningRow]) -> None:
        self._each(INSERT_OPENING, rows)

    async def lock_counts(self, keys: Sequence[CountKey]) -> Mapping[CountKey, int]:
        self._each(LOCK_COUNT, [(*key, 0) for key in keys])
        return {key: int(self._connection.execute(GET_COUNT, key).fetchone()[0]) for key in keys}

    async def set_counts(self, counts: Mapping[CountKey, int]) -> None:
        self._each(SET_COUNT, [(count, *key) for key, count in counts.items()])

    async def report_bridges(self, rows: Sequence[BridgeStatusRow]) -> None:
        self._each(REPORT_BRIDGE, [merging.health_row(row) for row in rows])

    def _wanted(self, statement: str, keys: Sequence[Any]) -> list[Any]:
        return self._connection.execute(statement, (json.dumps(keys),)).fetchall() if keys else []

    def _each(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            self._connection.execute(statement, row)
