"""Contacts with their handles and tags, lists of them, and how their handles can be reached.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SORTED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables of contacts."""
    _create_contacts()
    _create_contact_handles()
    _create_contact_tags()
    _create_contact_groups()
    _create_contact_group_members()
    _create_availability()


def _create_contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("organization", sa.Text(), nullable=True),
        sa.Column("job_title", sa.Text(), nullable=True),
        sa.Column("handles", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("sort_name", SORTED, nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
    )
    op.create_index("ix_contacts_sort_name_id", "contacts", ["sort_name", "id"])


def _create_contact_handles() -> None:
    op.create_table(
        "contact_handles",
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("contact_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_contact_handles_contact_id"),
        sa.PrimaryKeyConstraint("handle", name="pk_contact_handles"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contact_handles_contact_id", "contact_handles", ["contact_id"])


def _create_contact_tags() -> None:
    op.create_table(
        "contact_tags",
        sa.Column("contact_id", KEY, nullable=False),
        sa.Column("tag", SORTED, nullable=False),
        sa.Column("sort_name", SORTED, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_contact_tags_contact_id"),
        sa.PrimaryKeyConstraint("contact_id", "tag", name="pk_contact_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contact_tags_tag_contact_id", "contact_tags", ["tag", "contact_id"])
    op.create_index(
        "ix_contact_tags_tag_sort_name_contact_id", "contact_tags", ["tag", "sort_name", "contact_id"]
    )


def _create_contact_groups() -> None:
    op.create_table(
        "contact_groups",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact_groups"),
        sa.UniqueConstraint("name", name="uq_contact_groups_name"),
    )


def _create_contact_group_members() -> None:
    op.create_table(
        "contact_group_members",
        sa.Column("group_id", KEY, nullable=False),
        sa.Column("contact_id", KEY, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["contact_groups.id"], name="fk_contact_group_members_group_id"
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_contact_group_members_contact_id"),
        sa.PrimaryKeyConstraint("group_id", "contact_id", name="pk_contact_group_members"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contact_group_members_contact_id", "contact_group_members", ["contact_id"])


def _create_availability() -> None:
    op.create_table(
        "availability",
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("outbox_id", KEY, nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("line_id", "handle", name="pk_availability"),
        sqlite_with_rowid=False,
    )
