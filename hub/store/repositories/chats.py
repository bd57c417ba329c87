"""Chats in the database; the hot path writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select, tuple_

from hub.flow.repositories import Chat
from hub.store.database import Database
from hub.store.schema import chats

_COLUMNS = [chats.c[name] for name in Chat.__dataclass_fields__]
_at, _id = chats.c.last_message_at, chats.c.id


def _chat(row: Row[Any]) -> Chat:
    values = dict(row._mapping)
    values["is_group"] = bool(row.is_group)
    values["has_inbound"] = bool(row.has_inbound)
    values["participants"] = msgspec.json.decode(row.participants, type=tuple[str, ...])
    return Chat(**values)


def _lively(line_id: int, after: tuple[int, int] | None) -> Select[Any]:
    query = select(*_COLUMNS).where(chats.c.line_id == line_id, _at.is_not(None))
    if after is not None:
        query = query.where(tuple_(_at, _id) < after)
    return query.order_by(_at.desc(), _id.desc())


def _silent(line_id: int, after: tuple[int, int] | None) -> Select[Any]:
    query = select(*_COLUMNS).where(chats.c.line_id == line_id, _at.is_(None))
    if after is not None and after[0] == 0:
        query = query.where(_id < after[1])
    return query.order_by(_id.desc())


class SqlChats:
    """hub.flow.repositories.Chats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, chat_id: int) -> Chat | None:
        return await self._one(select(*_COLUMNS).where(_id == chat_id))

    async def by_key(self, line_id: int, chat_key: str) -> Chat | None:
        return await self._one(
            select(*_COLUMNS).where(chats.c.line_id == line_id, chats.c.chat_key == chat_key)
        )

    async def by_key_on(self, line_ids: Sequence[int], chat_key: str) -> list[Chat]:
        query = select(*_COLUMNS).where(chats.c.line_id.in_(line_ids), chats.c.chat_key == chat_key)
        rows = await self._database.read(lambda connection: connection.execute(query.order_by(_id)).all())
        return [_chat(row) for row in rows]

    async def _one(self, query: Select[Any]) -> Chat | None:
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _chat(row) if row else None

    async def list(self, line_id: int, *, after: tuple[int, int] | None, limit: int) -> list[Chat]:
        """Chats without a message come last, as if their last one was at 0."""

        def work(connection: Connection) -> list[Row[Any]]:
            rows = list(connection.execute(_lively(line_id, after).limit(limit)))
            return rows + list(connection.execute(_silent(line_id, after).limit(limit - len(rows))))

        return [_chat(row) for row in await self._database.read(work)]
