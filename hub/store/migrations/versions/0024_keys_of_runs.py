"""Keys under which steps of runs ask are kept with their runs, however long those take.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import json

import sqlalchemy as sa
from alembic import op

from hub.model.ids import Prefix, parse_id

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BY_AGE = sa.text("run_id IS NULL OR scope <> 'run'")
_OF_RUNS = sa.text("run_id IS NOT NULL")
_TAKES_UP = sa.text("key_run_id IS NOT NULL")
_runs = sa.table("runs", sa.column("id"), sa.column("facts"), sa.column("key_run_id"))


def upgrade() -> None:
    """Let keys name their run, and runs the run whose keys they have, which stood in what they know."""
    op.add_column("runs", sa.Column("key_run_id", KEY, nullable=True))
    op.create_index(
        "ix_runs_keys", "runs", ["key_run_id"], sqlite_where=_TAKES_UP, postgresql_where=_TAKES_UP
    )
    op.add_column("idempotency_keys", sa.Column("run_id", KEY, nullable=True))
    op.drop_index("ix_idempotency_keys_created_at", "idempotency_keys")
    op.create_index(
        "ix_idempotency_keys_age",
        "idempotency_keys",
        ["created_at"],
        sqlite_where=_BY_AGE,
        postgresql_where=_BY_AGE,
    )
    op.create_index(
        "ix_idempotency_keys_run",
        "idempotency_keys",
        ["run_id"],
        sqlite_where=_OF_RUNS,
        postgresql_where=_OF_RUNS,
    )
    _move_seeds()


def _move_seeds() -> None:
    connection = op.get_bind()
    having = sa.select(_runs.c.id, _runs.c.facts).where(_runs.c.facts.like('%"key_seed":"run_%'))
    for run_id, facts in connection.execute(having).all():
        seed = json.loads(facts)["key_seed"]
        if seed is not None:
            key_run_id = parse_id(Prefix.RUN, seed)
            connection.execute(_runs.update().where(_runs.c.id == run_id).values(key_run_id=key_run_id))
