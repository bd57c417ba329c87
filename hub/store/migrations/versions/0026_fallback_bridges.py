"""Lines with a second bridge.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a line name the bridge that sends as SMS."""
    op.add_column(
        "lines",
        sa.Column("fallback_bridge_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
