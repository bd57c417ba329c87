"""Routes, what was decided for events, and runs with their steps.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    _routes()
    _runs()
    op.create_table(
        "route_marks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("run_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_route_marks"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_route_marks_until", "route_marks", ["until"])


def _routes() -> None:
    op.create_table(
        "routes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("revision_id", KEY, nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("since_position", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_routes"),
    )
    op.create_table(
        "route_revisions",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("route_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_route_revisions"),
    )
    op.create_index("ix_route_revisions_route_id_id", "route_revisions", ["route_id", "id"])
    op.create_table(
        "route_state",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_route_state"),
    )
    op.create_table(
        "triages",
        sa.Column("event_id", KEY, autoincrement=False, nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("decided", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_triages"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("route_id", sa.Text(), nullable=False),
        sa.Column("revision_id", KEY, nullable=False),
        sa.Column("event_id", KEY, nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("lane", sa.BigInteger(), nullable=True),
        sa.Column("lane_limit", sa.SmallInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("is_shadow", sa.SmallInteger(), nullable=False),
        sa.Column("hops", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("failed_path", sa.Text(), nullable=True),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("origin_run_id", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    for name, columns, condition in (
        ("ix_runs_due", ["shard", "next_at", "id"], "state = 0"),
        ("ix_runs_lane", ["lane", "state", "id"], "state < 2 AND lane IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "runs", columns, sqlite_where=where, postgresql_where=where)
    for columns in (
        ["route_id", "id"],
        ["route_id", "state", "id"],
        ["event_id", "route_id"],
        ["state", "id"],
    ):
        op.create_index(f"ix_runs_{'_'.join(columns)}", "runs", columns)
    op.create_table(
        "run_steps",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "path", name="pk_run_steps"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_waits",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("chat_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("event_type", "chat_id", "run_id", "path", name="pk_run_waits"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_waits_run_id", "run_waits", ["run_id"])
