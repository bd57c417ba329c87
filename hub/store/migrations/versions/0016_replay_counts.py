"""How often deliveries that were over were sent again.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count replays."""
    column = sa.Column("replay_count", sa.SmallInteger(), nullable=False, server_default="0")
    op.add_column("deliveries", column)
