"""An index by which retention finds old answers on who can be reached, without reading them all.

The table is explained in hub.store.schema; a test proves that both say the same.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the time of the check."""
    op.create_index("ix_availability_checked_at", "availability", ["checked_at"])
