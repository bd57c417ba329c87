"""Messages and reactions as they stand; the hot path writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, text

from hub.flow.message_pages import MOST_READ, MessageFilter, MessagePage, Place
from hub.flow.rows import MessageRow, ReactionRow
from hub.store.database import Database
from hub.store.repositories.message_pages import COLUMNS, IS_VISIBLE, read_page
from hub.store.schema import events, messages, outbox, reactions

_REACTION_COLUMNS = [reactions.c[name] for name in ReactionRow._fields]
#: Literals, or neither database would recognise its partial index.
_IS_READ = text("messages.read_at IS NOT NULL AND messages.is_from_me = 1")
_id = messages.c.id


class SqlMessages:
    """hub.flow.repositories.Messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, message_id: int) -> MessageRow | None:
        found = await self._one(select(*COLUMNS).where(_id == message_id, IS_VISIBLE))
        if found is not None:
            return found
        folded = select(*COLUMNS).join(outbox, outbox.c.message_id == _id)
        return await self._one(folded.where(outbox.c.placeholder_id == message_id, IS_VISIBLE).limit(1))

    async def by_guid(self, line_id: int, guid: str) -> MessageRow | None:
        query = select(*COLUMNS).where(messages.c.line_id == line_id, messages.c.guid == guid, IS_VISIBLE)
        return await self._one(query)

    async def by_guid_on(self, line_ids: Sequence[int], guid: str) -> MessageRow | None:
        on_lines = select(*COLUMNS).where(
            messages.c.line_id.in_(line_ids), messages.c.guid == guid, IS_VISIBLE
        )
        return await self._one(on_lines.order_by(_id).limit(1))

    async def reactions(self, line_id: int, guid: str) -> list[ReactionRow]:
        query = select(*_REACTION_COLUMNS).order_by(reactions.c.sent_at, reactions.c.id)
        query = query.where(reactions.c.line_id == line_id, reactions.c.message_guid == guid)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [ReactionRow._make(row) for row in rows]

    async def last_read(self, chat_id: int) -> MessageRow | None:
        query = select(*COLUMNS).where(messages.c.chat_id == chat_id, _IS_READ, IS_VISIBLE)
        return await self._one(query.order_by(messages.c.read_at.desc()).limit(1))

    async def evidence(self, dedupe_keys: Sequence[bytes]) -> dict[bytes, int]:
        query = select(events.c.dedupe_key, events.c.occurred_at).where(events.c.dedupe_key.in_(dedupe_keys))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {bytes(row.dedupe_key): row.occurred_at for row in rows}

    async def _one(self, query: Select[Any]) -> MessageRow | None:
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return MessageRow._make(row) if row else None

    async def page(
        self,
        wanted: MessageFilter,
        *,
        after: Place | None,
        limit: int,
        is_oldest_first: bool = False,
        most_read: int = MOST_READ,
    ) -> MessagePage:
        return await self._database.read(
            lambda connection: read_page(
                connection, wanted, walk=(after, is_oldest_first), limit=limit, most_read=most_read
            )
        )
