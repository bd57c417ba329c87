"""What bridges brought and could not be taken in (hub.model.refused)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from hub.store.schema.columns import Key, instant, key, metadata

#: Of each bridge the few that came last.
refused_payloads = Table(
    "refused_payloads",
    metadata,
    key(),
    Column("bridge_id", Key, nullable=False),
    #: Of the bytes and the code: what came again is the same row.
    Column("digest", LargeBinary, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("event", Text),
    #: Sealed: the bytes, and what a request needs beside them.
    Column("payload", LargeBinary, nullable=False),
    #: Bytes before it was cut.
    Column("size", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    instant("first_at", nullable=False),
    instant("last_at", nullable=False),
    Index("uq_refused_payloads_bridge_id_digest", "bridge_id", "digest", unique=True),
    Index(None, "bridge_id", "last_at"),
    Index(None, "last_at"),
)
