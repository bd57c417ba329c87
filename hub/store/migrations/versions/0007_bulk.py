"""Bulk sends: one job, many recipients.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of bulk jobs, and an index to find their unfinished items."""
    op.create_table(
        "bulk_jobs",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("api_key_id", KEY, nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("send_at", sa.BigInteger(), nullable=True),
        sa.Column("rate_per_minute", sa.Integer(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=True),
        sa.Column("total_count", sa.Integer(), nullable=False),
        sa.Column("duplicate_count", sa.Integer(), nullable=False),
        sa.Column("fed_count", sa.Integer(), nullable=False),
        sa.Column("next_feed_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_jobs"),
    )
    op.create_index("ix_bulk_jobs_state_id", "bulk_jobs", ["state", "id"])
    op.create_table(
        "bulk_recipients",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("outbox_id", KEY, nullable=True),
        sa.Column("message_id", KEY, nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["bulk_jobs.id"], name="fk_bulk_recipients_job_id"),
        sa.PrimaryKeyConstraint("job_id", "position", name="pk_bulk_recipients"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_outbox_unfinished_of_job",
        "outbox",
        ["job_id", "id"],
        sqlite_where=sa.text("state < 3 AND job_id IS NOT NULL"),
        postgresql_where=sa.text("state < 3 AND job_id IS NOT NULL"),
    )
