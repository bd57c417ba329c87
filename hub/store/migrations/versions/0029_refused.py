"""Payloads of bridges that could not be taken in.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep them."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "refused_payloads",
        sa.Column("id", key, autoincrement=False, nullable=False),
        sa.Column("bridge_id", key, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refused_payloads"),
    )
    op.create_index(
        "uq_refused_payloads_bridge_id_digest", "refused_payloads", ["bridge_id", "digest"], unique=True
    )
    op.create_index("ix_refused_payloads_bridge_id_last_at", "refused_payloads", ["bridge_id", "last_at"])
    op.create_index("ix_refused_payloads_last_at", "refused_payloads", ["last_at"])
