"""Who takes care of a chat.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep assignees."""
    op.add_column("chats", sa.Column("assignee", sa.Text(), nullable=True))
    op.add_column("chats", sa.Column("assigned_at", sa.BigInteger(), nullable=True))
