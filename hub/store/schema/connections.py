"""What the hub learned of its connections: tokens, rotated refresh tokens, why one is paused."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from hub.store.schema.columns import instant, metadata

connection_states = Table(
    "connection_states",
    metadata,
    #: As connections.yaml calls it.
    Column("name", Text, primary_key=True),
    #: Sealed; bound to the name.
    Column("content", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    instant("changed_at", nullable=False),
)
