"""Messages from the moment they are asked for, and what their sends need to know.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OUTBOX_INDEXES = {
    "ix_outbox_waiting": (
        ["shard", "line_id", "priority", "next_attempt_at", "id"],
        "state < 3 AND attempt_count = 0",
    ),
    "ix_outbox_started": (["shard", "line_id", "id"], "state < 3 AND attempt_count > 0"),
    "ix_outbox_message": (["message_id", "id"], "message_id IS NOT NULL"),
    "ix_outbox_job": (["job_id", "id"], "job_id IS NOT NULL"),
    "ix_outbox_placeholder": (["placeholder_id"], "placeholder_id IS NOT NULL"),
    "ix_outbox_set": (["set_id", "id"], "set_id IS NOT NULL"),
}


def upgrade() -> None:
    """Add the columns of sends, schedules and results."""
    op.add_column("messages", sa.Column("queued_at", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("accepted_at", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("cancelled_at", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("send_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "messages", sa.Column("was_downgraded", sa.SmallInteger(), nullable=False, server_default="0")
    )
    op.add_column("messages", sa.Column("metadata", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("job_id", KEY, nullable=True))
    op.create_index("ix_messages_line_id_sent_at_id", "messages", ["line_id", "sent_at", "id"])
    of_jobs = sa.text("job_id IS NOT NULL")
    op.create_index(
        "ix_messages_job",
        "messages",
        ["job_id", "sent_at", "id"],
        sqlite_where=of_jobs,
        postgresql_where=of_jobs,
    )
    op.add_column("outbox", sa.Column("message_id", KEY, nullable=True))
    op.add_column("outbox", sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("parts_done", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("result", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("job_id", KEY, nullable=True))
    op.add_column("outbox", sa.Column("set_id", KEY, nullable=True))
    op.add_column("outbox", sa.Column("is_counted", sa.SmallInteger(), nullable=False, server_default="1"))
    op.add_column("outbox", sa.Column("placeholder_id", KEY, nullable=True))
    op.add_column("outbox", sa.Column("evidence_key", sa.LargeBinary(), nullable=True))
    for name, (columns, condition) in OUTBOX_INDEXES.items():
        where = sa.text(condition)
        op.create_index(name, "outbox", columns, sqlite_where=where, postgresql_where=where)
    # What a network has shown outranks from now on what we were only asked for (hub.flow.rows.Known).
    op.execute("UPDATE messages SET is_known = 2 WHERE is_known = 1")
