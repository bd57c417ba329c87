"""The tables of chat.db by generation of macOS, written from the lists of columns that are known of real ones.

Evidence: beeper/platform-imessage `schema-monterey.sql`, `schema-ventura.sql`; photon-hq/imessage-kit
`__tests__/setup.ts` for macOS 26. Notation: name, type (I, T, B), `!` not null, `=` default.
"""

from __future__ import annotations

import sqlite3
from typing import Final

_TYPES: Final = {"I": "INTEGER", "T": "TEXT", "B": "BLOB"}
_KEY: Final = "ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE"

_HANDLE: Final = "id:T! country:T service:T! uncanonicalized_id:T person_centric_id:T"
_CHAT: Final = (
    "guid:T! style:I state:I account_id:T properties:B chat_identifier:T service_name:T room_name:T account_login:T"
    " is_archived:I=0 last_addressed_handle:T display_name:T group_id:T is_filtered:I=0 successful_query:I engram_id:T"
    " server_change_token:T ck_sync_state:I=0 original_group_id:T last_read_message_timestamp:I=0"
    " cloudkit_record_id:T last_addressed_sim_id:T is_blackholed:I=0 syndication_date:I=0 syndication_type:I=0"
)
_MESSAGE: Final = (
    "guid:T! text:T replace:I=0 service_center:T handle_id:I=0 subject:T country:T attributedBody:B version:I=0"
    " type:I=0 service:T account:T account_guid:T error:I=0 date:I date_read:I date_delivered:I is_delivered:I=0"
    " is_finished:I=0 is_emote:I=0 is_from_me:I=0 is_empty:I=0 is_delayed:I=0 is_auto_reply:I=0 is_prepared:I=0"
    " is_read:I=0 is_system_message:I=0 is_sent:I=0 has_dd_results:I=0 is_service_message:I=0 is_forward:I=0"
    " was_downgraded:I=0 is_archive:I=0 cache_has_attachments:I=0 cache_roomnames:T was_data_detected:I=0"
    " was_deduplicated:I=0 is_audio_message:I=0 is_played:I=0 date_played:I item_type:I=0 other_handle:I=0"
    " group_title:T group_action_type:I=0 share_status:I=0 share_direction:I=0 is_expirable:I=0 expire_state:I=0"
    " message_action_type:I=0 message_source:I=0 associated_message_guid:T associated_message_type:I=0"
    " balloon_bundle_id:T payload_data:B expressive_send_style_id:T associated_message_range_location:I=0"
    " associated_message_range_length:I=0 time_expressive_send_played:I message_summary_info:B ck_sync_state:I=0"
    " ck_record_id:T ck_record_change_tag:T destination_caller_id:T is_corrupt:I=0 reply_to_guid:T sort_id:I"
    " is_spam:I=0 has_unseen_mention:I=0 thread_originator_guid:T thread_originator_part:T syndication_ranges:T"
    " synced_syndication_ranges:T was_delivered_quietly:I=0 did_notify_recipient:I=0"
)
_ATTACHMENT: Final = (
    "guid:T! created_date:I=0 start_date:I=0 filename:T uti:T mime_type:T transfer_state:I=0 is_outgoing:I=0"
    " user_info:B transfer_name:T total_bytes:I=0 is_sticker:I=0 sticker_user_info:B attribution_info:B"
    " hide_attachment:I=0 ck_sync_state:I=0 ck_server_change_token_blob:B ck_record_id:T original_guid:T!"
    " is_commsafety_sensitive:I=0"
)
#: What each generation adds to the one before: table → columns.
_ADDED: Final[dict[int, dict[str, str]]] = {
    12: {},
    13: {"message": "date_retracted:I date_edited:I was_detonated:I=0 part_count:I"},
    26: {
        "message": "date_recovered:I is_stewie:I=0 is_sos:I=0 is_critical:I=0 bia_reference_id:T is_kt_verified:I=0"
        " fallback_hash:T associated_message_emoji:T is_pending_satellite_send:I=0 needs_relay:I=0 schedule_type:I=0"
        " schedule_state:I=0 sent_or_received_off_grid:I=0 is_time_sensitive:I=0 ck_chat_id:T index_state:I=0",
        "chat": "is_recovered:I=0 is_deleting_incoming_messages:I=0 is_pending_review:I=0",
        "attachment": "emoji_image_content_identifier:T emoji_image_short_description:T preview_generation_state:I=0",
    },
}
GENERATIONS: Final = (12, 13, 26)

