"""Chats, polls, places and cards in the database; the hot path writes them. Not here: pages (chat_pages)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, func, select

from hub.flow.chat_rows import PlaceRow, PollRow, VoteRow
from hub.flow.chat_store import ChatFilter, ChatPlace, ChatTotals
from hub.flow.message_counts import MessageCounts
from hub.flow.poll_payloads import Tally
from hub.flow.repositories import Chat
from hub.flow.rows import Known, MessageRow
from hub.store.database import Database
from hub.store.lookups import among
from hub.store.repositories.chat_pages import COLUMNS, chat_of, count_chats, place_of, read_chats
from hub.store.repositories.message_counts import count_by
from hub.store.repositories.message_pages import IS_VISIBLE
from hub.store.schema import chat_members, chats, contact_cards, messages, places, poll_votes, polls

#: Messages counted at the most: of those unread, and of all in one chat.
MOST_UNREAD = 100
MOST_COUNTED = 10_000
#: Messages looked at for the unread ones of one chat.
_MOST_LOOKED_AT = 500

_MESSAGE_COLUMNS = [messages.c[name] for name in MessageRow._fields]
_id = chats.c.id
# Asked for with nearly every request.
_BY_ID = select(*COLUMNS).where(_id == bindparam("id"))
_BY_IDS = select(*COLUMNS).where(among(_id, "ids"))
_BY_KEY = select(*COLUMNS).where(
    chats.c.line_id == bindparam("line_id"), chats.c.chat_key == bindparam("chat_key")
)
_BY_KEY_ON = (
    select(*COLUMNS)
    .where(among(chats.c.line_id, "line_ids"), chats.c.chat_key == bindparam("chat_key"))
    .order_by(_id)
)
_KEYS = select(_id, chats.c.chat_key).where(among(_id, "ids"))
_JOINED = select(chat_members.c.handle, chat_members.c.changed_at).where(
    chat_members.c.chat_id == bindparam("chat_id"), chat_members.c.is_member == 1
)


class SqlChats:
    """hub.flow.repositories.Chats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, chat_id: int) -> Chat | None:
        return await self._one(_BY_ID, id=chat_id)

    async def some(self, chat_ids: Collection[int]) -> dict[int, Chat]:
        rows = await self._database.look_up(_BY_IDS, {"ids": sorted(chat_ids)}) if chat_ids else ()
        found = [chat_of(row) for row in rows]
        return {chat.id: chat for chat in found}

    async def by_key(self, line_id: int, chat_key: str) -> Chat | None:
        return await self._one(_BY_KEY, line_id=line_id, chat_key=chat_key)

    async def by_key_on(self, line_ids: Sequence[int], chat_key: str) -> list[Chat]:
        values = {"line_ids": list(line_ids), "chat_key": chat_key}
        return [chat_of(row) for row in await self._database.look_up(_BY_KEY_ON, values)]

    async def _one(self, query: Select[Any], **values: object) -> Chat | None:
        rows = await self._database.look_up(query, values)
        return chat_of(rows[0]) if rows else None

    async def keys(self, chat_ids: Sequence[int]) -> dict[int, str]:
        return {row[0]: row[1] for row in await self._database.look_up(_KEYS, {"ids": sorted(set(chat_ids))})}

    async def unread(self, chat_ids: Sequence[int]) -> dict[int, int]:
        values = {"ids": list(chat_ids), "most": MOST_UNREAD}
        return {row[0]: row[1] for row in await self._database.look_up(_UNREAD, values)}

    async def last_messages(self, chat_ids: Sequence[int]) -> dict[int, MessageRow]:
        rows = map(MessageRow._make, await self._database.look_up(_LAST, {"ids": list(chat_ids)}))
        return {row.chat_id: row for row in rows}

    async def joined(self, chat_id: int) -> dict[str, int]:
        return {row[0]: row[1] for row in await self._database.look_up(_JOINED, {"chat_id": chat_id})}

    async def totals(self, chat_id: int) -> ChatTotals:
        counted = (
            select(messages.c.is_from_me)
            .where(messages.c.chat_id == chat_id, IS_VISIBLE)
            .limit(MOST_COUNTED + 1)
            .subquery()
        )
        query = select(counted.c.is_from_me, func.count()).group_by(counted.c.is_from_me)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        counts: dict[int, int] = {row[0]: row[1] for row in rows}
        total = sum(counts.values())
        return ChatTotals(inbound=counts.get(0, 0), outbound=counts.get(1, 0), is_capped=total > MOST_COUNTED)

    async def poll(self, poll_id: int) -> Tally | None:
        def work(connection: Connection) -> Tally | None:
            columns = [polls.c[name] for name in PollRow._fields]
            row = connection.execute(select(*columns).where(polls.c.id == poll_id)).first()
            if row is None:
                return None
            cast = (
                select(*(poll_votes.c[name] for name in VoteRow._fields))
                .where(poll_votes.c.line_id == row.line_id, poll_votes.c.poll_guid == row.guid)
                .order_by(poll_votes.c.voted_at, poll_votes.c.voter)
            )
            return Tally(poll=PollRow._make(row), votes=tuple(map(VoteRow._make, connection.execute(cast))))

        return await self._database.read(work)

    async def places(self, line_id: int) -> list[PlaceRow]:
        columns = [places.c[name] for name in PlaceRow._fields]
        query = select(*columns).where(places.c.line_id == line_id).order_by(places.c.handle)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [PlaceRow._make(row) for row in rows]

    async def card(self, line_id: int) -> tuple[str, int] | None:
        query = select(contact_cards.c.card, contact_cards.c.synced_at).where(
            contact_cards.c.line_id == line_id
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else (row.card, row.synced_at)

    async def counts(self, chat_ids: Sequence[int]) -> dict[int, MessageCounts]:
        return await count_by(self._database, "chat_id", chat_ids)

    async def count(self, wanted: ChatFilter) -> int:
        return await self._database.read(lambda connection: count_chats(connection, wanted))

    async def list(
        self, wanted: ChatFilter, *, after: ChatPlace | None, offset: int | None = None, limit: int
    ) -> list[Chat]:
        def work(connection: Connection) -> list[Chat]:
            begin = after
            if offset and (begin := place_of(connection, wanted, offset)) is None:
                return []
            return read_chats(connection, wanted, after=begin, limit=limit)

        return await self._database.read(work)


def _count_unread() -> Select[Any]:
    """Count what came in since our side has read, among the latest messages only: a bound on the work."""
    newer = (
        select(messages.c.is_from_me, messages.c.is_known)
        .where(messages.c.chat_id == chats.c.id, messages.c.sent_at > func.coalesce(chats.c.own_read_at, -1))
        .order_by(messages.c.sent_at.desc(), messages.c.id.desc())
        .limit(_MOST_LOOKED_AT)
        .correlate(chats)
        .subquery()
    )
    came_in = (
        select(newer.c.is_known)
        .where(newer.c.is_from_me == 0, newer.c.is_known.between(Known.ASKED, Known.SEEN))
        .limit(bindparam("most", type_=Integer))
        .subquery()
    )
    counted = select(func.count()).select_from(came_in).scalar_subquery()
    return select(chats.c.id, counted).where(among(chats.c.id, "ids"))


def _last_messages() -> Select[Any]:
    latest = (
        select(messages.c.id)
        .where(messages.c.chat_id == chats.c.id, messages.c.sent_at.is_not(None), IS_VISIBLE)
        .order_by(messages.c.sent_at.desc(), messages.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(*_MESSAGE_COLUMNS).where(messages.c.id.in_(select(latest).where(among(chats.c.id, "ids"))))


#: Of all chats of a page in one statement each, put together once.
_UNREAD, _LAST = _count_unread(), _last_messages()
