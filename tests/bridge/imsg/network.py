"""What the processes of a fake imsg share: the messages of a Mac, as imsg shows them, in a file of SQLite."""

from __future__ import annotations

import json
import sqlite3
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

LINE: Final = "+15550100000"


def iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Network:
    """The messages."""

    def __init__(self, folder: Path) -> None:
        self.db = sqlite3.connect(folder / "network.db", isolation_level=None, timeout=20)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS messages (rowid INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE,"
            " payload TEXT, fields TEXT)"
        )

    def add(self, *, at_ms: int, chat: str, own: bool, guid: str | None = None, **more: Any) -> str:
        """Insert a message; return its guid."""
        name = guid or str(uuid.uuid4()).upper()
        is_group = chat.startswith("chat")
        payload = {
            "chat_id": 1,
            "chat_identifier": chat,
            "chat_guid": f"iMessage;{'+' if is_group else '-'};{chat}",
            "chat_name": "Trip" if is_group else "",
            "participants": ["+15550100001", "+15550100002"] if is_group else [chat],
            "is_group": is_group,
            "guid": name,
            "sender": "" if own else "+15550100001" if is_group else chat,
            "is_from_me": own,
            "text": "",
            "created_at": iso(at_ms),
            "attachments": [],
            **({"destination_caller_id": LINE} if own else {}),
            **more,
        }
        fields = {
            "is_sent": own,
            "is_delivered": False,
            "is_finished": True,
            "error": 0,
            "date_delivered": None,
        }
        fields |= {"date_read": None, "is_delayed": False, "is_prepared": False, "was_downgraded": False}
        with self.db:
            self.db.execute(
                "INSERT INTO messages (guid, payload, fields) VALUES (?, ?, ?)",
                (name, json.dumps(payload), json.dumps(fields)),
            )
        return name

    def mark(self, guid: str, **fields: Any) -> None:
        """Let something become of a message."""
        known = self.fields(guid) or {}
        self.db.execute("UPDATE messages SET fields = ? WHERE guid = ?", (json.dumps(known | fields), guid))

    def fields(self, guid: str) -> dict[str, Any] | None:
        row = self.db.execute("SELECT fields FROM messages WHERE guid = ? COLLATE NOCASE", (guid,)).fetchone()
        return None if row is None else json.loads(row[0])

    def after(
        self, rowid: int, limit: int, *, with_reactions: bool
    ) -> tuple[list[dict[str, Any]], int, bool]:
        rows = self.db.execute(
            "SELECT rowid, payload FROM messages WHERE rowid > ? ORDER BY rowid LIMIT ?", (rowid, limit + 1)
        ).fetchall()
        listed = [{"id": number, **json.loads(payload)} for number, payload in rows[:limit]]
        shown = [each for each in listed if with_reactions or not each.get("is_reaction")]
        return shown, rows[:limit][-1][0] if listed else rowid, len(rows) > limit

    def newest(self) -> list[dict[str, Any]]:
        rows = self.db.execute("SELECT rowid, payload FROM messages ORDER BY rowid DESC LIMIT 1").fetchall()
        return [{"id": number, **json.loads(payload)} for number, payload in rows]

    def all(self) -> list[dict[str, Any]]:
        return self.after(0, 1_000_000, with_reactions=True)[0]
