"""What a line can do, and how we stand in a chat.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns of capabilities, reading marks and group pictures."""
    op.add_column("lines", sa.Column("capabilities", sa.Text(), nullable=True))
    op.add_column("lines", sa.Column("capabilities_off", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("chats", sa.Column("own_read_at", sa.BigInteger(), nullable=True))
    op.add_column("chats", sa.Column("is_marked_unread", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("chats", sa.Column("icon_file_id", KEY, nullable=True))
    op.add_column("chats", sa.Column("background", sa.Text(), nullable=True))
    op.add_column("chats", sa.Column("left_at", sa.BigInteger(), nullable=True))
