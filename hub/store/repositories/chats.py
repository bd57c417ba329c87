"""Chats, polls, places and cards in the database; the hot path writes them.

A list reads an index of its line, latest first: by activity, or by creation, which is the order of ids. What an index
cannot tell (words, members, unread) is looked at row by row on the way; groups have an index of their own, because they
are looked for by their members.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import merge
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, func, or_, select, text, tuple_

from hub.flow.chat_rows import PlaceRow, PollRow, VoteRow
from hub.flow.chat_store import ChatFilter, ChatTotals
from hub.flow.poll_payloads import Tally
from hub.flow.repositories import Chat
from hub.flow.rows import Known, MessageRow
from hub.model.ids import first_id_at
from hub.rules.chatkeys import direct_chat_key
from hub.store.database import Database
from hub.store.lookups import among
from hub.store.repositories.message_pages import IS_VISIBLE
from hub.store.schema import chats, contact_cards, messages, places, poll_votes, polls

#: Messages counted at the most: of those unread, and of all in one chat.
MOST_UNREAD = 100
MOST_COUNTED = 10_000
#: Messages looked at for the unread ones of one chat.
_MOST_LOOKED_AT = 500

_NAMES = tuple(Chat.__dataclass_fields__)
_COLUMNS = [chats.c[name] for name in _NAMES]
_MESSAGE_COLUMNS = [messages.c[name] for name in MessageRow._fields]
_at, _id = chats.c.last_message_at, chats.c.id
# Asked for with nearly every request.
_BY_ID = select(*_COLUMNS).where(_id == bindparam("id"))
_BY_KEY = select(*_COLUMNS).where(
    chats.c.line_id == bindparam("line_id"), chats.c.chat_key == bindparam("chat_key")
)
_BY_KEY_ON = (
    select(*_COLUMNS)
    .where(among(chats.c.line_id, "line_ids"), chats.c.chat_key == bindparam("chat_key"))
    .order_by(_id)
)
#: Literals, or neither database would recognise its partial index.
_IS_GROUP, _IS_DIRECT = text("chats.is_group = 1"), text("chats.is_group = 0")


def _chat(row: Sequence[Any]) -> Chat:
    values = dict(zip(_NAMES, row, strict=True))
    for name in ("is_group", "has_inbound", "is_marked_unread"):
        values[name] = bool(values[name])
    values["participants"] = msgspec.json.decode(values["participants"], type=tuple[str, ...])
    return Chat(**values)


def _is_unread() -> ColumnElement[bool]:
    newer = (
        select(messages.c.id)
        .where(messages.c.chat_id == chats.c.id, messages.c.sent_at > func.coalesce(chats.c.own_read_at, -1))
        .where(messages.c.is_from_me == 0, IS_VISIBLE)
    )
    return or_(chats.c.is_marked_unread == 1, newer.exists())


def _has(handle: str) -> ColumnElement[bool]:
    """Whether somebody is in a chat: the list of handles is JSON text."""
    return chats.c.participants.contains(msgspec.json.encode(handle).decode(), autoescape=True)


def _says(words: str) -> ColumnElement[bool]:
    looked_in = (chats.c.name, chats.c.identifier, chats.c.participants)
    return or_(*(func.lower(column).contains(words.lower(), autoescape=True) for column in looked_in))


def _matching(wanted: ChatFilter, line_id: int) -> Select[Any]:
    query = select(*_COLUMNS).where(chats.c.line_id == line_id)
    if wanted.is_group is not None:
        query = query.where(_IS_GROUP if wanted.is_group else _IS_DIRECT)
    if wanted.is_unread is not None:
        query = query.where(_is_unread() if wanted.is_unread else ~_is_unread())
    if wanted.q:
        query = query.where(_says(wanted.q))
    if wanted.created_before is not None:
        query = query.where(_id < first_id_at(wanted.created_before))
    return query


def _lively(query: Select[Any], after: tuple[int, int] | None) -> Select[Any]:
    query = query.where(_at.is_not(None))
    if after is not None:
        query = query.where(tuple_(_at, _id) < after)
    return query.order_by(_at.desc(), _id.desc())


def _silent(query: Select[Any], after: tuple[int, int] | None) -> Select[Any]:
    query = query.where(_at.is_(None))
    if after is not None and after[0] == 0:
        query = query.where(_id < after[1])
    return query.order_by(_id.desc())


def _newest(query: Select[Any], after: tuple[int, int] | None) -> Select[Any]:
    if after is not None:
        query = query.where(_id < after[1])
    return query.order_by(_id.desc())


def _by_activity(chat: Chat) -> tuple[int, int]:
    return -(chat.last_message_at or 0), -chat.id


def _by_creation(chat: Chat) -> tuple[int, int]:
    return 0, -chat.id


def _rank(wanted: ChatFilter) -> Callable[[Chat], tuple[int, int]]:
    return _by_creation if wanted.is_by_creation else _by_activity


class SqlChats:
    """hub.flow.repositories.Chats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, chat_id: int) -> Chat | None:
        return await self._one(_BY_ID, id=chat_id)

    async def by_key(self, line_id: int, chat_key: str) -> Chat | None:
        return await self._one(_BY_KEY, line_id=line_id, chat_key=chat_key)

    async def by_key_on(self, line_ids: Sequence[int], chat_key: str) -> list[Chat]:
        values = {"line_ids": list(line_ids), "chat_key": chat_key}
        return [_chat(row) for row in await self._database.look_up(_BY_KEY_ON, values)]

    async def _one(self, query: Select[Any], **values: object) -> Chat | None:
        rows = await self._database.look_up(query, values)
        return _chat(rows[0]) if rows else None

    async def unread(self, chat_ids: Sequence[int]) -> dict[int, int]:
        values = {"ids": list(chat_ids), "most": MOST_UNREAD}
        return {row[0]: row[1] for row in await self._database.look_up(_UNREAD, values)}

    async def last_messages(self, chat_ids: Sequence[int]) -> dict[int, MessageRow]:
        rows = map(MessageRow._make, await self._database.look_up(_LAST, {"ids": list(chat_ids)}))
        return {row.chat_id: row for row in rows}

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

    async def list(self, wanted: ChatFilter, *, after: tuple[int, int] | None, limit: int) -> list[Chat]:
        """By activity, chats without a message come last, as if their last one was at 0."""

        def work(connection: Connection) -> list[Chat]:
            of_lines = [_of_line(connection, wanted, line_id, after, limit) for line_id in wanted.line_ids]
            return list(islice(merge(*of_lines, key=_rank(wanted)), limit))

        return await self._database.read(work)


