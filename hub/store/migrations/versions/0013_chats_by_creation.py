"""Chats in the order in which the hub got to know them.

The index is explained in hub.store.schema; a test proves that both say the same.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a line's chats be walked along by their ids."""
    op.create_index("ix_chats_line_id_id", "chats", ["line_id", "id"])
