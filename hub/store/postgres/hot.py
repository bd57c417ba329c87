"""The hot path on PostgreSQL: every method is one statement over arrays.

Batches go in by the order of their key, so that two transactions never wait for each other crosswise; events go in
last of what is merged, one transaction at a time (decision 15).
Not here: the transaction around it (database) and the text of the statements (statements).
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from asyncpg import Connection, Record  # type: ignore[import-untyped]  # asyncpg ships no types

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
from hub.store.postgres import statements as sql
from hub.store.postgres.chats import PostgresChats
from hub.store.postgres.files import PostgresFiles
from hub.store.postgres.pieces import PostgresPieces
from hub.store.postgres.safety import PostgresSafety
from hub.store.postgres.sources import PostgresSources

Rows = Sequence[tuple[Any, ...]]

_by_chat = itemgetter(1, 2)
_by_guid = itemgetter(1, 3)
_by_reaction = itemgetter(1, 2, 3, 4)
_by_request = itemgetter(1, 2)
_by_event = itemgetter(1, 2)


def _columns(fields: Sequence[str], rows: Rows) -> list[Sequence[Any]]:
    """Turn rows into an array a column, empty ones where there is no row."""
    return list(zip(*rows, strict=True)) if rows else [()] * len(fields)


class PostgresTransaction:
    """One hot transaction whose BEGIN and COMMIT are someone else's.

    Args:
        connection: Runs its statements.
        is_repeat: The same work ran before and lost its connection; its commit may have succeeded.
        is_read_only: Nothing is locked.
    """

    def __init__(
        self, connection: Connection, *, is_repeat: bool = False, is_read_only: bool = False
    ) -> None:
        self._connection = connection
        self._is_repeat = is_repeat
        self._is_read_only = is_read_only
        self.has_recorded = False
        self.chats = PostgresChats(connection)
        self.files = PostgresFiles(connection)
        self.pieces = PostgresPieces(connection)
        self.safety = PostgresSafety(connection, is_repeat=is_repeat)
        self.sources = PostgresSources(connection)

    async def _run(self, statement: str, rows: Rows) -> list[Record]:
        if not rows:
            return []
        found: list[Record] = await self._connection.fetch(statement, *zip(*rows, strict=True))
        return found

    async def _inserted(self, insert: str, present: str, rows: Rows) -> set[int]:
        return await self._with_earlier({row[0] for row in await self._run(insert, rows)}, present, rows)

    async def _with_earlier(self, inserted: set[int], present: str, rows: Rows) -> set[int]:
        if len(inserted) < len(rows):
            # An id that is there although it was not inserted now is ours from an earlier run of this work.
            rest = [row[0] for row in rows if row[0] not in inserted]
            inserted.update(row[0] for row in await self._connection.fetch(present, rest))
        return inserted

    async def revision(self) -> int:
        return int(await self._connection.fetchval(sql.REVISION))

    async def insert_raw(self, rows: Sequence[RawRow]) -> set[int]:
        return await self._inserted(sql.INSERT_RAW, sql.PRESENT_RAW, sorted(rows, key=_by_request))

    async def merge_chats(self, rows: Sequence[ChatRow]) -> list[ChatRow]:
        found = map(ChatRow._make, await self._run(sql.MERGE_CHATS, sorted(rows, key=_by_chat)))
        merged = {_by_chat(row): row for row in found}
        return [merged[_by_chat(row)] for row in rows]

    async def merge_messages(self, rows: Sequence[SnapshotRow]) -> list[SnapshotRow]:
        found = map(SnapshotRow._make, await self._run(sql.MERGE_MESSAGES, sorted(rows, key=_by_guid)))
        merged = {_by_guid(row): row for row in found}
        return [merged[_by_guid(row)] for row in rows]

    async def merge_own_messages(self, rows: Sequence[MessageRow]) -> list[MessageRow]:
        found = map(MessageRow._make, await self._run(sql.MERGE_OWN_MESSAGES, sorted(rows, key=_by_guid)))
        merged = {_by_guid(row): row for row in found}
        return [merged[_by_guid(row)] for row in rows]

    async def messages_by_id(self, ids: Sequence[int]) -> list[MessageRow]:
        statement = sql.READ_MESSAGES_BY_ID if self._is_read_only else sql.MESSAGES_BY_ID
        return [MessageRow._make(row) for row in await self._of_ids(statement, ids)]

    async def save_messages(self, rows: Sequence[MessageRow]) -> None:
        await self._run(sql.SAVE_MESSAGES, sorted(rows, key=itemgetter(0)))

    async def delete_messages(self, ids: Sequence[int]) -> None:
        await self._of_ids(sql.DELETE_MESSAGES, ids)

    async def merge_reactions(self, rows: Sequence[ReactionRow]) -> None:
        await self._run(sql.MERGE_REACTIONS, sorted(rows, key=_by_reaction))

    async def insert_events(self, rows: Sequence[EventRow]) -> set[int]:
        return (await self.record(rows, ()))[1] if rows else set()

    async def record(
        self, events: Sequence[EventRow], deliveries: Sequence[DeliveryRow]
    ) -> tuple[int, set[int]]:
        if not events:
            return await self.revision(), set()
        columns = _columns(EventRow._fields, events)
        owed = _columns(DeliveryRow._fields, sorted(deliveries, key=_by_event))
        values = [*columns, min(columns[0]), max(columns[0]), *owed]
        ((revision, inserted),) = await self._connection.fetch(sql.RECORD, *values)
        new = await self._with_earlier(set(inserted), sql.PRESENT_EVENTS, events)
        self.has_recorded = self.has_recorded or bool(new)
        return revision, new

    async def insert_deliveries(self, rows: Sequence[DeliveryRow]) -> None:
        await self._run(sql.INSERT_DELIVERIES, sorted(rows, key=_by_event))

    async def finish_deliveries(self, finished: Sequence[FinishRow], attempts: Sequence[AttemptRow]) -> None:
        if attempts or finished:
            values = [
                *_columns(AttemptRow._fields, sorted(attempts)),
                *_columns(FinishRow._fields, sorted(finished)),
            ]
            await self._connection.execute(sql.FINISH_DELIVERIES, *values)

    async def mark_webhooks(self, failing: Sequence[tuple[int, int]], recovered: Sequence[int]) -> None:
        await self._run(sql.MARK_FAILING, sorted(failing))
        if recovered:
            await self._connection.execute(sql.MARK_RECOVERED, sorted(recovered))

    async def insert_idempotency(self, rows: Sequence[IdempotencyRow]) -> list[IdempotencyRow | None]:
        first = moves.first_of_each_key(rows)
        inserted = await self._run(sql.INSERT_IDEMPOTENCY, [first[key] for key in sorted(first)])
        known = first.keys() - {tuple(row) for row in inserted}
        stored = map(IdempotencyRow._make, await self._run(sql.SELECT_IDEMPOTENCY, list(known)))
        first.update({(row.scope, row.key): row for row in stored})
        return moves.already_there(rows, first)

    async def forget_idempotency(self, keys: Sequence[tuple[str, str]]) -> None:
        await self._run(sql.FORGET_IDEMPOTENCY, sorted(keys))

    async def insert_outbox(self, rows: Sequence[OutboxRow]) -> None:
        await self._run(sql.INSERT_OUTBOX, rows)

    async def update_outbox(self, rows: Sequence[OutboxUpdate]) -> set[int]:
        ordered = sorted(rows, key=itemgetter(0))
        masked = [(*row, moves.OUTBOX_SOURCES[row.state]) for row in ordered]
        moved = {row[0] for row in await self._run(sql.UPDATE_OUTBOX, masked)}
        if self._is_repeat and len(moved) < len(rows):
            moved.update(row[0] for row in await self._run(sql.ALREADY_MOVED, ordered))
        return moved

    async def deliveries_between(
        self, first_id: int, last_id: int, shards: Sequence[int], limit: int
    ) -> list[DueDelivery]:
        rows = await self._connection.fetch(sql.DELIVERIES_BETWEEN, first_id, last_id, list(shards), limit)
        return [DueDelivery._make(row) for row in rows]

    async def due_deliveries(self, webhook_id: int, shard: int, now_ms: int, limit: int) -> list[DueDelivery]:
        rows = await self._connection.fetch(sql.DUE_DELIVERIES, webhook_id, shard, now_ms, limit)
        return [DueDelivery._make(row) for row in rows]

    async def ordered_deliveries(
        self, webhook_id: int, shard: int, limit: int
    ) -> list[tuple[int, DueDelivery]]:
        rows = await self._connection.fetch(sql.ORDERED_DELIVERIES, webhook_id, shard, limit)
        return [(row[0], DueDelivery._make(tuple(row)[1:])) for row in rows]

    async def pending_lanes(self, shard: int) -> list[tuple[int, int]]:
        return [(row[0], row[1]) for row in await self._connection.fetch(sql.PENDING_LANES, shard)]

    async def due_outbox(self, line_id: int, shard: int, limit: int) -> list[DueOutbox]:
        rows = await self._connection.fetch(sql.DUE_OUTBOX, line_id, shard, limit)
        return [DueOutbox._make(row) for row in rows]

    async def outbox_claims(self, outbox_ids: Sequence[int]) -> list[OutboxClaim]:
        return [OutboxClaim._make(row) for row in await self._of_ids(sql.OUTBOX_CLAIMS, outbox_ids)]

    async def guids_of_others(self, line_id: int, outbox_id: int, since_ms: int) -> list[str]:
        values = (line_id, since_ms, outbox_id, merging.MOST_OTHERS)
        return [row[0] for row in await self._connection.fetch(sql.GUIDS_OF_OTHERS, *values)]

    async def outbox_set(self, set_id: int) -> list[int]:
        return [row[0] for row in await self._connection.fetch(sql.OUTBOX_SET, set_id)]

    async def cancel_outbox(self, outbox_ids: Sequence[int], now_ms: int) -> set[int]:
        return {row[0] for row in await self._of_ids(sql.CANCEL_OUTBOX, outbox_ids, now_ms)}

    async def move_operations(self, pairs: Sequence[tuple[int, int]]) -> None:
        await self._run(sql.MOVE_OPERATIONS, pairs)

    async def message_operations(self, message_ids: Sequence[int]) -> list[OperationRow]:
        statement = sql.READ_MESSAGE_OPERATIONS if self._is_read_only else sql.MESSAGE_OPERATIONS
        return [OperationRow._make(row) for row in await self._of_ids(statement, message_ids)]

    async def prove_outbox(self, pairs: Sequence[tuple[int, str]]) -> None:
        await self._run(sql.PROVE_OUTBOX, sorted(pairs))

    async def mark_evidence(self, pairs: Sequence[tuple[int, bytes]]) -> None:
        await self._run(sql.MARK_EVIDENCE, sorted(pairs))

    async def _of_ids(self, statement: str, ids: Sequence[int], *values: int) -> list[Record]:
        if not ids:
            return []
        found: list[Record] = await self._connection.fetch(statement, sorted(ids), *values)
        return found

    async def pending_lines(self, shard: int) -> list[tuple[int, int]]:
        return [(row[0], row[1]) for row in await self._connection.fetch(sql.PENDING_LINES, shard)]
