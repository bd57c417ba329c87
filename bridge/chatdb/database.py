"""Read chat.db, never write it: `mode=ro` and `query_only`, without `immutable`, which would not see the WAL.

Synchronous: bridge.chatdb.reading runs it in a thread. Every statement names its columns (bridge.chatdb.schema) and
reads a bounded number of rows.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import urllib.parse
from collections.abc import Iterable, Sequence
from typing import Final

from bridge.chatdb.rows import (
    AttachmentRow,
    ChatRow,
    MessageRow,
    read_attachment,
    read_chat,
    read_message,
    text,
    whole,
)
from bridge.chatdb.schema import ATTACHMENT, CHAT, MESSAGE, WATCHED, Schema, probe
from bridge.macos.apple_time import apple_ns

#: How long Messages may hold the database.
_BUSY_SECONDS: Final = 2.0
_MOST_MEMBERS: Final = 512
_MOST_FILES: Final = 128
_MOST_HANDLES: Final = 50_000
#: Rows in which the Mac's own addresses are looked for.
_RECENT_ROWS: Final = 5_000
_MOST_ROWID: Final = 2**63 - 1
Fingerprints = dict[int, int]


class Unreadable(Exception):
    """chat.db cannot be read as it is; the message says why and what to do."""


class ChatDatabase:
    """An open chat.db.

    Raises:
        Unreadable: It cannot be opened, or lacks what nothing works without.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection = _open(path)
        try:
            self.schema: Schema = probe(self._connection)
            status = os.stat(path)
        except (sqlite3.Error, OSError) as error:
            self._connection.close()
            raise Unreadable(explain(path, error)) from error
        #: Which file it is: another one in its place is another database.
        self.file_identity = (status.st_dev, status.st_ino)
        self._handles: dict[int, str | None] = {}
        if self.schema.unusable:
            self._connection.close()
            raise Unreadable(f"{path} is no chat.db that is known: without {', '.join(self.schema.unusable)}")
        columns = self.schema.listed("message", tuple(MESSAGE), alias="m")
        self._select = f"SELECT m.ROWID AS ROWID, {columns} FROM message m"  # noqa: S608 - names of our own

    def close(self) -> None:
        self._connection.close()

    # ---- where it stands

    def version(self) -> int:
        """Give a number that changes when another process has changed the database; costs no row."""
        return whole(self._one("PRAGMA data_version"))

    def last_rowid(self) -> int:
        """Give the highest ROWID of a message; 0 without any."""
        return whole(self._one("SELECT MAX(ROWID) FROM message"))

    def highest_ever(self) -> int:
        """Give the highest ROWID that a message ever had, deleted ones included."""
        try:
            known = whole(self._one("SELECT seq FROM sqlite_sequence WHERE name = 'message'"))
        except sqlite3.Error:  # a table without AUTOINCREMENT
            known = 0
        return max(known, self.last_rowid())

    def guid_at(self, rowid: int) -> str | None:
        return text(self._one("SELECT guid FROM message WHERE ROWID = ?", rowid))

    def newest_date(self) -> int:
        """Give the date of the last message, as Apple writes it."""
        return whole(self._one("SELECT date FROM message ORDER BY ROWID DESC LIMIT 1"))

    def own_addresses(self) -> set[str]:
        """Give the addresses under which this Mac wrote lately, as Messages spells them."""
        if not self.schema.has("message", "destination_caller_id"):
            return set()
        rows = self._connection.execute(
            "SELECT DISTINCT destination_caller_id FROM message WHERE ROWID > ? AND is_from_me = 1",
            (self.last_rowid() - _RECENT_ROWS,),
        )
        return {address for row in rows.fetchall() if (address := text(row[0])) is not None}

    def first_rowid_since(self, at_ms: int) -> int:
        """Give the lowest ROWID with a date from `at_ms` (Unix) on; behind the last one if there is none."""
        found = self._one("SELECT MIN(ROWID) FROM message WHERE date >= ?", apple_ns(at_ms))
        return whole(found) if found is not None else min(self.last_rowid() + 1, _MOST_ROWID)

    # ---- messages

    def messages_between(self, after: int, up_to: int, *, limit: int) -> list[MessageRow | int]:
        """Give messages with `after` < ROWID ≤ `up_to`, in that order; a ROWID alone for one without a guid."""
        rows = self._connection.execute(
            f"{self._select} WHERE m.ROWID > ? AND m.ROWID <= ? ORDER BY m.ROWID LIMIT ?",
            (after, up_to, limit),
        )
        return self._complete(rows.fetchall())

    def messages_at(self, rowids: Iterable[int]) -> list[MessageRow | int]:
        """Give the messages of these ROWIDs that exist, in their order."""
        wanted = sorted(set(rowids))
        rows = self._in_pieces(
            f"{self._select} WHERE m.ROWID IN",
            wanted,
        )
        return self._complete(sorted(rows, key=lambda row: whole(row["ROWID"])))

    def message_of(self, guid: str) -> MessageRow | None:
        rows = self._connection.execute(
            f"{self._select} WHERE m.guid = ? LIMIT 1",
            (guid,),
        )
        return next((each for each in self._complete(rows.fetchall()) if isinstance(each, MessageRow)), None)

    def own_since(self, *, after: int, since_ms: int, limit: int) -> list[MessageRow]:
        """Give messages of ours above a ROWID, or from a date (Unix ms) on, in their order."""
        rows = self._connection.execute(
            f"{self._select} WHERE m.ROWID > ? AND m.is_from_me = 1 AND m.date >= ? ORDER BY m.ROWID LIMIT ?",
            (after, apple_ns(since_ms), limit),
        )
        return [each for each in self._complete(rows.fetchall()) if isinstance(each, MessageRow)]

    def before_in_chat(
        self, chat_rowid: int, rowid: int, *, limit: int, is_own: bool = False
    ) -> list[MessageRow]:
        """Give the messages of a chat before one, the nearest first."""
        rows = self._connection.execute(
            f"{self._select} JOIN chat_message_join j ON j.message_id = m.ROWID"
            f" WHERE j.chat_id = ? AND j.message_id < ? {'AND m.is_from_me = 1' if is_own else ''}"
            " ORDER BY j.message_id DESC LIMIT ?",
            (chat_rowid, rowid, limit),
        )
        found = [each for each in self._complete(rows.fetchall()) if isinstance(each, MessageRow)]
        return sorted(found, key=lambda row: -row.rowid)

    def fingerprints(self, above: int) -> Fingerprints:
        """Give for each message above a ROWID a number that changes with what can change of it."""
        columns = self.schema.listed("message", WATCHED, alias="m")
        query = f"SELECT m.ROWID, {columns} FROM message m WHERE m.ROWID > ?"  # noqa: S608 - names of our own
        plain = self._connection.cursor()
        plain.row_factory = None
        return {row[0]: hash(row[1:]) for row in plain.execute(query, (above,))}

    def changed_since(self, *, above: int, at_ms: int) -> list[int]:
        """Give the messages above a ROWID that were delivered, read, edited or failed from a date (Unix ms) on."""
        marks = [
            name
            for name in ("date_read", "date_delivered", "date_edited", "date_retracted")
            if self.schema.has("message", name)
        ]
        tests = [f"{name} >= ?" for name in marks]
        values: list[int] = [apple_ns(at_ms)] * len(marks)
        if self.schema.has("message", "error"):
            tests.append("(error != 0 AND date >= ?)")
            values.append(apple_ns(at_ms))
        if not tests:
            return []
        query = f"SELECT ROWID FROM message WHERE ROWID > ? AND ({' OR '.join(tests)}) ORDER BY ROWID"  # noqa: S608 - names of our own
        return [whole(row[0]) for row in self._connection.execute(query, (above, *values))]

    # ---- what belongs to messages

    def attachment(self, guid: str) -> AttachmentRow | None:
        if not self.schema.has("attachment", "guid"):
            return None
        columns = self.schema.listed("attachment", ATTACHMENT, alias="a")
        row = self._connection.execute(
            f"SELECT a.ROWID AS ROWID, {columns} FROM attachment a WHERE a.guid = ?",  # noqa: S608 - names of our own
            (guid,),
        ).fetchone()
        return None if row is None else read_attachment(row)

    def chats_named(self, identifiers: Sequence[str]) -> list[ChatRow]:
        """Give the chats whose guid ends in one of these, the one used last first."""
        tails = [name for name in identifiers if name]
        if not self.schema.has("chat", "chat_identifier") or not tails:
            return []
        places = ", ".join("?" * len(tails))
        rows = self._connection.execute(
            f"SELECT ROWID FROM chat WHERE chat_identifier IN ({places}) ORDER BY ROWID DESC LIMIT 64",  # noqa: S608 - names of our own
            tails,
        )
        chats = self._chats([whole(row[0]) for row in rows.fetchall()])
        return sorted(chats.values(), key=lambda chat: -chat.rowid)

    def _complete(self, rows: Sequence[sqlite3.Row]) -> list[MessageRow | int]:
        """Tame messages, with their chats and attachments; one that cannot be tamed stays a ROWID."""
        rowids = [whole(row["ROWID"]) for row in rows]
        places = self._places(rowids)
        chats = self._chats(sorted(set(places.values())))
        # NULL: a database without that column says nothing of which messages have files.
        files = self._files([whole(row["ROWID"]) for row in rows if row["cache_has_attachments"] != 0])
        messages: list[MessageRow | int] = []
        for rowid, row in zip(rowids, rows, strict=True):
            chat = chats.get(places.get(rowid, 0))
            tamed = read_message(row, handle=self._handle, chat=chat, attachments=files.get(rowid, ()))
            messages.append(rowid if tamed is None else tamed)
        return messages

    def _places(self, rowids: list[int]) -> dict[int, int]:
        """Give the chat of each message; of several the lowest, always the same."""
        query = "SELECT message_id, MIN(chat_id) FROM chat_message_join WHERE message_id IN"
        rows = self._in_pieces(query, rowids, after=" GROUP BY message_id")
        return {whole(row[0]): whole(row[1]) for row in rows}

    def _chats(self, rowids: list[int]) -> dict[int, ChatRow]:
        columns = self.schema.listed("chat", CHAT, alias="c")
        query = f"SELECT c.ROWID AS ROWID, {columns} FROM chat c WHERE c.ROWID IN"  # noqa: S608 - names of our own
        members = self._members(rowids)
        found = {}
        for row in self._in_pieces(query, rowids):
            chat = read_chat(row, members=members.get(whole(row["ROWID"]), ()))
            if chat is not None:
                found[chat.rowid] = chat
        return found

    def _members(self, chat_rowids: list[int]) -> dict[int, tuple[str, ...]]:
        if not self.schema.has("chat_handle_join", "chat_id", "handle_id"):
            return {}
        query = "SELECT chat_id, handle_id FROM chat_handle_join WHERE chat_id IN"
        members: dict[int, list[str]] = {}
        for row in self._in_pieces(query, chat_rowids, after=" ORDER BY chat_id, handle_id"):
            handle, listed = self._handle(whole(row[1])), members.setdefault(whole(row[0]), [])
            # One person may have a handle for each service.
            if handle is not None and handle not in listed and len(listed) < _MOST_MEMBERS:
                listed.append(handle)
        return {chat: tuple(listed) for chat, listed in members.items()}

    def _files(self, message_rowids: list[int]) -> dict[int, tuple[AttachmentRow, ...]]:
        if not self.schema.has("message_attachment_join", "message_id", "attachment_id"):
            return {}
        columns = self.schema.listed("attachment", ATTACHMENT, alias="a")
        query = (
            f"SELECT j.message_id, a.ROWID AS ROWID, {columns} FROM message_attachment_join j"  # noqa: S608 - names of our own
            " JOIN attachment a ON a.ROWID = j.attachment_id WHERE j.message_id IN"
        )
        files: dict[int, list[AttachmentRow]] = {}
        for row in self._in_pieces(query, message_rowids, after=" ORDER BY j.message_id, a.ROWID"):
            attachment, listed = read_attachment(row), files.setdefault(whole(row["message_id"]), [])
            if attachment is not None and len(listed) < _MOST_FILES:
                listed.append(attachment)
        return {rowid: tuple(listed) for rowid, listed in files.items()}

    def _handle(self, rowid: int) -> str | None:
        if not rowid:
            return None
        known = self._handles.get(rowid)
        if known is None:
            known = text(self._one("SELECT id FROM handle WHERE ROWID = ?", rowid))
            if len(self._handles) >= _MOST_HANDLES:
                self._handles.clear()
            self._handles[rowid] = known
        return known

    def _in_pieces(self, query: str, values: Sequence[int], *, after: str = "") -> list[sqlite3.Row]:
        """Run a query that ends in `IN`, for any number of values."""
        rows: list[sqlite3.Row] = []
        for start in range(0, len(values), 500):
            piece = values[start : start + 500]
            places = ", ".join("?" * len(piece))
            rows += self._connection.execute(f"{query} ({places}){after}", piece).fetchall()
        return rows

    def _one(self, query: str, *values: int) -> object:
        row = self._connection.execute(query, values).fetchone()
        return None if row is None else row[0]


