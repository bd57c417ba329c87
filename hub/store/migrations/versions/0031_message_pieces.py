"""Messages that their network carries as several.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep which of the network's messages became of one of ours."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "message_pieces",
        sa.Column("line_id", key, autoincrement=False, nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("message_id", key, nullable=False),
        sa.Column("outbox_id", key, nullable=False),
        sa.Column("first_part", sa.SmallInteger(), nullable=False),
        sa.Column("part_count", sa.SmallInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("unsent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("line_id", "guid", name="pk_message_pieces"),
    )
    op.create_index("ix_message_pieces_message_id", "message_pieces", ["message_id"])
