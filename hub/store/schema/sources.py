"""Inbound sources: what counts once, and what was turned away."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from hub.store.schema.columns import instant, key, metadata

#: Ids of events and single-use values of sources, each until a moment.
source_memory = Table(
    "source_memory",
    metadata,
    #: hub.rules.sources.intake.memory_key.
    Column("key", LargeBinary, primary_key=True),
    instant("expires_at", nullable=False),
    Index(None, "expires_at"),
)

#: Requests that were turned away, masked; the newest of each source.
source_rejections = Table(
    "source_rejections",
    metadata,
    key(),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("method", Text, nullable=False),
    #: JSON.
    Column("headers", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("body_bytes", Integer, nullable=False),
    instant("rejected_at", nullable=False),
    Index(None, "source", "id"),
)