def _of_line(
    connection: Connection, wanted: ChatFilter, line_id: int, after: tuple[int, int] | None, limit: int
) -> list[Chat]:
    """The first chats of one line that are wanted."""
    if wanted.participants:
        return _with_participants(connection, wanted, line_id, after, limit)
    query = _matching(wanted, line_id)
    if wanted.is_by_creation:
        return [_chat(row) for row in connection.execute(_newest(query, after).limit(limit))]
    rows = list(connection.execute(_lively(query, after).limit(limit)))
    if len(rows) < limit:
        rows += list(connection.execute(_silent(query, after).limit(limit - len(rows))))
    return [_chat(row) for row in rows]


def _with_participants(
    connection: Connection, wanted: ChatFilter, line_id: int, after: tuple[int, int] | None, limit: int
) -> list[Chat]:
    """The direct chat with somebody is found by its key; groups are looked through by their own index."""
    found: list[Chat] = []
    query = _matching(wanted, line_id)
    if len(wanted.participants) == 1 and wanted.is_group is not True:
        key = direct_chat_key(next(iter(wanted.participants)))
        found += map(_chat, connection.execute(query.where(chats.c.chat_key == key)))
    if wanted.is_group is not False:
        in_it = query.where(_IS_GROUP, *(_has(handle) for handle in sorted(wanted.participants)))
        found += map(_chat, connection.execute(in_it))
    rank = _rank(wanted)
    fitting = [
        chat
        for chat in found
        if (
            set(chat.participants) == wanted.participants
            if wanted.is_exact
            else wanted.participants <= set(chat.participants)
        )
        and (after is None or rank(chat) > (-after[0], -after[1]))
    ]
    return sorted(fitting, key=rank)[:limit]


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
