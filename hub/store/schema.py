"""The tables, once, for SQLite and PostgreSQL.

Migrations create them; a test proves that both say the same. Instants are integer Unix milliseconds UTC, ids are
time-ordered 63-bit integers (hub.model.ids), JSON is text because it is written once and read whole.
Deliveries and outbox items hold their own due time: a crash at any point leaves a row that comes due.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

#: SQLite gives only INTEGER PRIMARY KEY the row id itself; PostgreSQL needs BIGINT for 63 bits.
Key = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def _key() -> Column[int]:
    return Column("id", Key, primary_key=True, autoincrement=False)


def _instant(name: str, *, nullable: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


#: One row; its version rises with every change of lines, bridges, webhooks or keys, so that each process
#: knows within the transaction at hand that its compiled tables are stale.
revisions = Table(
    "revisions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

#: Running processes. A node number makes ids unique across processes.
processes = Table(
    "processes",
    metadata,
    Column("node", SmallInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    _instant("started_at", nullable=False),
    _instant("seen_at", nullable=False),
)

#: Which worker drains which share of the lanes. The lease is renewed by heartbeat; epoch fences a stalled owner.
shards = Table(
    "shards",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    _instant("lease_until", nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

bridges = Table(
    "bridges",
    metadata,
    _key(),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    #: Sealed JSON: [{"secret": "whsec_…", "expires_at": ms | null}, …], newest first.
    Column("secrets", LargeBinary, nullable=False),
    Column("cursor", Text),
    Column("is_enabled", SmallInteger, nullable=False),
    _instant("created_at", nullable=False),
)

lines = Table(
    "lines",
    metadata,
    _key(),
    Column("bridge_id", Key, ForeignKey("bridges.id"), nullable=False),
    Column("handle", Text, nullable=False, unique=True),
    Column("label", Text),
    Column("service", Text, nullable=False),
    Column("is_active", SmallInteger, nullable=False),
    #: Whether a contact must have written first (contracts: messages.dev §4).
    Column("is_contact_first", SmallInteger, nullable=False),
    Column("pace_ms", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_reason", Text),
    _instant("created_at", nullable=False),
)

chats = Table(
    "chats",
    metadata,
    _key(),
    Column("line_id", Key, ForeignKey("lines.id"), nullable=False),
    Column("chat_key", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("name", Text),
    Column("is_group", SmallInteger, nullable=False),
    Column("participants", Text, nullable=False),
    Column("has_inbound", SmallInteger, nullable=False),
    _instant("last_message_at"),
    _instant("created_at", nullable=False),
    UniqueConstraint("line_id", "chat_key"),
    Index(None, "line_id", "last_message_at", "id"),
)

messages = Table(
    "messages",
    metadata,
    _key(),
    Column("line_id", Key, nullable=False),
    Column("chat_id", Key, nullable=False),
    Column("guid", Text, nullable=False),
    #: 0 until the message itself was seen: a receipt may arrive before it.
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
    _instant("sent_at"),
    _instant("synced_at", nullable=False),
    _instant("delivered_at"),
    _instant("read_at"),
    _instant("failed_at"),
    Column("error", Text),
    _instant("edited_at"),
    _instant("unsent_at"),
    UniqueConstraint("line_id", "guid"),
    Index(None, "chat_id", "sent_at", "id"),
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
    _key(),
    Column("line_id", Key, nullable=False),
    Column("message_guid", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("is_from_me", SmallInteger, nullable=False),
    Column("is_added", SmallInteger, nullable=False),
    _instant("sent_at", nullable=False),
    _instant("synced_at", nullable=False),
    UniqueConstraint("line_id", "message_guid", "sender", "type"),
)

#: What bridges sent, byte for byte. (bridge_id, request_id) is also the memory of the replay protection.
raw_payloads = Table(
    "raw_payloads",
    metadata,
    _key(),
    Column("bridge_id", Key, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("bridge_id", "request_id"),
)

events = Table(
    "events",
    metadata,
    _key(),
    Column("type", Text, nullable=False),
    Column("line_id", Key),
    Column("chat_id", Key),
    #: BLAKE2b-128 of the dedupe key `{line}:{guid}:{kind}:{mark}`.
    Column("dedupe_key", LargeBinary, nullable=False, unique=True),
    #: When it happened, as the bridge tells; the id tells when it was recorded.
    _instant("occurred_at", nullable=False),
    Column("raw_id", Key),
    #: The native wire form of the event's `data` (contracts: messages.dev §6), rendered once.
    Column("data", Text, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    _key(),
    Column("line_id", Key),
    Column("url", Text, nullable=False),
    Column("patterns", Text, nullable=False),
    Column("condition", Text),
    #: Sealed JSON: [[name, value], …].
    Column("headers", LargeBinary),
    #: Sealed JSON as in bridges.secrets.
    Column("secrets", LargeBinary, nullable=False),
    Column("description", Text),
    Column("is_active", SmallInteger, nullable=False),
    Column("disabled_reason", Text),
    _instant("disabled_at"),
    #: When the present run of failures began; null after a success.
    _instant("failing_since"),
    #: JSON list of seconds, or null for the default schedule.
    Column("retry_schedule", Text),
    Column("timeout_ms", Integer),
    Column("concurrency", Integer),
    Column("rate_per_second", Integer),
    Column("is_ordered", SmallInteger, nullable=False),
    _instant("created_at", nullable=False),
    _instant("updated_at", nullable=False),
    _instant("deleted_at"),
)

#: state: 0 pending, 1 succeeded, 2 dead letter, 3 held (matched while its webhook was disabled), 4 cancelled.
deliveries = Table(
    "deliveries",
    metadata,
    _key(),
    Column("event_id", Key, nullable=False),
    Column("webhook_id", Key, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempt_count", SmallInteger, nullable=False),
    _instant("next_attempt_at", nullable=False),
    _instant("finished_at"),
    Column("last_status", SmallInteger),
    Column("reason", Text),
    UniqueConstraint("event_id", "webhook_id"),
    Index(None, "webhook_id", "id"),
    Index(
        "ix_deliveries_pending",
        "shard",
        "webhook_id",
        "next_attempt_at",
        "id",
        sqlite_where=text("state = 0"),
        postgresql_where=text("state = 0"),
    ),
    Index(
        "ix_deliveries_waiting_for_a_person",
        "webhook_id",
        "state",
        "id",
        sqlite_where=text("state IN (2, 3)"),
        postgresql_where=text("state IN (2, 3)"),
    ),
    #: Every delivery leaves the index of the pending ones; PostgreSQL must sweep up behind them soon.
    postgresql_with={"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_insert_scale_factor": 0.05},
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", Key, nullable=False),
    Column("number", SmallInteger, nullable=False),
    #: The signed timestamp.
    _instant("started_at", nullable=False),
    Column("duration_us", Integer, nullable=False),
    #: 0 success, 1 retryable, 2 permanent.
    Column("outcome", SmallInteger, nullable=False),
    Column("status", SmallInteger),
    Column("error", Text),
    Column("reason", Text),
    Column("address", Text),
    #: JSON {"method", "url", "headers"} with custom header values masked.
    Column("request", Text, nullable=False),
    #: JSON {"headers", "body", "is_truncated"}; null without an answer.
    Column("response", Text),
    PrimaryKeyConstraint("delivery_id", "number"),
    sqlite_with_rowid=False,
)

#: state: see hub.model.outbox.
outbox = Table(
    "outbox",
    metadata,
    _key(),
    Column("line_id", Key, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("api_key_id", Key),
    Column("kind", Text, nullable=False),
    #: The original request as the client sent it (contracts: messages.dev §3 OutboxItem.payload).
    Column("payload", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempt_count", SmallInteger, nullable=False),
    _instant("next_attempt_at", nullable=False),
    #: Set durably before the bridge is called; from then on an unknown outcome is looked up, never repeated.
    _instant("dispatched_at"),
    Column("provider_id", Text),
    Column("error", Text),
    _instant("created_at", nullable=False),
    _instant("completed_at"),
    Index(
        "ix_outbox_pending",
        "shard",
        "line_id",
        "next_attempt_at",
        "id",
        sqlite_where=text("state < 3"),
        postgresql_where=text("state < 3"),
    ),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("response", Text, nullable=False),
    _instant("created_at", nullable=False),
    PrimaryKeyConstraint("scope", "key"),
    #: For retention.
    Index(None, "created_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _key(),
    Column("name", Text, nullable=False),
    #: SHA-256 of the whole key; a key has 160 random bits, so a slow hash adds nothing.
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    #: JSON list of line ids; null for every line.
    Column("line_ids", Text),
    Column("requests_per_hour", Integer),
    _instant("created_at", nullable=False),
    _instant("expires_at"),
    _instant("revoked_at"),
)

jobs = Table(
    "jobs",
    metadata,
    _key(),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    #: Where a crash resumes.
    Column("cursor", BigInteger, nullable=False),
    Column("done_count", BigInteger, nullable=False),
    Column("total_count", BigInteger, nullable=False),
    Column("error", Text),
    _instant("created_at", nullable=False),
    _instant("finished_at"),
)

#: The simulated network behind the sandbox bridge: what its phones have seen.
sandbox_sends = Table(
    "sandbox_sends",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("line_handle", Text, nullable=False),
    Column("guid", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("fate", Text, nullable=False),
    #: How many steps of evidence were already told.
    Column("told_count", SmallInteger, nullable=False),
    _instant("next_evidence_at"),
    _instant("accepted_at", nullable=False),
    Column("content", Text, nullable=False),
    Index("ix_sandbox_sends_evidence", "next_evidence_at"),
)
