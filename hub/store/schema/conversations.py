"""What was said, and what happened to it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from hub.store.schema.columns import Key, instant, key, metadata

chats = Table(
    "chats",
    metadata,
    key(),
    Column("line_id", Key, ForeignKey("lines.id"), nullable=False),
    Column("chat_key", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("name", Text),
    Column("is_group", SmallInteger, nullable=False),
    Column("participants", Text, nullable=False),
    Column("has_inbound", SmallInteger, nullable=False),
    instant("last_message_at"),
    instant("created_at", nullable=False),
    #: As of when the name and the list of members of a group were told.
    instant("named_at"),
    instant("listed_at"),
    #: Up to when we have read, and whether a person marked it as unread again.
    instant("own_read_at"),
    Column("is_marked_unread", SmallInteger, nullable=False, server_default="0"),
    Column("icon_file_id", Key),
    #: JSON of the chat's background, as the network tells it.
    Column("background", Text),
    #: When our line left the group.
    instant("left_at"),
    #: JSON of who takes care of the chat (hub.model.assignee), and since when.
    Column("assignee", Text),
    instant("assigned_at"),
    UniqueConstraint("line_id", "chat_key"),
    Index(None, "line_id", "last_message_at", "id"),
    Index(None, "line_id", "id"),
    #: Groups are few among the chats of a line, and are looked for by their members.
    Index(
        "ix_chats_groups",
        "line_id",
        "last_message_at",
        "id",
        sqlite_where=text("is_group = 1"),
        postgresql_where=text("is_group = 1"),
    ),
)


def _in_time(owner: str) -> tuple[Index, Index]:
    """Give the index of an owner's messages in time, for SQLite and for PostgreSQL.

    It ends in what tells whether a message is listed, and who wrote it, so that counting reads no rows. PostgreSQL must
    not search by that, or a young database, which has no statistics yet, would choose this index for everything.
    """
    name, columns, told = f"ix_messages_{owner}", (f"{owner}_id", "sent_at", "id"), ("is_known", "is_from_me")
    return (
        Index(name, *columns, *told).ddl_if(dialect="sqlite"),
        Index(name, *columns, postgresql_include=told).ddl_if(dialect="postgresql"),
    )


messages = Table(
    "messages",
    metadata,
    key(),
    Column("line_id", Key, nullable=False),
    Column("chat_id", Key, nullable=False),
    Column("guid", Text, nullable=False),
    #: How we know of it (hub.flow.rows.Known): a receipt may arrive before the message.
    Column("is_known", SmallInteger, nullable=False),
    Column("sender", Text),
    Column("text", Text),
    #: JSON list; null when `text` alone says it all.
    Column("parts", Text),
    Column("service", Text),
    Column("is_from_me", SmallInteger, nullable=False),
    Column("is_audio_message", SmallInteger, nullable=False),
    Column("reply_to_guid", Text),
    Column("effect", Text),
    Column("outbox_id", Key),
    instant("sent_at"),
    instant("synced_at", nullable=False),
    instant("delivered_at"),
    instant("read_at"),
    instant("failed_at"),
    Column("error", Text),
    instant("edited_at"),
    instant("unsent_at"),
    #: Ours only: when it was asked for, when a bridge took it (or its network showed it), when it was cancelled,
    #: and for when it was planned. Until a network names it, `guid` is the attempt id of its send.
    instant("queued_at"),
    instant("accepted_at"),
    instant("cancelled_at"),
    instant("send_at"),
    Column("was_downgraded", SmallInteger, nullable=False, server_default="0"),
    #: The client's own JSON object, given back in events.
    Column("metadata", Text),
    #: The bulk job that it belongs to.
    Column("job_id", Key),
    #: The line above the words, where the network has one.
    Column("subject", Text),
    UniqueConstraint("line_id", "guid"),
    *_in_time("chat"),
    *_in_time("line"),
    Index(
        "ix_messages_job",
        "job_id",
        "sent_at",
        "id",
        sqlite_where=text("job_id IS NOT NULL"),
        postgresql_where=text("job_id IS NOT NULL"),
    ),
    #: What the other side has read last, a chat at a time.
    Index(
        "ix_messages_read",
        "chat_id",
        "read_at",
        sqlite_where=text("read_at IS NOT NULL AND is_from_me = 1"),
        postgresql_where=text("read_at IS NOT NULL AND is_from_me = 1"),
    ),
)

reactions = Table(
    "reactions",
    metadata,
    key(),
    Column("line_id", Key, nullable=False),
    Column("message_guid", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("is_from_me", SmallInteger, nullable=False),
    Column("is_added", SmallInteger, nullable=False),
    instant("sent_at", nullable=False),
    instant("synced_at", nullable=False),
    #: What a newer reaction of the same sender takes the place of (hub.rules.reactions).
    Column("slot", Text, nullable=False, server_default=""),
    UniqueConstraint("line_id", "message_guid", "sender", "slot"),
)

#: The network's messages that one of ours became, where it became several (hub.rules.pieces).
message_pieces = Table(
    "message_pieces",
    metadata,
    Column("line_id", Key, nullable=False),
    Column("guid", Text, nullable=False),
    Column("message_id", Key, nullable=False),
    Column("outbox_id", Key, nullable=False),
    Column("first_part", SmallInteger, nullable=False),
    #: 0: all from the first one on.
    Column("part_count", SmallInteger, nullable=False),
    instant("sent_at"),
    instant("delivered_at"),
    instant("read_at"),
    instant("failed_at"),
    Column("error", Text),
    instant("unsent_at"),
    PrimaryKeyConstraint("line_id", "guid"),
    Index(None, "message_id"),
)

#: What bridges sent, byte for byte. (bridge_id, request_id) is also the memory of the replay protection.
raw_payloads = Table(
    "raw_payloads",
    metadata,
    key(),
    Column("bridge_id", Key, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("bridge_id", "request_id"),
)

#: On PostgreSQL, where several processes record at once: the position given last. On SQLite the table tells it.
event_positions = Sequence("event_positions", metadata=metadata, data_type=BigInteger)

events = Table(
    "events",
    metadata,
    key(),
    Column("type", Text, nullable=False),
    Column("line_id", Key),
    Column("chat_id", Key),
    #: BLAKE2b-128 of the dedupe key `{line}:{guid}:{kind}:{mark}`.
    Column("dedupe_key", LargeBinary, nullable=False, unique=True),
    #: When it happened, as the bridge tells; the position tells when it was recorded.
    instant("occurred_at", nullable=False),
    Column("raw_id", Key),
    #: The native wire form of the event's `data` (contracts: messages.dev §6), rendered once.
    Column("data", Text, nullable=False),
    #: Rises in the order of the commits, whoever commits: its id, or more where a later id was committed before.
    Column("position", BigInteger, nullable=False, server_default="0"),
    #: Whoever reads on reads here alone, until something fits.
    Index("ix_events_position", "position", "line_id", "chat_id", "type"),
    #: Rows are only added; PostgreSQL reads an index alone where it has swept.
    postgresql_with={"autovacuum_vacuum_insert_scale_factor": 0.05},
)
