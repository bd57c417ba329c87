"""The revision: tells every process within its next transaction that its compiled tables are stale."""

from __future__ import annotations

from sqlalchemy import Connection, update

from hub.store.schema import revisions


def raise_revision(connection: Connection) -> None:
    """Raise the version of lines, bridges, webhooks and keys, in the transaction that changes them."""
    changed = update(revisions).where(revisions.c.name == "configuration")
    connection.execute(changed.values(version=revisions.c.version + 1))
