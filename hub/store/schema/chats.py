"""What goes on in a chat beside its messages: who is in it, what is voted on; and what contacts and lines show."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from hub.store.schema.columns import Key, instant, key, metadata

#: The latest word on each member that came or went. chats.participants is the list that follows from it.
chat_members = Table(
    "chat_members",
    metadata,
    Column("chat_id", Key, nullable=False),
    Column("handle", Text, nullable=False),
    Column("is_member", SmallInteger, nullable=False),
    instant("changed_at", nullable=False),
    PrimaryKeyConstraint("chat_id", "handle"),
)

polls = Table(
    "polls",
    metadata,
    key(),
    Column("line_id", Key, nullable=False),
    #: 0 until an observation has named the chat.
    Column("chat_id", Key, nullable=False),
    Column("guid", Text, nullable=False),
    #: Empty, like the options, until the poll itself was seen: a vote may arrive before it.
    Column("title", Text, nullable=False),
    #: JSON list of {"id", "text"}.
    Column("options", Text, nullable=False),
    #: Who made it; null for our line, and while nobody knows.
    Column("creator", Text),
    Column("is_from_me", SmallInteger, nullable=False),
    Column("outbox_id", Key),
    instant("created_at"),
    instant("synced_at", nullable=False),
    UniqueConstraint("line_id", "guid"),
    Index(None, "chat_id", "id"),
)

#: What each voter chose last.
poll_votes = Table(
    "poll_votes",
    metadata,
    Column("line_id", Key, nullable=False),
    Column("poll_guid", Text, nullable=False),
    Column("voter", Text, nullable=False),
    #: JSON list of option ids; empty when the vote was taken back.
    Column("choices", Text, nullable=False),
    instant("voted_at", nullable=False),
    PrimaryKeyConstraint("line_id", "poll_guid", "voter"),
)

#: Where contacts are who share it with a line, as the bridge last told.
places = Table(
    "places",
    metadata,
    Column("line_id", Key, nullable=False),
    Column("handle", Text, nullable=False),
    Column("latitude", Double, nullable=False),
    Column("longitude", Double, nullable=False),
    Column("label", Text),
    #: How fresh the network calls it: `live`, `shallow`, `legacy`, …
    Column("status", Text),
    instant("located_at"),
    instant("synced_at", nullable=False),
    PrimaryKeyConstraint("line_id", "handle"),
)

#: The name and photo that a line shares, as the bridge last told.
contact_cards = Table(
    "contact_cards",
    metadata,
    Column("line_id", Key, ForeignKey("lines.id"), primary_key=True, autoincrement=False),
    #: JSON.
    Column("card", Text, nullable=False),
    instant("synced_at", nullable=False),
)
