"""Reading on: positions of events in the order of their commits, and indexes for what people ask.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Place every event that is there where its id says."""
    op.add_column("events", sa.Column("position", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE events SET position = id")
    op.create_index("ix_events_position", "events", ["position", "line_id", "chat_id", "type"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE event_positions AS BIGINT")
        op.execute("SELECT setval('event_positions', coalesce(max(position), 1)) FROM events")
        op.execute("ALTER TABLE events SET (autovacuum_vacuum_insert_scale_factor = 0.05)")
    _create_partial("ix_deliveries_refused", "deliveries", ["webhook_id", "id"], "last_status >= 300")
    _create_partial("ix_outbox_failed", "outbox", ["line_id", "id"], "state = 4")


def _create_partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
