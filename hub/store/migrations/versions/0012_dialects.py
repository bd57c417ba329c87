"""Keys and webhooks that speak a vendor's dialect.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let keys and webhooks name a dialect, and webhooks carry what their owner knows them by, and an end."""
    op.add_column("api_keys", sa.Column("dialect", sa.Text(), nullable=False, server_default="native"))
    op.add_column("webhooks", sa.Column("form", sa.Text(), nullable=False, server_default="native"))
    op.add_column("webhooks", sa.Column("metadata", sa.Text(), nullable=True))
    op.add_column("webhooks", sa.Column("expires_at", sa.BigInteger(), nullable=True))
