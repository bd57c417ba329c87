"""How the adapters of bridges reach their networks.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the settings of bridges, sealed."""
    op.add_column("bridges", sa.Column("settings", sa.LargeBinary(), nullable=True))
