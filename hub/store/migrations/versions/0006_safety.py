"""What keeps a line safe: consent, budgets, health.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of consent and line health."""
    op.add_column("lines", sa.Column("safety", sa.Text(), nullable=False, server_default="{}"))
    _create_consent()
    _create_budgets()
    _create_health()


def _create_consent() -> None:
    op.create_table(
        "consent_log",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("scope_line_id", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=True),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("message_id", KEY, nullable=True),
        sa.Column("keyword", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("api_key_id", KEY, nullable=True),
        sa.Column("is_applied", sa.SmallInteger(), nullable=False),
        sa.Column("dedupe_key", sa.LargeBinary(), nullable=False),
        sa.Column("reply_state", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_consent_log"),
        sa.UniqueConstraint("dedupe_key", name="uq_consent_log_dedupe_key"),
    )
    op.create_index("ix_consent_log_handle_id", "consent_log", ["handle", "id"])
    op.create_index(
        "ix_consent_log_replies",
        "consent_log",
        ["id"],
        sqlite_where=sa.text("reply_state = 0"),
        postgresql_where=sa.text("reply_state = 0"),
    )
    op.create_table(
        "consents",
        sa.Column("scope_line_id", KEY, nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("line_id", KEY, nullable=True),
        sa.Column("entry_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("scope_line_id", "handle", name="pk_consents"),
    )
    op.create_index("ix_consents_handle", "consents", ["handle"])
    op.create_index("ix_consents_entry_id", "consents", ["entry_id"])


def _create_budgets() -> None:
    op.create_table(
        "openings",
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("chat_key", sa.Text(), nullable=False),
        sa.Column("outbox_id", KEY, nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("line_id", "chat_key", name="pk_openings"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_openings_line_id_opened_at", "openings", ["line_id", "opened_at"])
    op.create_table(
        "line_counts",
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("counter", sa.SmallInteger(), nullable=False),
        sa.Column("window_start", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("line_id", "counter", "window_start", name="pk_line_counts"),
        sqlite_with_rowid=False,
    )


def _create_health() -> None:
    op.create_table(
        "line_days",
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("day_start", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("new_conversations", sa.Integer(), nullable=False),
        sa.Column("undelivered", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("line_id", "day_start", name="pk_line_days"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "line_health",
        sa.Column("line_id", KEY, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("worse_since", sa.BigInteger(), nullable=True),
        sa.Column("better_since", sa.BigInteger(), nullable=True),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=True),
        sa.Column("bridge_status", sa.Text(), nullable=True),
        sa.Column("bridge_reason", sa.Text(), nullable=True),
        sa.Column("bridge_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("line_id", name="pk_line_health"),
    )
