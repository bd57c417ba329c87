"""Agents: machines that run a bridge beside its network, and what they are asked for.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep agents, the calls to them, and what they bring."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("bridges", sa.Column("agent", sa.Text(), nullable=True))
    op.create_table(
        "bridge_agents",
        sa.Column("bridge_id", key, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("capabilities", sa.Text(), nullable=False),
        sa.Column("health", sa.Text(), nullable=False),
        sa.Column("health_reason", sa.Text(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bridge_id", name="pk_bridge_agents"),
    )
    op.create_table(
        "bridge_calls",
        sa.Column("id", key, autoincrement=False, nullable=False),
        sa.Column("bridge_id", key, nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bridge_calls"),
    )
    op.create_index("ix_bridge_calls_bridge_id_state_id", "bridge_calls", ["bridge_id", "state", "id"])
    op.create_index("ix_bridge_calls_attempt_id", "bridge_calls", ["attempt_id"])
    op.create_table(
        "bridge_call_pieces",
        sa.Column("call_id", key, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "number", name="pk_bridge_call_pieces"),
    )
