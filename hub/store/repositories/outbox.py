"""Outbox items as people see them; the hot path writes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, text, update

from hub.model.outbox import OperationKind, OutboxItem, OutboxState
from hub.rules.lanes import shard_of
from hub.store.database import Database
from hub.store.schema import outbox

_NAMES = tuple(OutboxItem.__dataclass_fields__)
_COLUMNS = [outbox.c[name] for name in _NAMES]
# Put together once: that takes longer than to run them, and who waits asks often.
_BY_ID = select(*_COLUMNS).where(outbox.c.id == bindparam("id"))
_OF_MESSAGE = select(*_COLUMNS).where(outbox.c.message_id == bindparam("message_id")).order_by(outbox.c.id)


def _item(row: Sequence[Any]) -> OutboxItem:
    values = dict(zip(_NAMES, row, strict=True))
    values["kind"] = OperationKind(values["kind"])
    values["state"] = OutboxState(values["state"])
    values["payload"] = msgspec.json.decode(values["payload"], type=dict[str, object])
    if values["result"] is not None:
        values["result"] = msgspec.json.decode(values["result"], type=dict[str, object])
    return OutboxItem(**values)


class SqlOutbox:
    """hub.flow.repositories.Outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, outbox_id: int) -> OutboxItem | None:
        rows = await self._database.look_up(_BY_ID, {"id": outbox_id})
        return _item(rows[0]) if rows else None

    async def of_message(self, message_id: int) -> list[OutboxItem]:
        return [_item(row) for row in await self._database.look_up(_OF_MESSAGE, {"message_id": message_id})]

    async def let_go(self, line_id: int, *, reasons: Collection[str], now: int) -> int:
        columns = outbox.c
        held = (
            columns.shard == shard_of(line_id),
            columns.line_id == line_id,
            columns.next_attempt_at > now,
            columns.state == OutboxState.PENDING,
            text("outbox.state < 3"),  # as the index of what is pending says it
            columns.error.in_(sorted(reasons)),
        )
        some = select(columns.id).where(*held).limit(1)
        if not await self._database.read(lambda connection: connection.execute(some).first()):
            return 0  # as nearly always: an idle hub is not to write
        query = update(outbox).where(*held).values(next_attempt_at=now)
        return await self._database.write(lambda connection: connection.execute(query).rowcount)
