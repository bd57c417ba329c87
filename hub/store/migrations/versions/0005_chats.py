"""What a line can do, and how we stand in a chat.

The tables are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what lines can do, how we stand in a chat, and the tables of groups, polls, places and cards."""
    op.add_column("lines", sa.Column("capabilities", sa.Text(), nullable=True))
    op.add_column("lines", sa.Column("capabilities_off", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("chats", sa.Column("named_at", sa.BigInteger(), nullable=True))
    op.add_column("chats", sa.Column("listed_at", sa.BigInteger(), nullable=True))
    op.add_column("chats", sa.Column("own_read_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "chats", sa.Column("is_marked_unread", sa.SmallInteger(), nullable=False, server_default="0")
    )
    op.add_column("chats", sa.Column("icon_file_id", KEY, nullable=True))
    op.add_column("chats", sa.Column("background", sa.Text(), nullable=True))
    op.add_column("chats", sa.Column("left_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_chats_groups",
        "chats",
        ["line_id", "last_message_at", "id"],
        sqlite_where=sa.text("is_group = 1"),
        postgresql_where=sa.text("is_group = 1"),
    )
    _create_members()
    _create_polls()
    _create_shared()
    _create_memory()


def _create_members() -> None:
    op.create_table(
        "chat_members",
        sa.Column("chat_id", KEY, nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("is_member", sa.SmallInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chat_id", "handle", name="pk_chat_members"),
    )


def _create_polls() -> None:
    op.create_table(
        "polls",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("chat_id", KEY, nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("creator", sa.Text(), nullable=True),
        sa.Column("is_from_me", sa.SmallInteger(), nullable=False),
        sa.Column("outbox_id", KEY, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_polls"),
        sa.UniqueConstraint("line_id", "guid", name="uq_polls_line_id_guid"),
    )
    op.create_index("ix_polls_chat_id_id", "polls", ["chat_id", "id"])
    op.create_table(
        "poll_votes",
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("poll_guid", sa.Text(), nullable=False),
        sa.Column("voter", sa.Text(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("voted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("line_id", "poll_guid", "voter", name="pk_poll_votes"),
    )


def _create_shared() -> None:
    op.create_table(
        "places",
        sa.Column("line_id", KEY, nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("located_at", sa.BigInteger(), nullable=True),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("line_id", "handle", name="pk_places"),
    )
    op.create_table(
        "contact_cards",
        sa.Column("line_id", KEY, autoincrement=False, nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name="fk_contact_cards_line_id"),
        sa.PrimaryKeyConstraint("line_id", name="pk_contact_cards"),
    )


def _create_memory() -> None:
    """Let the simulated network find a send by its id, and know more than sends."""
    op.create_index("ix_sandbox_sends_guid", "sandbox_sends", ["guid"])
    op.create_table(
        "sandbox_memory",
        sa.Column("line_handle", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("line_handle", "name", name="pk_sandbox_memory"),
    )
