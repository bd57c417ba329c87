"""Fill a stopped hub's database with a long history, as if it had run for days: every table that grows.

Written by SQL, because a million real deliveries would take minutes and prove nothing more.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from hub.flow.rows import Known
from hub.model.ids import first_id_at

#: Shorter than every retention, so that nothing is swept away during the measurement.
DAYS = 5
_TEXT = "x" * 650
_BATCH = 20_000

COLUMNS: dict[str, tuple[str, ...]] = {
    "raw_payloads": ("id", "bridge_id", "request_id", "body"),
    "messages": (
        *("id", "line_id", "chat_id", "guid", "is_known", "sender", "text", "parts", "service", "is_from_me"),
        *("is_audio_message", "sent_at", "synced_at"),
    ),
    "events": ("id", "type", "line_id", "chat_id", "dedupe_key", "occurred_at", "raw_id", "data", "position"),
    "deliveries": (
        *(
            "id",
            "event_id",
            "webhook_id",
            "shard",
            "state",
            "attempt_count",
            "next_attempt_at",
            "finished_at",
        ),
        "last_status",
    ),
    "attempts": (
        *("delivery_id", "number", "started_at", "duration_us", "outcome", "status", "address", "request"),
        "response",
    ),
}
_OWNERS = (
    "SELECT lines.bridge_id, lines.id, chats.id, webhooks.id FROM lines JOIN chats ON chats.line_id = lines.id "
    "JOIN webhooks ON webhooks.line_id = lines.id ORDER BY chats.id LIMIT 1"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Owners:
    """Whose history it is: rows that exist."""

    bridge_id: int
    line_id: int
    chat_id: int
    webhook_id: int


def rows(table: str, owners: Owners, count: int, now_ms: int) -> Iterator[tuple[Any, ...]]:
    """Make the rows of one table, oldest first."""
    make = _MAKERS[table]
    first_ms, step_ms = now_ms - DAYS * 86_400_000, DAYS * 86_400_000 / count
    for number in range(count):
        at_ms = int(first_ms + number * step_ms)
        yield make(owners, first_id_at(at_ms) + number % 4096, at_ms, number)


def _raw(owners: Owners, row_id: int, at_ms: int, number: int) -> tuple[Any, ...]:
    return (
        row_id,
        owners.bridge_id,
        f"req_history_{number}",
        f'{{"events":[{{"at":{at_ms},"t":"{_TEXT}"}}]}}'.encode(),
    )


def _message(owners: Owners, row_id: int, at_ms: int, number: int) -> tuple[Any, ...]:
    parts = f'[{{"type":"text","text":"{_TEXT}"}}]'
    head = (
        row_id,
        owners.line_id,
        owners.chat_id,
        f"history-{number}",
        Known.SEEN,
        "+15551000000",
        _TEXT,
        parts,
        "iMessage",
    )
    return (*head, 0, 0, at_ms, at_ms)


def _event(owners: Owners, row_id: int, at_ms: int, number: int) -> tuple[Any, ...]:
    data = f'{{"id":"msg_{number}","guid":"history-{number}","text":"{_TEXT}","attachments":[],"sent_at":{at_ms}}}'
    key = number.to_bytes(16, "big")
    return (row_id, "message.received", owners.line_id, owners.chat_id, key, at_ms, row_id, data, row_id)


def _delivery(owners: Owners, row_id: int, at_ms: int, number: int) -> tuple[Any, ...]:
    return (row_id, row_id, owners.webhook_id, number % 16, 1, 1, at_ms, at_ms + 3, 200)


def _attempt(owners: Owners, row_id: int, at_ms: int, number: int) -> tuple[Any, ...]:
    request = '{"method":"POST","url":"http://127.0.0.1/hook","headers":{"content-type":"application/json"}}'
    return (
        row_id,
        1,
        at_ms,
        900,
        0,
        200,
        "127.0.0.1",
        request,
        '{"headers":[],"body":"","is_truncated":false}',
    )


_MAKERS: dict[str, Callable[[Owners, int, int, int], tuple[Any, ...]]] = {
    "raw_payloads": _raw,
    "messages": _message,
    "events": _event,
    "deliveries": _delivery,
    "attempts": _attempt,
}


def fill_sqlite(path: Path, count: int) -> None:
    """Fill the embedded database."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    owners = _owners(connection.execute(_OWNERS).fetchone())
    now_ms = time.time_ns() // 1_000_000
    for table, columns in COLUMNS.items():
        marks = ", ".join("?" for _ in columns)
        made = rows(table, owners, count, now_ms)
        while batch := list(islice(made, _BATCH)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", batch)
            connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def fill_postgres(url: str, count: int) -> None:
    """Fill a PostgreSQL database."""

    async def fill() -> None:
        connection = await asyncpg.connect(url)
        owners = _owners(tuple(await connection.fetchrow(_OWNERS)))
        now_ms = time.time_ns() // 1_000_000
        for table, columns in COLUMNS.items():
            made = rows(table, owners, count, now_ms)
            while batch := list(islice(made, _BATCH)):
                await connection.copy_records_to_table(table, records=batch, columns=columns)
        await connection.execute("ANALYZE")
        await connection.close()

    asyncio.run(fill())


def _owners(row: tuple[int, int, int, int] | None) -> Owners:
    if row is None:
        raise RuntimeError("let the hub receive an event first: the history needs a chat to belong to")
    bridge_id, line_id, chat_id, webhook_id = row
    return Owners(bridge_id=bridge_id, line_id=line_id, chat_id=chat_id, webhook_id=webhook_id)