_JOINS: Final = """
CREATE TABLE chat_message_join (chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE,
  message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE, message_date INTEGER DEFAULT 0,
  PRIMARY KEY (chat_id, message_id));
CREATE TABLE chat_handle_join (chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE,
  handle_id INTEGER REFERENCES handle (ROWID) ON DELETE CASCADE, UNIQUE (chat_id, handle_id));
CREATE TABLE message_attachment_join (message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE,
  attachment_id INTEGER REFERENCES attachment (ROWID) ON DELETE CASCADE, UNIQUE (message_id, attachment_id));
CREATE TABLE deleted_messages (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL);
CREATE TABLE kvtable (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, key TEXT UNIQUE NOT NULL, value BLOB NOT NULL);
CREATE INDEX message_idx_date ON message (date);
CREATE INDEX message_idx_handle ON message (handle_id, date);
CREATE INDEX chat_message_join_idx_message_id_only ON chat_message_join (message_id);
CREATE INDEX message_attachment_join_idx_message_id ON message_attachment_join (message_id);
CREATE INDEX chat_idx_chat_identifier ON chat (chat_identifier);
"""
_RECENTLY_DELETED: Final = """
CREATE TABLE chat_recoverable_message_join (chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE,
  message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE, delete_date INTEGER,
  ck_sync_state INTEGER DEFAULT 0, PRIMARY KEY (chat_id, message_id), CHECK (delete_date != 0));
"""
_TRIGGERS: Final = """
CREATE TRIGGER after_insert_on_message_attachment_join AFTER INSERT ON message_attachment_join BEGIN
  UPDATE message SET cache_has_attachments = 1 WHERE message.ROWID = new.message_id;
END;
CREATE TRIGGER after_insert_on_chat_message_join AFTER INSERT ON chat_message_join BEGIN
  UPDATE message SET cache_roomnames = (SELECT group_concat(c.room_name) FROM chat c
    JOIN chat_message_join j ON j.chat_id = c.ROWID WHERE j.message_id = new.message_id)
    WHERE message.ROWID = new.message_id;
END;
CREATE TRIGGER update_message_date_after_update_on_message AFTER UPDATE OF date ON message BEGIN
  UPDATE chat_message_join SET message_date = new.date WHERE message_id = old.ROWID AND message_date != new.date;
END;
CREATE TRIGGER update_last_failed_message_date AFTER UPDATE OF error ON message WHEN new.error != 0 BEGIN
  INSERT OR REPLACE INTO kvtable (key, value) VALUES ('lastFailedMessageDate', new.date);
  INSERT OR REPLACE INTO kvtable (key, value) VALUES ('lastFailedMessageRowID', new.ROWID);
END;
CREATE TRIGGER after_delete_on_message AFTER DELETE ON message BEGIN
  INSERT INTO deleted_messages (guid) VALUES (old.guid);
  SELECT after_delete_message_plugin(old.ROWID, old.guid);
END;
"""
_UNIQUE: Final = {"handle": "UNIQUE (id, service)", "attachment": "UNIQUE (original_guid)"}


def columns_of(generation: int) -> dict[str, str]:
    """Give the columns of the four tables, in the notation above."""
    columns = {"handle": _HANDLE, "chat": _CHAT, "message": _MESSAGE, "attachment": _ATTACHMENT}
    for added_in, tables in _ADDED.items():
        if added_in <= generation:
            for table, added in tables.items():
                columns[table] += " " + added
    return columns


def create(connection: sqlite3.Connection, generation: int) -> None:
    """Make the tables of a generation of macOS."""
    for table, columns in columns_of(generation).items():
        listed = ", ".join(_column(each) for each in columns.split())
        unique = f", {_UNIQUE[table]}" if table in _UNIQUE else ", UNIQUE (guid)"
        connection.execute(f"CREATE TABLE {table} ({_KEY}, {listed}{unique})")
    connection.executescript(_JOINS + (_RECENTLY_DELETED if generation >= 13 else "") + _TRIGGERS)


def _column(notation: str) -> str:
    name, _, rest = notation.partition(":")
    default = f" DEFAULT {rest.partition('=')[2]}" if "=" in rest else ""
    return f"{name} {_TYPES[rest[0]]}{' NOT NULL' if '!' in rest else ''}{default}"
