"""Answers that are given again when a request is repeated.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let idempotency keys keep a whole answer."""
    op.add_column("idempotency_keys", sa.Column("lease_until", sa.BigInteger(), nullable=True))
    op.add_column("idempotency_keys", sa.Column("answer", sa.LargeBinary(), nullable=True))
