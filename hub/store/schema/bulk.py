"""Bulk sends: jobs, and their recipients as rows, so that a crash forgets nobody and repeats nobody."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, SmallInteger, Table, Text

from hub.store.schema.columns import Key, instant, key, metadata

bulk_jobs = Table(
    "bulk_jobs",
    metadata,
    key(),
    Column("line_id", Key, nullable=False),
    Column("api_key_id", Key),
    Column("name", Text),
    #: hub.model.bulk.BulkState.
    Column("state", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    instant("send_at"),
    Column("rate_per_minute", Integer),
    Column("metadata", Text),
    Column("total_count", Integer, nullable=False),
    Column("duplicate_count", Integer, nullable=False),
    Column("fed_count", Integer, nullable=False),
    instant("next_feed_at", nullable=False),
    instant("created_at", nullable=False),
    instant("finished_at"),
    #: The feeder asks for running ones.
    Index(None, "state", "id"),
)

bulk_recipients = Table(
    "bulk_recipients",
    metadata,
    Column("job_id", Key, ForeignKey("bulk_jobs.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("handle", Text, nullable=False),
    Column("text", Text, nullable=False),
    #: hub.model.bulk.RecipientState.
    Column("state", SmallInteger, nullable=False),
    Column("code", Text),
    Column("error", Text),
    Column("outbox_id", Key),
    Column("message_id", Key),
    #: JSON of a template that is sent in the place of the text.
    Column("template", Text),
    PrimaryKeyConstraint("job_id", "position"),
    sqlite_with_rowid=False,
)
