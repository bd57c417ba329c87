"""Fill a stopped hub's database with messages of many chats, by SQL: what lists and searches have to walk through."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it ships no types

#: The last message is as old as this; the others lie a second apart before it.
NEWEST_MS = 1_790_000_000_000
#: Each long enough for a whole page, even of the few.
CHATS = 10
#: Words that are in every message, and in none.
COMMON, ABSENT = "Grüße", "zyzzyva"

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
_CHATS = (
    "INSERT INTO chats (id, line_id, chat_key, identifier, service, is_group, participants, has_inbound, "
    f"last_message_at, created_at) {_NUMBERS} "
    "SELECT {line} + 1 + i, {line}, 'dm:+1666' || (1000000 + i), '+1666' || (1000000 + i), 'imessage', 0, "
    "'[]', 1, {newest}, 1 FROM n"
)
_MESSAGES = (
    "INSERT INTO messages (id, line_id, chat_id, guid, is_known, sender, text, service, is_from_me, "
    f"is_audio_message, sent_at, synced_at, delivered_at) {_NUMBERS} "
    "SELECT {line} + 1000 + i, {line}, {line} + 1 + i % {chats}, 'filled-' || i, 2, "
    "'+1666' || (1000000 + i % {chats}), 'ÜBLICHE Grüße number ' || i || ' with more words, as messages have them', "
    "'imessage', i % 2, 0, {newest} - 1000 * ({last} - i), 1, 5 FROM n"
)


def statements(line_id: int, count: int) -> tuple[str, str]:
    """Give the statements that add `count` messages to a line. The ids lie beside the line's own."""
    values = {"line": line_id, "newest": NEWEST_MS, "chats": CHATS}
    return _CHATS.format(last=CHATS - 1, **values), _MESSAGES.format(last=count - 1, **values)


def fill_sqlite(path: Path, handle: str, count: int) -> None:
    """Fill the embedded database."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    line_id = connection.execute("SELECT id FROM lines WHERE handle = ?", (handle,)).fetchone()[0]
    for statement in statements(line_id, count):
        connection.execute(statement)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def fill_postgres(url: str, handle: str, count: int) -> None:
    """Fill a PostgreSQL database; statistics and visibility as its own upkeep would leave them."""

    async def fill() -> None:
        connection = await asyncpg.connect(url)
        line_id = await connection.fetchval("SELECT id FROM lines WHERE handle = $1", handle)
        for statement in statements(line_id, count):
            await connection.execute(statement)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    asyncio.run(fill())
