"""Outbox items as people see them; the hot path writes them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, select

from hub.model.outbox import OperationKind, OutboxItem, OutboxState
from hub.store.database import Database
from hub.store.schema import outbox

_COLUMNS = [outbox.c[name] for name in OutboxItem.__dataclass_fields__]


def _item(row: Row[Any]) -> OutboxItem:
    values = dict(row._mapping)
    values["kind"] = OperationKind(row.kind)
    values["state"] = OutboxState(row.state)
    values["payload"] = msgspec.json.decode(row.payload, type=dict[str, object])
    values["result"] = None if row.result is None else msgspec.json.decode(row.result, type=dict[str, object])
    return OutboxItem(**values)


class SqlOutbox:
    """hub.flow.repositories.Outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, outbox_id: int) -> OutboxItem | None:
        query = select(*_COLUMNS).where(outbox.c.id == outbox_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _item(row)

    async def of_message(self, message_id: int) -> list[OutboxItem]:
        query = select(*_COLUMNS).where(outbox.c.message_id == message_id).order_by(outbox.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_item(row) for row in rows]
