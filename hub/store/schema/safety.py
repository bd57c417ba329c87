"""What keeps a line safe: consent with its log, conversations that we opened, counters, and the line's health."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from hub.store.schema.columns import Key, instant, key, metadata

#: Everything that was ever said about consent. Rows are added and never changed, but for `reply_state`.
consent_log = Table(
    "consent_log",
    metadata,
    key(),
    #: For which line it counts; 0 for every line.
    Column("scope_line_id", Key, nullable=False),
    #: The line that heard it or was named.
    Column("line_id", Key),
    Column("handle", Text, nullable=False),
    #: hub.model.consent: ConsentAction, ConsentSource.
    Column("action", Text, nullable=False),
    Column("source", Text, nullable=False),
    instant("said_at", nullable=False),
    instant("recorded_at", nullable=False),
    Column("message_id", Key),
    Column("keyword", Text),
    Column("reason", Text),
    Column("api_key_id", Key),
    Column("is_applied", SmallInteger, nullable=False),
    #: BLAKE2b-128: the same word of the same message is heard once.
    Column("dedupe_key", LargeBinary, nullable=False, unique=True),
    #: Whether the line owes an automatic reply: null none, 0 owed, 1 sent.
    Column("reply_state", SmallInteger),
    Index(None, "handle", "id"),
    Index(
        "ix_consent_log_replies",
        "id",
        sqlite_where=text("reply_state = 0"),
        postgresql_where=text("reply_state = 0"),
    ),
)

#: Where each handle stands.
consents = Table(
    "consents",
    metadata,
    Column("scope_line_id", Key, nullable=False),
    Column("handle", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("source", Text, nullable=False),
    instant("said_at", nullable=False),
    instant("recorded_at", nullable=False),
    Column("line_id", Key),
    #: The entry of the log that says so; pages go by it.
    Column("entry_id", Key, nullable=False),
    PrimaryKeyConstraint("scope_line_id", "handle"),
    Index(None, "handle"),
    Index(None, "entry_id"),
)

#: Conversations that we began: each counts once.
openings = Table(
    "openings",
    metadata,
    Column("line_id", Key, nullable=False),
    Column("chat_key", Text, nullable=False),
    Column("outbox_id", Key, nullable=False),
    instant("opened_at", nullable=False),
    PrimaryKeyConstraint("line_id", "chat_key"),
    Index(None, "line_id", "opened_at"),
    sqlite_with_rowid=False,
)

#: What a line used of its budgets; `counter` is hub.rules.budget.Counter, the window begins at `window_start`.
line_counts = Table(
    "line_counts",
    metadata,
    Column("line_id", Key, nullable=False),
    Column("counter", SmallInteger, nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("line_id", "counter", "window_start"),
    sqlite_with_rowid=False,
)

#: What a line did on each of its days (by its own clock), as a worker last counted.
line_days = Table(
    "line_days",
    metadata,
    Column("line_id", Key, nullable=False),
    Column("day_start", BigInteger, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("received", Integer, nullable=False),
    Column("new_conversations", Integer, nullable=False),
    Column("undelivered", Integer, nullable=False),
    instant("counted_at", nullable=False),
    PrimaryKeyConstraint("line_id", "day_start"),
    sqlite_with_rowid=False,
)

#: How each line fares (hub.rules.line_health), and what its bridge last said.
line_health = Table(
    "line_health",
    metadata,
    Column("line_id", Key, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    instant("since", nullable=False),
    #: JSON list of {code, state, message}: what was not well at the last look.
    Column("warnings", Text, nullable=False),
    instant("worse_since"),
    instant("better_since"),
    #: The most messages in a row to one chat without an answer.
    Column("unanswered", Integer, nullable=False),
    instant("looked_at"),
    Column("bridge_status", Text),
    Column("bridge_reason", Text),
    instant("bridge_at"),
)
