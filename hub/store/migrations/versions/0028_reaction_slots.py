"""One reaction of each person on a message, where the network knows no more.

The columns are explained in hub.store.schema; a test proves that both say the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

#: Every network so far keeps one of a person; the latest word is the one that counts.
_REPLACED = """
DELETE FROM reactions WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (
            PARTITION BY line_id, message_guid, sender ORDER BY sent_at DESC, is_added DESC, is_from_me DESC, id DESC
        ) AS place FROM reactions
    ) AS ranked WHERE place > 1
)
"""


def upgrade() -> None:
    """Forget what was replaced, and let a new reaction replace the old one."""
    op.execute(_REPLACED)
    with op.batch_alter_table("reactions") as table:
        table.add_column(sa.Column("slot", sa.Text(), nullable=False, server_default=""))
        table.drop_constraint("uq_reactions_line_id_message_guid_sender_type", type_="unique")
        table.create_unique_constraint(
            "uq_reactions_line_id_message_guid_sender_slot", ["line_id", "message_guid", "sender", "slot"]
        )
