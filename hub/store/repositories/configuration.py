"""The revision, and what rose it: every process learns within its next transaction that its compiled tables are
stale, and which rows it has to read again. Not here: the reading (configurations).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, Table, text, update

from hub.store.schema import revisions

#: Stands for every table.
ANYTHING: Final = "*"

_REVISION = (
    update(revisions).where(revisions.c.name == "configuration").values(version=revisions.c.version + 1)
)
#: One row for each thing that ever changed. Whoever raises the revision holds its row until the commit, so a
#: snapshot that shows a revision shows all changes up to it.
_MARK = text(
    "INSERT INTO configuration_changes (noun, id, revision) "
    "SELECT :noun, :id, version FROM revisions WHERE name = 'configuration' "
    "ON CONFLICT (noun, id) DO UPDATE SET revision = excluded.revision"
)


def raise_revision(connection: Connection, table: Table | None = None, ids: Iterable[int] = ()) -> None:
    """Raise the version of lines, bridges, webhooks and keys, in the transaction that changes them.

    Args:
        connection: In the transaction, after its changes.
        table: Where rows were added, changed or deleted; None if that cannot be told, and every process reads
            everything again.
        ids: Which rows.
    """
    connection.execute(_REVISION)
    noun = ANYTHING if table is None else table.name
    connection.execute(
        _MARK, [{"noun": noun, "id": number} for number in (ids if table is not None else (0,))]
    )
