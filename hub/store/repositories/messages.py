"""Messages and reactions as they stand; the hot path writes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, text

from hub.flow.message_pages import MOST_READ, MessageFilter, MessagePage, Place
from hub.flow.piece_ports import PieceRow
from hub.flow.rows import MessageRow, ReactionRow
from hub.store.database import Database
from hub.store.lookups import among
from hub.store.repositories.message_arrivals import read_arrivals
from hub.store.repositories.message_pages import (
    COLUMNS,
    IS_VISIBLE,
    count_all,
    merged_keys,
    page_of,
    plain_page,
    read_page,
    read_page_at,
)
from hub.store.schema import chats, events, message_pieces, messages, outbox, reactions

_REACTION_COLUMNS = [reactions.c[name] for name in ReactionRow._fields]
#: Literals, or neither database would recognise its partial index.
_IS_READ = text("messages.read_at IS NOT NULL AND messages.is_from_me = 1")
_id = messages.c.id

# Put together once: that takes longer than to run them.
_VISIBLE = select(*COLUMNS).where(IS_VISIBLE)
_BY_ID = _VISIBLE.where(_id == bindparam("id"))
_BY_IDS = select(*COLUMNS).where(among(_id, "ids"))
_FOLDED = _VISIBLE.join(outbox, outbox.c.message_id == _id).where(outbox.c.placeholder_id == bindparam("id"))
_BY_GUID = _VISIBLE.where(messages.c.line_id == bindparam("line_id"), messages.c.guid == bindparam("guid"))
_BY_GUID_ON = (
    _VISIBLE.where(among(messages.c.line_id, "line_ids"), messages.c.guid == bindparam("guid"))
    .order_by(_id)
    .limit(1)
)
_LAST_READ = (
    _VISIBLE.where(messages.c.chat_id == bindparam("chat_id"), _IS_READ)
    .order_by(messages.c.read_at.desc())
    .limit(1)
)
_REACTIONS = (
    select(*_REACTION_COLUMNS)
    .where(reactions.c.line_id == bindparam("line_id"), reactions.c.message_guid == bindparam("guid"))
    .order_by(reactions.c.sent_at, reactions.c.id)
)
_REACTIONS_OF = (
    select(_id, *_REACTION_COLUMNS)
    .join(
        reactions,
        (reactions.c.line_id == messages.c.line_id) & (reactions.c.message_guid == messages.c.guid),
    )
    .where(among(_id, "ids"))
    .order_by(reactions.c.sent_at, reactions.c.id)
)
_PIECES = (
    select(*(message_pieces.c[name] for name in PieceRow._fields))
    .where(message_pieces.c.message_id == bindparam("id"))
    .order_by(message_pieces.c.first_part, message_pieces.c.guid)
)
_FIRST = (
    select(_id)
    .where(IS_VISIBLE, messages.c.chat_id == chats.c.id)
    .order_by(messages.c.sent_at, _id)
    .limit(1)
    .scalar_subquery()
)
_FIRSTS = select(chats.c.id, _FIRST).where(among(chats.c.id, "ids"))
_EVIDENCE = select(events.c.dedupe_key, events.c.occurred_at).where(
    events.c.dedupe_key.in_(bindparam("keys", expanding=True))
)


class SqlMessages:
    """hub.flow.message_store.Messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, message_id: int) -> MessageRow | None:
        return await self._one(_BY_ID, id=message_id) or await self._one(_FOLDED, id=message_id)

    async def by_guid(self, line_id: int, guid: str) -> MessageRow | None:
        return await self._one(_BY_GUID, line_id=line_id, guid=guid)

    async def by_guid_on(self, line_ids: Sequence[int], guid: str) -> MessageRow | None:
        return await self._one(_BY_GUID_ON, line_ids=list(line_ids), guid=guid)

    async def reactions(self, line_id: int, guid: str) -> list[ReactionRow]:
        rows = await self._database.look_up(_REACTIONS, {"line_id": line_id, "guid": guid})
        return [ReactionRow._make(row) for row in rows]

    async def reactions_of(self, message_ids: Sequence[int]) -> dict[int, list[ReactionRow]]:
        found: dict[int, list[ReactionRow]] = {}
        for message_id, *row in await self._database.look_up(_REACTIONS_OF, {"ids": list(message_ids)}):
            found.setdefault(message_id, []).append(ReactionRow._make(row))
        return found

    async def pieces(self, message_id: int) -> list[PieceRow]:
        rows = await self._database.look_up(_PIECES, {"id": message_id})
        return [PieceRow._make(row) for row in rows]

    async def last_read(self, chat_id: int) -> MessageRow | None:
        return await self._one(_LAST_READ, chat_id=chat_id)

    async def firsts(self, chat_ids: Collection[int]) -> dict[int, int]:
        rows = await self._database.look_up(_FIRSTS, {"ids": sorted(chat_ids)}) if chat_ids else ()
        return {chat_id: message_id for chat_id, message_id in rows if message_id is not None}

    async def evidence(self, dedupe_keys: Sequence[bytes]) -> dict[bytes, int]:
        values = {"keys": dedupe_keys}
        rows = await self._database.read(lambda connection: connection.execute(_EVIDENCE, values).all())
        return {bytes(row.dedupe_key): row.occurred_at for row in rows}

    async def _one(self, query: Select[Any], **values: object) -> MessageRow | None:
        rows = await self._database.look_up(query, values)
        return MessageRow._make(rows[0]) if rows else None

    async def page(
        self,
        wanted: MessageFilter,
        *,
        after: Place | None,
        limit: int,
        is_oldest_first: bool = False,
        most_read: int = MOST_READ,
    ) -> MessagePage:
        walk = (after, is_oldest_first)
        if wanted.is_by_arrival:
            return await self._database.read(
                lambda connection: read_arrivals(
                    connection, wanted, walk=walk, limit=limit, most_read=most_read
                )
            )
        if (plain := plain_page(wanted, walk=walk, limit=limit + 1)) is not None:
            return page_of(await self._database.look_up(*plain), limit)
        if (merged := merged_keys(wanted, self._database.dialect, walk=walk, limit=limit + 1)) is not None:
            places = [(key[0], key[1]) for key in await self._database.look_up(*merged)]
            ids = [message_id for _, message_id in places[:limit]]
            rows = {row[0]: row for row in await self._database.look_up(_BY_IDS, {"ids": ids})}
            # One that was folded into another row between the two looks is left out.
            found = [rows[each] for each in ids if each in rows]
            return page_of(found, limit, places[limit - 1] if len(places) > limit else None)
        return await self._database.read(
            lambda connection: read_page(connection, wanted, walk=walk, limit=limit, most_read=most_read)
        )

    async def page_at(
        self, wanted: MessageFilter, *, offset: int, limit: int, is_oldest_first: bool = False
    ) -> MessagePage:
        def work(connection: Connection) -> MessagePage:
            return read_page_at(
                connection, wanted, offset=offset, limit=limit, is_oldest_first=is_oldest_first
            )

        return await self._database.read(work)

    async def count(self, wanted: MessageFilter) -> int:
        return await self._database.read(lambda connection: count_all(connection, wanted))
