"""Messages and reactions as they stand; the hot path writes them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, select, text, tuple_

from hub.flow.rows import Known, MessageRow, ReactionRow
from hub.store.database import Database
from hub.store.schema import messages, reactions

_COLUMNS = [messages.c[name] for name in MessageRow._fields]
_REACTION_COLUMNS = [reactions.c[name] for name in ReactionRow._fields]
_IS_KNOWN = messages.c.is_known.in_((Known.ASKED, Known.SEEN))
#: Literals, or neither database would recognise its partial index.
_IS_READ = text("messages.read_at IS NOT NULL AND messages.is_from_me = 1")
_at, _id = messages.c.sent_at, messages.c.id


def _dated(chat_id: int, after: tuple[int, int] | None) -> Select[Any]:
    query = select(*_COLUMNS).where(messages.c.chat_id == chat_id, _IS_KNOWN, _at.is_not(None))
    if after is not None:
        query = query.where(tuple_(_at, _id) < after)
    return query.order_by(_at.desc(), _id.desc())


def _undated(chat_id: int, after: tuple[int, int] | None) -> Select[Any]:
    query = select(*_COLUMNS).where(messages.c.chat_id == chat_id, _IS_KNOWN, _at.is_(None))
    if after is not None and after[0] == 0:
        query = query.where(_id < after[1])
    return query.order_by(_id.desc())


class SqlMessages:
    """hub.flow.repositories.Messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, message_id: int) -> MessageRow | None:
        return await self._one(select(*_COLUMNS).where(_id == message_id, _IS_KNOWN))

    async def by_guid(self, line_id: int, guid: str) -> MessageRow | None:
        query = select(*_COLUMNS).where(messages.c.line_id == line_id, messages.c.guid == guid, _IS_KNOWN)
        return await self._one(query)

    async def reactions(self, line_id: int, guid: str) -> list[ReactionRow]:
        query = select(*_REACTION_COLUMNS).order_by(reactions.c.sent_at, reactions.c.id)
        query = query.where(reactions.c.line_id == line_id, reactions.c.message_guid == guid)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [ReactionRow._make(row) for row in rows]

    async def last_read(self, chat_id: int) -> MessageRow | None:
        query = select(*_COLUMNS).where(messages.c.chat_id == chat_id, _IS_READ, _IS_KNOWN)
        return await self._one(query.order_by(messages.c.read_at.desc()).limit(1))

    async def _one(self, query: Select[Any]) -> MessageRow | None:
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return MessageRow._make(row) if row else None

    async def list(self, chat_id: int, *, after: tuple[int, int] | None, limit: int) -> list[MessageRow]:
        """Messages without a date come last, as if sent at 0."""

        def work(connection: Connection) -> list[Row[Any]]:
            rows = list(connection.execute(_dated(chat_id, after).limit(limit)))
            return rows + list(connection.execute(_undated(chat_id, after).limit(limit - len(rows))))

        return [MessageRow._make(row) for row in await self._database.read(work)]
