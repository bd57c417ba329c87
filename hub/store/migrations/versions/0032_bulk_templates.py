"""Bulk sends of a template.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a recipient get a template in the place of a text."""
    op.add_column("bulk_recipients", sa.Column("template", sa.Text(), nullable=True))
