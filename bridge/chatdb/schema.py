"""Which tables and columns this chat.db has: macOS 12 to 26 differ, and later ones reorder and drop columns.

Columns are asked for by name, after `PRAGMA table_info`; what is not there is read as NULL. Lists of columns: the
dumps `schema-monterey.sql` and `schema-ventura.sql` of beeper/platform-imessage, and `__tests__/setup.ts` of
photon-hq/imessage-kit for macOS 26.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

#: Without these nothing can be told.
NEEDED: Final[dict[str, frozenset[str]]] = {
    "message": frozenset({"guid", "date", "is_from_me"}),
    "chat": frozenset({"guid"}),
    "handle": frozenset({"id"}),
    "chat_message_join": frozenset({"chat_id", "message_id"}),
}

#: What is read of a message → what is missed where its column is not there.
MESSAGE: Final[dict[str, str]] = {
    "guid": "",
    "text": "",
    "attributedBody": "words since macOS 13",
    "subject": "subjects",
    "handle_id": "who wrote in groups",
    "service": "the service",
    "error": "failures",
    "date": "",
    "date_read": "read marks",
    "date_delivered": "delivery marks",
    "date_edited": "edits (macOS 13)",
    "date_retracted": "",
    "is_from_me": "",
    "is_sent": "",
    "is_delivered": "",
    "is_finished": "",
    "is_spam": "",
    "item_type": "what happens in groups",
    "other_handle": "members of groups",
    "group_title": "names of groups",
    "group_action_type": "what happens in groups",
    "was_downgraded": "what went out as SMS",
    "cache_has_attachments": "",
    "is_audio_message": "voice messages",
    "associated_message_guid": "tapbacks",
    "associated_message_type": "tapbacks",
    "associated_message_emoji": "tapbacks with any emoji (macOS 15)",
    "balloon_bundle_id": "link previews",
    "payload_data": "link previews",
    "expressive_send_style_id": "effects",
    "message_summary_info": "edits and unsends",
    "destination_caller_id": "which of several lines was meant",
    "thread_originator_guid": "replies (macOS 11)",
    "part_count": "unsends (macOS 13)",
    "schedule_type": "",
}
CHAT: Final = (
    "guid",
    "style",
    "chat_identifier",
    "display_name",
    "account_login",
    "last_addressed_handle",
    "is_filtered",
)
ATTACHMENT: Final = (
    "guid",
    "filename",
    "uti",
    "mime_type",
    "transfer_state",
    "transfer_name",
    "total_bytes",
    "is_sticker",
    "hide_attachment",
    "created_date",
)
#: Of these a change is noticed: small columns, never words.
WATCHED: Final = (
    "is_from_me",
    "error",
    "is_sent",
    "is_delivered",
    "is_finished",
    "date_delivered",
    "date_read",
    "date_edited",
    "date_retracted",
    "part_count",
    "was_downgraded",
    "service",
    "item_type",
    "cache_has_attachments",
)
_READ: Final = {
    "message": tuple(MESSAGE),
    "chat": CHAT,
    "attachment": ATTACHMENT,
    "handle": ("id", "service"),
    "chat_message_join": ("chat_id", "message_id"),
    "chat_handle_join": ("chat_id", "handle_id"),
    "message_attachment_join": ("message_id", "attachment_id"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """What there is."""

    #: Table → its columns, of those tables that we read.
    columns: dict[str, frozenset[str]]

    def has(self, table: str, *names: str) -> bool:
        """Whether a table is there, with these columns."""
        return table in self.columns and set(names) <= self.columns[table]

    def listed(self, table: str, names: tuple[str, ...], *, alias: str) -> str:
        """List columns for a SELECT, in the order given: `m."guid", NULL AS "text", …`."""
        known = self.columns.get(table, frozenset())
        return ", ".join(f'{alias}."{name}"' if name in known else f'NULL AS "{name}"' for name in names)

    @property
    def unusable(self) -> tuple[str, ...]:
        """What is missing that nothing works without: `message`, `chat.guid`, …"""
        lacking = []
        for table, names in NEEDED.items():
            if table not in self.columns:
                lacking.append(table)
            else:
                lacking += [f"{table}.{name}" for name in sorted(names - self.columns[table])]
        return tuple(lacking)

    @property
    def missed(self) -> tuple[str, ...]:
        """What cannot be told for want of a column, in words for people."""
        known = self.columns.get("message", frozenset())
        lacking = {what for name, what in MESSAGE.items() if what and name not in known}
        if not self.has("message_attachment_join", "message_id", "attachment_id"):
            lacking.add("attachments")
        if not self.has("chat_handle_join", "chat_id", "handle_id"):
            lacking.add("members of groups")
        return tuple(sorted(lacking))


def probe(connection: sqlite3.Connection) -> Schema:
    """Ask the database what it has.

    Raises:
        sqlite3.Error: It cannot be read.
    """
    columns = {}
    for table in _READ:
        names = frozenset(str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")'))
        if names:
            columns[table] = names
    return Schema(columns=columns)
