"""Files: what was uploaded or came in, where the bytes are, and who uses them.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = sa.text("state = 0")
PENDING = sa.text("state = 2")


def upgrade() -> None:
    """Create the tables of files."""
    op.create_table(
        "blobs",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_blobs"),
    )
    op.create_index(
        "uq_blobs_live", "blobs", ["digest"], unique=True, sqlite_where=LIVE, postgresql_where=LIVE
    )
    _create_files()
    op.create_table(
        "file_uses",
        sa.Column("file_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("line_id", KEY, nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name="fk_file_uses_file_id"),
        sa.PrimaryKeyConstraint("file_id", "kind", "user_id", name="pk_file_uses"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_file_uses_kind_user_id", "file_uses", ["kind", "user_id"])


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("blob_id", KEY, nullable=True),
        sa.Column("line_id", KEY, nullable=True),
        sa.Column("api_key_id", KEY, nullable=True),
        sa.Column("filename", sa.Text(), nullable=True),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("attempt_count", sa.SmallInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["blob_id"], ["blobs.id"], name="fk_files_blob_id"),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.UniqueConstraint("line_id", "source_key", name="uq_files_line_id_source_key"),
    )
    op.create_index("ix_files_touched_at_id", "files", ["touched_at", "id"])
    op.create_index("ix_files_blob_id", "files", ["blob_id"])
    op.create_index(
        "ix_files_pending", "files", ["next_attempt_at", "id"], sqlite_where=PENDING, postgresql_where=PENDING
    )
