"""The hot path on SQLite: every method is one statement (a few for odd batch sizes) and never suspends.

Not here: the transaction around it (writer) and the text of the statements (statements).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any

from hub.flow.rows import (
    AttemptRow,
    ChatRow,
    DeliveryRow,
    DueDelivery,
    DueOutbox,
    EventRow,
    FinishRow,
    IdempotencyRow,
    MessageRow,
    OperationRow,
    OutboxClaim,
    OutboxRow,
    OutboxUpdate,
    RawRow,
    ReactionRow,
    SnapshotRow,
)
from hub.store import merging, moves
from hub.store.sqlite import statements as sql
from hub.store.sqlite.chats import SqliteChats
from hub.store.sqlite.files import SqliteFiles
from hub.store.sqlite.pieces import SqlitePieces
from hub.store.sqlite.safety import SqliteSafety
from hub.store.sqlite.sources import SqliteSources

Rows = Sequence[tuple[Any, ...]]


class SqliteTransaction:
    """One hot transaction on a connection whose BEGIN and COMMIT are someone else's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.has_recorded = False
        self.chats = SqliteChats(connection)
        self.files = SqliteFiles(connection)
        self.pieces = SqlitePieces(connection)
        self.safety = SqliteSafety(connection)
        self.sources = SqliteSources(connection)

    def _run(self, statement: sql.Multi, rows: Rows) -> list[Any]:
        execute, results = self._connection.execute, []
        for start, end in sql.chunks(len(rows)):
            text = sql.rendered(statement, end - start)
            results += execute(text, list(chain.from_iterable(rows[start:end]))).fetchall()
        return results

    def _change(self, statement: sql.Multi, rows: Rows) -> int:
        execute, changes = self._connection.execute, 0
        for start, end in sql.chunks(len(rows)):
            text = sql.rendered(statement, end - start)
            changes += execute(text, list(chain.from_iterable(rows[start:end]))).rowcount
        return changes

    def _insert(self, insert: sql.Multi, present: sql.Multi, rows: Rows) -> set[int]:
        ids = [row[0] for row in rows]
        if self._change(insert, rows) == len(rows):
            return set(ids)
        # An id that is there although it was not inserted now is ours from an earlier run of this work.
        return {row[0] for row in self._run(present, [(id,) for id in ids])}

    async def revision(self) -> int:
        return int(self._connection.execute(sql.REVISION).fetchone()[0])

    async def insert_raw(self, rows: Sequence[RawRow]) -> set[int]:
        return self._insert(sql.INSERT_RAW, sql.PRESENT_RAW, rows)

    async def merge_chats(self, rows: Sequence[ChatRow]) -> list[ChatRow]:
        self._change(sql.MERGE_CHATS, rows)
        keys = [row[1:3] for row in rows]
        merged = {row[1:3]: ChatRow._make(row) for row in self._run(sql.CHATS_BY_KEY, keys)}
        return [merged[key] for key in keys]

    async def merge_messages(self, rows: Sequence[SnapshotRow]) -> list[SnapshotRow]:
        keys = [(row.line_id, row.guid) for row in rows]
        known = self._run(sql.KNOWN_GUIDS, keys)
        self._change(sql.MERGE_MESSAGES, rows)
        if not known:
            return list(rows)
        found = map(SnapshotRow._make, self._run(sql.MESSAGES_BY_GUID, known))
        merged = {(row.line_id, row.guid): row for row in found}
        return [merged.get(key, row) for key, row in zip(keys, rows, strict=True)]

    async def merge_own_messages(self, rows: Sequence[MessageRow]) -> list[MessageRow]:
        self._change(sql.MERGE_OWN_MESSAGES, rows)
        keys = [(row.line_id, row.guid) for row in rows]
        found = map(MessageRow._make, self._run(sql.OWN_BY_GUID, keys))
        merged = {(row.line_id, row.guid): row for row in found}
        return [merged[key] for key in keys]

    async def messages_by_id(self, ids: Sequence[int]) -> list[MessageRow]:
        return [MessageRow._make(row) for row in self._run(sql.MESSAGES_BY_ID, [(id,) for id in ids])]

    async def save_messages(self, rows: Sequence[MessageRow]) -> None:
        self._change(sql.SAVE_MESSAGES, rows)

    async def delete_messages(self, ids: Sequence[int]) -> None:
        self._change(sql.DELETE_MESSAGES, [(id,) for id in ids])

    async def merge_reactions(self, rows: Sequence[ReactionRow]) -> None:
        self._change(sql.MERGE_REACTIONS, rows)

    async def insert_events(self, rows: Sequence[EventRow]) -> set[int]:
        if not rows:
            return set()
        newest = self._connection.execute(sql.NEWEST_POSITION).fetchone()[0] or 0
        shift = max(0, newest + 1 - min(row[0] for row in rows))
        placed = [(*row, row[0] + shift) for row in rows]
        inserted = self._insert(sql.INSERT_EVENTS, sql.PRESENT_EVENTS, placed)
        self.has_recorded = self.has_recorded or bool(inserted)
        return inserted

    async def record(
        self, events: Sequence[EventRow], deliveries: Sequence[DeliveryRow]
    ) -> tuple[int, set[int]]:
        inserted = await self.insert_events(events)
        await self.insert_deliveries([row for row in deliveries if row.event_id in inserted])
        return await self.revision(), inserted

    async def insert_deliveries(self, rows: Sequence[DeliveryRow]) -> None:
        self._change(sql.INSERT_DELIVERIES, rows)

    async def finish_deliveries(self, finished: Sequence[FinishRow], attempts: Sequence[AttemptRow]) -> None:
        self._change(sql.INSERT_ATTEMPTS, attempts)
        self._change(sql.FINISH_DELIVERIES, finished)

    async def mark_webhooks(self, failing: Sequence[tuple[int, int]], recovered: Sequence[int]) -> None:
        self._change(sql.MARK_FAILING, failing)
        self._change(sql.MARK_RECOVERED, [(webhook_id,) for webhook_id in recovered])

    async def insert_idempotency(self, rows: Sequence[IdempotencyRow]) -> list[IdempotencyRow | None]:
        first = moves.first_of_each_key(rows)
        inserted = set(self._run(sql.INSERT_IDEMPOTENCY, list(first.values())))
        known = [key for key in first if key not in inserted]
        first.update({row[:2]: IdempotencyRow._make(row) for row in self._run(sql.SELECT_IDEMPOTENCY, known)})
        return moves.already_there(rows, first)

    async def forget_idempotency(self, keys: Sequence[tuple[str, str]]) -> None:
        for key in keys:
            self._connection.execute(sql.FORGET_IDEMPOTENCY, key)

    async def insert_outbox(self, rows: Sequence[OutboxRow]) -> None:
        self._change(sql.INSERT_OUTBOX, rows)

    async def update_outbox(self, rows: Sequence[OutboxUpdate]) -> set[int]:
        masked = [(*row, moves.OUTBOX_SOURCES[row.state]) for row in rows]
        return {row[0] for row in self._run(sql.UPDATE_OUTBOX, masked)}

    async def deliveries_between(
        self, first_id: int, last_id: int, shards: Sequence[int], limit: int
    ) -> list[DueDelivery]:
        values = (first_id, last_id, json.dumps(list(shards)), limit)
        return [DueDelivery._make(row) for row in self._connection.execute(sql.DELIVERIES_BETWEEN, values)]

    async def due_deliveries(self, webhook_id: int, shard: int, now_ms: int, limit: int) -> list[DueDelivery]:
        values = (webhook_id, shard, now_ms, limit)
        rows = self._connection.execute(sql.DUE_DELIVERIES, values).fetchall()
        return [DueDelivery._make(row) for row in rows]

    async def ordered_deliveries(
        self, webhook_id: int, shard: int, limit: int
    ) -> list[tuple[int, DueDelivery]]:
        rows = self._connection.execute(sql.ORDERED_DELIVERIES, (webhook_id, shard, limit)).fetchall()
        return [(row[0], DueDelivery._make(row[1:])) for row in rows]

    async def pending_lanes(self, shard: int) -> list[tuple[int, int]]:
        return self._connection.execute(sql.PENDING_LANES, (shard,)).fetchall()

    async def due_outbox(self, line_id: int, shard: int, limit: int) -> list[DueOutbox]:
        rows = self._connection.execute(sql.DUE_OUTBOX, (line_id, shard, limit)).fetchall()
        return [DueOutbox._make(row) for row in rows]

    async def outbox_claims(self, outbox_ids: Sequence[int]) -> list[OutboxClaim]:
        return [
            OutboxClaim._make(row)
            for row in self._run(sql.OUTBOX_CLAIMS, [(number,) for number in outbox_ids])
        ]

    async def guids_of_others(self, line_id: int, outbox_id: int, since_ms: int) -> list[str]:
        values = (line_id, since_ms, outbox_id, merging.MOST_OTHERS)
        return [row[0] for row in self._connection.execute(sql.GUIDS_OF_OTHERS, values)]

    async def outbox_set(self, set_id: int) -> list[int]:
        return [row[0] for row in self._connection.execute(sql.OUTBOX_SET, (set_id,))]

    async def cancel_outbox(self, outbox_ids: Sequence[int], now_ms: int) -> set[int]:
        return {row[0] for row in self._run(sql.CANCEL_OUTBOX, [(id, now_ms) for id in outbox_ids])}

    async def move_operations(self, pairs: Sequence[tuple[int, int]]) -> None:
        self._change(sql.MOVE_OPERATIONS, pairs)

    async def message_operations(self, message_ids: Sequence[int]) -> list[OperationRow]:
        rows = self._run(sql.MESSAGE_OPERATIONS, [(id,) for id in message_ids])
        return sorted(OperationRow._make(row) for row in rows)

    async def prove_outbox(self, pairs: Sequence[tuple[int, str]]) -> None:
        self._change(sql.PROVE_OUTBOX, pairs)

    async def mark_evidence(self, pairs: Sequence[tuple[int, bytes]]) -> None:
        self._change(sql.MARK_EVIDENCE, pairs)

    async def pending_lines(self, shard: int) -> list[tuple[int, int]]:
        return self._connection.execute(sql.PENDING_LINES, (shard,)).fetchall()
