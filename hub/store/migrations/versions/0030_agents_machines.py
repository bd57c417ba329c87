"""What agents say of their machines, and when they last took a call.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep program, system and last call."""
    op.add_column("bridge_agents", sa.Column("program", sa.Text(), nullable=True))
    op.add_column("bridge_agents", sa.Column("os", sa.Text(), nullable=True))
    op.add_column("bridge_agents", sa.Column("called_at", sa.BigInteger(), nullable=True))
