"""Find the replays of a run, and the runs of which what they knew is still kept.

The indexes are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_REPLAYS = sa.text("origin_run_id IS NOT NULL")
_KEPT = sa.text("facts <> ''")


def upgrade() -> None:
    """Index replays and payloads."""
    op.create_index(
        "ix_runs_origin", "runs", ["origin_run_id", "id"], sqlite_where=_REPLAYS, postgresql_where=_REPLAYS
    )
    op.create_index("ix_runs_payload", "runs", ["route_id", "id"], sqlite_where=_KEPT, postgresql_where=_KEPT)
