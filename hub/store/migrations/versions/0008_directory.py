"""Which revision changed what, so that processes read again only what changed.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table of changes. It begins empty: every process reads everything when it starts."""
    op.create_table(
        "configuration_changes",
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("noun", "id", name="pk_configuration_changes"),
    )
    op.create_index("ix_configuration_changes_revision", "configuration_changes", ["revision"], unique=False)
