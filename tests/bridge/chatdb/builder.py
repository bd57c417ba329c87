"""A chat.db as Messages would write it: WAL mode, by another process or connection, in the order Messages writes.

Only the standard library: the fake osascript, a process of its own, builds with it, too.
"""

from __future__ import annotations

import base64
import json
import plistlib
import sqlite3
import uuid
from pathlib import Path
from typing import Any, Final

from tests.bridge.chatdb.schema_of_macs import columns_of, create
from tests.bridge.chatdb.typedstream_writer import encode

APPLE_EPOCH_MS: Final = 978_307_200_000
POLLS: Final = "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.messages.Polls"
URL_BALLOON: Final = "com.apple.messages.URLBalloonProvider"
SPELT_FOLDER: Final = "~/Library/Messages/Attachments"


def apple(at_ms: int) -> int:
    """Unix ms as Messages writes dates."""
    return (at_ms - APPLE_EPOCH_MS) * 1_000_000


def new_guid() -> str:
    return str(uuid.uuid4()).upper()


def poll_archive(content: dict[str, Any], query: str) -> bytes:
    """Archive an address with JSON in it, as a balloon of Polls does (NSKeyedArchiver)."""
    address = f"data:,{base64.b64encode(json.dumps(content).encode()).decode()}{query}"
    uid = plistlib.UID
    objects = [
        "$null",
        {"NS.keys": [uid(2), uid(3)], "NS.objects": [uid(4), uid(6)], "$class": uid(7)},
        "URL",
        "an",
        {"NS.base": uid(0), "NS.relative": uid(5), "$class": uid(8)},
        address,
        "Polls",
        {"$classname": "NSDictionary", "$classes": ["NSDictionary", "NSObject"]},
        {"$classname": "NSURL", "$classes": ["NSURL", "NSObject"]},
    ]
    archive = {
        "$version": 100_000,
        "$archiver": "NSKeyedArchiver",
        "$top": {"root": uid(1)},
        "$objects": objects,
    }
    return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY)


