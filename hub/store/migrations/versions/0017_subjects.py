"""The subjects of messages.

The column is explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep subjects."""
    op.add_column("messages", sa.Column("subject", sa.Text(), nullable=True))
