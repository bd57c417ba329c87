"""Agents: machines that run a bridge beside its network, and what they are asked for (docs/decisions)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from hub.store.schema.columns import Key, instant, key, metadata

#: The agent of a bridge, as it last told.
bridge_agents = Table(
    "bridge_agents",
    metadata,
    Column("bridge_id", Key, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Text, nullable=False),
    #: Rises with each new name.
    Column("fence", BigInteger, nullable=False),
    #: JSON list of hub.model.capability.
    Column("capabilities", Text, nullable=False),
    Column("health", Text, nullable=False),
    Column("health_reason", Text),
    instant("heard_at", nullable=False),
    #: What it runs as, and on which system.
    Column("program", Text),
    Column("os", Text),
    #: When it last took a call.
    instant("called_at"),
)

#: What agents are asked for: hub.model.bridge_call.
bridge_calls = Table(
    "bridge_calls",
    metadata,
    key(),
    Column("bridge_id", Key, nullable=False),
    Column("verb", Text, nullable=False),
    Column("attempt_id", Text),
    #: JSON: hub.flow.agent_calls.
    Column("asked", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("fence", BigInteger),
    instant("lease_until"),
    #: JSON of hub.model.outbox.OperationOutcome.
    Column("outcome", Text),
    instant("created_at", nullable=False),
    #: What an agent claims, and what is forgotten.
    Index("ix_bridge_calls_bridge_id_state_id", "bridge_id", "state", "id"),
    #: What became of an attempt.
    Index("ix_bridge_calls_attempt_id", "attempt_id"),
)

#: Pieces of attachments on their way from an agent to whoever asked; few at a time.
bridge_call_pieces = Table(
    "bridge_call_pieces",
    metadata,
    Column("call_id", Key, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