class Builder:
    """Writes a chat.db.

    Args:
        path: Made if it is not there.
        generation: Of macOS: 12, 13 or 26.
    """

    def __init__(self, path: Path, *, generation: int = 26) -> None:
        is_new = not path.exists()
        self.path, self.generation = path, generation
        self.db = sqlite3.connect(path, isolation_level=None, timeout=20)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.create_function("after_delete_message_plugin", 2, lambda rowid, guid: None)
        if is_new:
            create(self.db, generation)
        self._names = {
            table: ["ROWID", *(each.partition(":")[0] for each in columns.split())]
            for table, columns in columns_of(generation).items()
        }

    def close(self) -> None:
        self.db.close()

    # ---- who and where

    def handle(self, name: str, *, service: str = "iMessage") -> int:
        """Give the ROWID of a handle; made if need be."""
        found = self.db.execute(
            "SELECT ROWID FROM handle WHERE id = ? AND service = ?", (name, service)
        ).fetchone()
        return int(found[0]) if found else self._insert("handle", id=name, service=service)

    def chat(
        self,
        identifier: str,
        *,
        members: tuple[str, ...] = (),
        prefix: str = "iMessage",
        name: str = "",
        **more: Any,
    ) -> int:
        """Give the ROWID of a chat; made if need be. One with several members is a group."""
        is_group = identifier.startswith("chat")
        guid = f"{prefix};{'+' if is_group else '-'};{identifier}"
        found = self.db.execute("SELECT ROWID FROM chat WHERE guid = ?", (guid,)).fetchone()
        if found:
            return int(found[0])
        rowid = self._insert(
            "chat",
            guid=guid,
            style=43 if is_group else 45,
            chat_identifier=identifier,
            display_name=name,
            room_name=identifier if is_group else None,
            service_name="iMessage",
            **more,
        )
        for member in members or (identifier,):
            self.db.execute(
                "INSERT OR IGNORE INTO chat_handle_join VALUES (?, ?)", (rowid, self.handle(member))
            )
        return rowid

    # ---- what was said

    def message(
        self,
        chat: int | None,
        text: str | None = None,
        *,
        sender: str | None = None,
        at_ms: int,
        is_text_column: bool = False,
        **columns: Any,
    ) -> int:
        """Insert a message, and join it. Without a sender it is ours. `chat=None` leaves it in no chat."""
        row: dict[str, Any] = {
            "guid": new_guid(),
            "service": "iMessage",
            "date": apple(at_ms),
            "is_from_me": int(sender is None),
            "is_finished": 1,
            "is_sent": int(sender is None),
            "handle_id": 0 if sender is None else self.handle(sender),
            **columns,
        }
        if text is not None:
            row |= {"text": text} if is_text_column else {"attributedBody": encode(text)}
        rowid = self._insert("message", **row)
        if chat is not None:
            self.join(chat, rowid)
        return rowid

    def join(self, chat: int, message: int) -> None:
        self.db.execute(
            "INSERT INTO chat_message_join SELECT ?, ROWID, date FROM message WHERE ROWID = ?",
            (chat, message),
        )

    def tapback(
        self,
        chat: int,
        target: int,
        code: int,
        *,
        sender: str | None,
        at_ms: int,
        part: int = 0,
        **columns: Any,
    ) -> int:
        """Insert a tapback. Messages keeps the newest of each person only."""
        guid = self.guid(target)
        old = "DELETE FROM message WHERE associated_message_guid LIKE ? AND handle_id = ? AND is_from_me = ?"
        self.db.execute(old, (f"%{guid}", 0 if sender is None else self.handle(sender), int(sender is None)))
        return self.message(
            chat,
            f"Loved “{code}”",
            sender=sender,
            at_ms=at_ms,
            associated_message_guid=f"p:{part}/{guid}",
            associated_message_type=code,
            **columns,
        )

    def poll(
        self,
        chat: int,
        *,
        sender: str | None,
        at_ms: int,
        options: dict[str, str],
        title: str = "",
        of: str | None = None,
        guid: str = "POLL",
    ) -> int:
        """Insert a poll, or more options `of` one."""
        listed = [
            {"optionIdentifier": name, "text": text, "attributedText": text, "canBeEdited": False}
            for name, text in options.items()
        ]
        item = {"title": title, "creatorHandle": sender or "", "orderedPollOptions": listed}
        columns: dict[str, Any] = (
            {} if of is None else {"associated_message_guid": of, "associated_message_type": 2}
        )
        return self.message(
            chat,
            "\ufffc",
            sender=sender,
            at_ms=at_ms,
            guid=guid,
            balloon_bundle_id=POLLS,
            payload_data=poll_archive({"item": item, "version": 1}, "?src=p&c=2"),
            **columns,
        )

    def vote(self, chat: int, poll: str, chosen: list[str], *, sender: str | None, at_ms: int) -> int:
        """Insert a vote: all that its voter has chosen now."""
        votes = [{"voteOptionIdentifier": name, "participantHandle": sender or ""} for name in chosen]
        return self.message(
            chat,
            "\ufffc",
            sender=sender,
            at_ms=at_ms,
            balloon_bundle_id=POLLS,
            payload_data=poll_archive({"item": {"votes": votes}, "version": 1}, ""),
            associated_message_guid=poll,
            associated_message_type=4000,
        )

    def attachment(
        self,
        message: int,
        folder: Path,
        name: str,
        content: bytes | None,
        *,
        mime_type: str = "image/png",
        **columns: Any,
    ) -> int:
        """Insert an attachment; its file only when there is content."""
        inside = f"ab/{new_guid()[:8]}/{name}"
        row: dict[str, Any] = {
            "guid": f"at_0_{new_guid()}",
            "original_guid": new_guid(),
            "filename": f"{SPELT_FOLDER}/{inside}",
            "mime_type": mime_type,
            "transfer_name": name,
            "transfer_state": 5 if content is not None else 0,
            "total_bytes": len(content or b""),
            **columns,
        }
        rowid = self._insert("attachment", **row)
        self.db.execute("INSERT INTO message_attachment_join VALUES (?, ?)", (message, rowid))
        if content is not None:
            self.put_file(folder, row["filename"], content)
        return rowid

    def finish_attachment(self, attachment: int, folder: Path, content: bytes) -> None:
        """Let the file arrive."""
        (filename,) = self.db.execute(
            "SELECT filename FROM attachment WHERE ROWID = ?", (attachment,)
        ).fetchone()
        self.put_file(folder, filename, content)
        self.update("attachment", attachment, transfer_state=5, total_bytes=len(content))

    def put_file(self, folder: Path, filename: str, content: bytes) -> None:
        path = folder / filename.removeprefix(SPELT_FOLDER + "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    # ---- what changes

    def edit(self, message: int, words: list[str], *, at_ms: int) -> None:
        """Change the words: Messages empties the columns and keeps the history in a property list."""
        history = [{"t": encode(each), "d": (at_ms - APPLE_EPOCH_MS) / 1000} for each in words]
        info = {"ec": {"0": history}, "ep": [0], "otr": {"0": {"lo": 0, "le": len(words[0])}}}
        self.update(
            "message",
            message,
            text=None,
            attributedBody=None,
            date_edited=apple(at_ms),
            message_summary_info=plistlib.dumps(info, fmt=plistlib.FMT_BINARY),
        )

    def unsend(self, message: int, parts: list[int], *, of: int, at_ms: int) -> None:
        """Take parts back, of so many."""
        info = {"rp": parts, "otr": {str(part): {"lo": part, "le": 1} for part in range(of)}}
        is_all = len(parts) == of
        columns: dict[str, Any] = {"part_count": of - len(parts)}
        if is_all:
            columns |= {"text": None, "attributedBody": None}
        self.update(
            "message",
            message,
            date_edited=apple(at_ms),
            message_summary_info=plistlib.dumps(info, fmt=plistlib.FMT_BINARY),
            **columns,
        )

    def update(self, table: str, rowid: int, **columns: Any) -> None:
        """Change columns of a row; those that this generation lacks are left out, as Messages would."""
        known = {name: value for name, value in columns.items() if name in self._names[table]}
        listed = ", ".join(f"{name} = ?" for name in known)
        self.db.execute(f"UPDATE {table} SET {listed} WHERE ROWID = ?", (*known.values(), rowid))

    def guid(self, message: int) -> str:
        return str(self.db.execute("SELECT guid FROM message WHERE ROWID = ?", (message,)).fetchone()[0])

    def delete(self, message: int) -> None:
        self.db.execute("DELETE FROM message WHERE ROWID = ?", (message,))

    def _insert(self, table: str, **columns: Any) -> int:
        known = {name: value for name, value in columns.items() if name in self._names[table]}
        places = ", ".join("?" * len(known))
        cursor = self.db.execute(
            f"INSERT INTO {table} ({', '.join(known)}) VALUES ({places})", tuple(known.values())
        )
        return int(cursor.lastrowid or 0)
