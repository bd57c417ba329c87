"""What the hub is made of, read whole or in what changed, in one snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, select

from hub.flow.configuration import Configuration
from hub.store.database import Database
from hub.store.repositories.bridges import bridge_from
from hub.store.repositories.configuration import ANYTHING
from hub.store.repositories.lines import line_from
from hub.store.repositories.webhooks import PRESENT, webhook_from
from hub.store.schema import bridges, configuration_changes, lines, revisions, webhooks
from hub.store.sealing import Sealer

_VERSION = select(revisions.c.version).where(revisions.c.name == "configuration")
_ALL: Final[Mapping[Table, Select[Any]]] = {
    bridges: select(bridges),
    lines: select(lines),
    webhooks: select(webhooks).where(PRESENT),
}
_FAILING = select(webhooks.c.id, webhooks.c.failing_since).where(
    webhooks.c.failing_since.is_not(None), PRESENT
)
#: More changes than this are read with everything.
MOST_CHANGED: Final = 500
#: Unsealing and decoding more rows than this would keep other requests waiting.
_MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class _Read:
    """Rows as they came, and the ids that had changed; None for all."""

    revision: int
    changed: Mapping[Table, frozenset[int]] | None
    rows: Mapping[Table, Sequence[Row[Any]]]


class SqlConfigurations:
    """hub.flow.configuration.Configurations."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def read(self, *, since: int | None = None) -> Configuration:
        read = await self._database.read(lambda connection: _read(connection, since))
        if sum(map(len, read.rows.values())) <= _MOST_AT_ONCE:
            return self._decoded(read)
        return await asyncio.to_thread(self._decoded, read)

    async def failing(self) -> Mapping[int, int]:
        rows = await self._database.read(lambda connection: connection.execute(_FAILING).all())
        return {row[0]: row[1] for row in rows}

    def _decoded(self, read: _Read) -> Configuration:
        return Configuration(
            revision=read.revision,
            lines=[line_from(row) for row in read.rows[lines]],
            bridges=[bridge_from(row, self._sealer) for row in read.rows[bridges]],
            webhooks=[webhook_from(row, self._sealer) for row in read.rows[webhooks]],
            is_whole=read.changed is None,
            gone_lines=_gone(read, lines),
            gone_bridges=_gone(read, bridges),
            gone_webhooks=_gone(read, webhooks),
        )


def _gone(read: _Read, table: Table) -> frozenset[int]:
    if read.changed is None:
        return frozenset()
    return read.changed[table] - {row.id for row in read.rows[table]}


def _read(connection: Connection, since: int | None) -> _Read:
    revision: int = connection.execute(_VERSION).scalar_one()
    changed = None if since is None else _changed(connection, since)
    if changed is None:
        return _Read(revision, None, {table: connection.execute(_ALL[table]).all() for table in _ALL})
    return _Read(revision, changed, {table: _some(connection, table, changed[table]) for table in _ALL})


def _changed(connection: Connection, since: int) -> Mapping[Table, frozenset[int]] | None:
    """The ids of what changed; None if that cannot be told or is more than one statement should name."""
    marks = configuration_changes
    query = select(marks.c.noun, marks.c.id).where(marks.c.revision > since).limit(MOST_CHANGED + 1)
    rows = connection.execute(query).all()
    if len(rows) > MOST_CHANGED or any(noun == ANYTHING for noun, _ in rows):
        return None
    return {table: frozenset(number for noun, number in rows if noun == table.name) for table in _ALL}


def _some(connection: Connection, table: Table, ids: frozenset[int]) -> Sequence[Row[Any]]:
    return connection.execute(_ALL[table].where(table.c.id.in_(sorted(ids)))).all() if ids else ()