def explain(path: str, error: Exception) -> str:
    """Say why chat.db cannot be read, and what to do."""
    reason = str(error)
    if isinstance(error, PermissionError) or "authorization denied" in reason or "unable to open" in reason:
        if not isinstance(error, PermissionError) and not os.path.lexists(path):
            is_mac = sys.platform == "darwin"
            why = "has this user ever opened Messages?" if is_mac else "this machine is no Mac"
            return f"{path} is not there; {why}"
        return (
            f"{path} may not be read: give Full Disk Access to the program that runs the bridge (System Settings, "
            "Privacy & Security), the real interpreter and not a link to it, then start it again"
        )
    advice = next((advice for words, advice in _ADVICE.items() if words in reason), "it is tried again")
    return f"{path} cannot be read: {reason}; {advice}"


#: What SQLite says → what to do.
_ADVICE: Final = {
    "disk I/O error": "is the disk full, or failing?",
    "locked": "a backup or another program holds it, and it is tried again",
    "malformed": "quit Messages and run `sqlite3 chat.db 'PRAGMA integrity_check'`; a backup may be needed",
    "not a database": "`database` names another file, or it is damaged",
}


def _open(path: str) -> sqlite3.Connection:
    address = f"file:{urllib.parse.quote(os.path.abspath(path))}?mode=ro"
    try:
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)
    except sqlite3.Error as error:
        raise Unreadable(explain(path, error)) from error
    try:
        connection.execute("PRAGMA query_only = 1")
    except sqlite3.Error as error:
        connection.close()
        raise Unreadable(explain(path, error)) from error
    connection.row_factory = sqlite3.Row
    connection.text_factory = _decode
    return connection


def _decode(content: bytes) -> str:
    return content.decode("utf-8", "replace")
