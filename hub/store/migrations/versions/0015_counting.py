"""Indexes of messages that also tell what is listed and who wrote it, so that counting reads no rows.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the longer indexes in the place of the shorter ones."""
    told = ["is_known", "is_from_me"]
    for owner in ("chat", "line"):
        name, columns = f"ix_messages_{owner}", [f"{owner}_id", "sent_at", "id"]
        if op.get_bind().dialect.name == "postgresql":
            op.create_index(name, "messages", columns, postgresql_include=told)
        else:
            op.create_index(name, "messages", [*columns, *told])
        op.drop_index(f"ix_messages_{owner}_id_sent_at_id", "messages")
