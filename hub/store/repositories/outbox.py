"""Outbox items as people see them; the hot path writes them."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, select

from hub.model.outbox import OperationKind, OutboxItem, OutboxState
from hub.store.database import Database
from hub.store.schema import outbox

_COLUMNS = [outbox.c[name] for name in OutboxItem.__dataclass_fields__]
# Put together once: that takes longer than to run them, and who waits asks often.
_BY_ID = select(*_COLUMNS).where(outbox.c.id == bindparam("id"))
_OF_MESSAGE = select(*_COLUMNS).where(outbox.c.message_id == bindparam("message_id")).order_by(outbox.c.id)


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
        values = {"id": outbox_id}
        row = await self._database.read(lambda connection: connection.execute(_BY_ID, values).first())
        return None if row is None else _item(row)

    async def of_message(self, message_id: int) -> list[OutboxItem]:
        values = {"message_id": message_id}
        rows = await self._database.read(lambda connection: connection.execute(_OF_MESSAGE, values).all())
        return [_item(row) for row in rows]
