"""Outbox items as people see them; the hot path writes them."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from hub.model.outbox import OperationKind, OutboxItem, OutboxState
from hub.store.database import Database
from hub.store.schema import outbox

_COLUMNS = [outbox.c[name] for name in OutboxItem.__dataclass_fields__]


class SqlOutbox:
    """hub.flow.repositories.Outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, outbox_id: int) -> OutboxItem | None:
        query = select(*_COLUMNS).where(outbox.c.id == outbox_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        values = dict(row._mapping)
        values["kind"] = OperationKind(row.kind)
        values["state"] = OutboxState(row.state)
        values["payload"] = msgspec.json.decode(row.payload, type=dict[str, object])
        return OutboxItem(**values)
