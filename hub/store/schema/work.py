"""What is owed: deliveries with their attempts, outbox items, long jobs; and the keys that make repeats harmless."""

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
    UniqueConstraint,
    text,
)

from hub.store.schema.columns import Key, instant, key, metadata

#: state: 0 pending, 1 succeeded, 2 dead letter, 3 held (matched while its webhook was disabled), 4 cancelled.
deliveries = Table(
    "deliveries",
    metadata,
    key(),
    Column("event_id", Key, nullable=False),
    Column("webhook_id", Key, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempt_count", SmallInteger, nullable=False),
    instant("next_attempt_at", nullable=False),
    instant("finished_at"),
    Column("last_status", SmallInteger),
    Column("reason", Text),
    #: How often it was made due again after it was over.
    Column("replay_count", SmallInteger, nullable=False, server_default="0"),
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
    #: Those whose last answer was no 2xx: few among the many of a webhook.
    Index(
        "ix_deliveries_refused",
        "webhook_id",
        "id",
        sqlite_where=text("last_status >= 300"),
        postgresql_where=text("last_status >= 300"),
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
    instant("started_at", nullable=False),
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
    key(),
    Column("line_id", Key, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("api_key_id", Key),
    Column("kind", Text, nullable=False),
    #: The original request as the client sent it (contracts: messages.dev §3 OutboxItem.payload).
    Column("payload", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempt_count", SmallInteger, nullable=False),
    instant("next_attempt_at", nullable=False),
    #: Set durably before the bridge is called; from then on an unknown outcome is looked up, never repeated.
    instant("dispatched_at"),
    Column("provider_id", Text),
    Column("error", Text),
    instant("created_at", nullable=False),
    instant("completed_at"),
    #: The message that it sends, or acts on.
    Column("message_id", Key),
    #: 0 to 100: higher first, first in first out among equals.
    Column("priority", SmallInteger, nullable=False, server_default="0"),
    #: Parts that the network has; a retry begins after them.
    Column("parts_done", SmallInteger, nullable=False, server_default="0"),
    #: JSON object that the bridge gave back, where an operation has more to tell than that it was done.
    Column("result", Text),
    #: The bulk job that it belongs to.
    Column("job_id", Key),
    #: The first item of its request, where one request asked for several.
    Column("set_id", Key),
    #: Whether it took its part of the line's budgets when it was accepted; what is put off takes it when it is due.
    Column("is_counted", SmallInteger, nullable=False, server_default="1"),
    #: The message that was asked for, where it was folded into the one that its network showed: `message_id`.
    Column("placeholder_id", Key),
    #: The dedupe key of the evidence that showed its outcome: it is told once, by the outcome or by the evidence.
    Column("evidence_key", LargeBinary),
    #: What a bulk job has begun and not ended.
    Index(
        "ix_outbox_unfinished_of_job",
        "job_id",
        "id",
        sqlite_where=text("state < 3 AND job_id IS NOT NULL"),
        postgresql_where=text("state < 3 AND job_id IS NOT NULL"),
    ),
    Index(
        "ix_outbox_pending",
        "shard",
        "line_id",
        "next_attempt_at",
        "id",
        sqlite_where=text("state < 3"),
        postgresql_where=text("state < 3"),
    ),
    #: Never tried: which comes next, whatever waits behind it.
    Index(
        "ix_outbox_waiting",
        "shard",
        "line_id",
        "priority",
        "next_attempt_at",
        "id",
        sqlite_where=text("state < 3 AND attempt_count = 0"),
        postgresql_where=text("state < 3 AND attempt_count = 0"),
    ),
    #: Tried, and not at its end.
    Index(
        "ix_outbox_started",
        "shard",
        "line_id",
        "id",
        sqlite_where=text("state < 3 AND attempt_count > 0"),
        postgresql_where=text("state < 3 AND attempt_count > 0"),
    ),
    #: What was ever done for a message.
    Index(
        "ix_outbox_message",
        "message_id",
        "id",
        sqlite_where=text("message_id IS NOT NULL"),
        postgresql_where=text("message_id IS NOT NULL"),
    ),
    Index(
        "ix_outbox_job",
        "job_id",
        "id",
        sqlite_where=text("job_id IS NOT NULL"),
        postgresql_where=text("job_id IS NOT NULL"),
    ),
    #: Counted a line at a time.
    Index(
        "ix_outbox_failed",
        "line_id",
        "id",
        sqlite_where=text("state = 4"),
        postgresql_where=text("state = 4"),
    ),
    Index(
        "ix_outbox_placeholder",
        "placeholder_id",
        sqlite_where=text("placeholder_id IS NOT NULL"),
        postgresql_where=text("placeholder_id IS NOT NULL"),
    ),
    Index(
        "ix_outbox_set",
        "set_id",
        "id",
        sqlite_where=text("set_id IS NOT NULL"),
        postgresql_where=text("set_id IS NOT NULL"),
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
    instant("created_at", nullable=False),
    #: Until when a request whose answer is kept whole is surely being worked on; null for sends.
    instant("lease_until"),
    #: Sealed, because it may hold what is shown only once; null until it is there, empty when it could not be kept.
    Column("answer", LargeBinary),
    #: Of a key that a step of a run asked under: the run that the keys belong to (`runs.key_run_id`, else its id).
    Column("run_id", Key),
    PrimaryKeyConstraint("scope", "key"),
    #: For retention: those that go by their age. Keys of steps (scope `run`) go with their run.
    Index(
        "ix_idempotency_keys_age",
        "created_at",
        sqlite_where=text("run_id IS NULL OR scope <> 'run'"),
        postgresql_where=text("run_id IS NULL OR scope <> 'run'"),
    ),
    Index(
        "ix_idempotency_keys_run",
        "run_id",
        sqlite_where=text("run_id IS NOT NULL"),
        postgresql_where=text("run_id IS NOT NULL"),
    ),
)

jobs = Table(
    "jobs",
    metadata,
    key(),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    #: Where a crash resumes.
    Column("cursor", BigInteger, nullable=False),
    Column("done_count", BigInteger, nullable=False),
    Column("total_count", BigInteger, nullable=False),
    Column("error", Text),
    instant("created_at", nullable=False),
    instant("finished_at"),
)
