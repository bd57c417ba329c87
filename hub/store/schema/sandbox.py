"""The simulated network behind the sandbox bridge."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, SmallInteger, Table, Text

from hub.store.schema.columns import instant, metadata

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
    instant("next_evidence_at"),
    instant("accepted_at", nullable=False),
    Column("content", Text, nullable=False),
    Index("ix_sandbox_sends_evidence", "next_evidence_at"),
    Index(None, "guid"),
)

#: What the simulated network knows beside the sends: groups, backgrounds, the line's contact card.
sandbox_memory = Table(
    "sandbox_memory",
    metadata,
    Column("line_handle", Text, nullable=False),
    #: A chat key, or what it is about.
    Column("name", Text, nullable=False),
    #: JSON object.
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("line_handle", "name"),
)
