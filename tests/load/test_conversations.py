"""The messages that are written by SQL fit the schema, and lists walk through them as through any others."""

import sqlite3
from contextlib import closing
from pathlib import Path

from hub.store.migration import migrate_sqlite
from tests.load.conversations import CHATS, NEWEST_MS, fill_sqlite

_LINE = (
    "INSERT INTO bridges (id, name, kind, secrets, is_enabled, created_at) VALUES (1, 'b', 'push', '[]', 1, 1)",
    "INSERT INTO lines (id, bridge_id, handle, service, is_active, is_contact_first, pace_ms, status, created_at) "
    "VALUES (9, 1, '+1555', 'auto', 1, 0, 0, 'online', 1)",
)


def test_messages_of_many_chats_are_there(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    migrate_sqlite(path)
    with closing(sqlite3.connect(path)) as connection:
        for statement in _LINE:
            connection.execute(statement)
        connection.commit()
    fill_sqlite(path, "+1555", 100)
    with closing(sqlite3.connect(path)) as connection:
        counted = "SELECT count(*), count(DISTINCT chat_id), max(sent_at) FROM messages WHERE line_id = 9"
        assert connection.execute(counted).fetchone() == (100, CHATS, NEWEST_MS)
        assert connection.execute("SELECT count(*) FROM chats WHERE line_id = 9").fetchone() == (CHATS,)
