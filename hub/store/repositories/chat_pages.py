"""Pages of chats: each line's are read along an index, by activity or by creation (the order of ids), and merged.

What an index cannot tell (words, members, unread) is looked at row by row on the way; groups have an index of their
own, because they are looked for by their members. Chats without a message stand as if their last one was at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from heapq import merge
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, false, func, literal, or_, select, text, tuple_

from hub.flow.chat_store import ChatFilter, ChatOrder, ChatPlace
from hub.flow.repositories import Chat, place_among
from hub.model.ids import first_id_at
from hub.rules.chatkeys import direct_chat_key
from hub.rules.contacts import search_needle
from hub.store.repositories import contact_queries
from hub.store.repositories.message_pages import IS_VISIBLE
from hub.store.repositories.text_search import holds_words
from hub.store.schema import chats, messages

_NAMES = tuple(Chat.__dataclass_fields__)
COLUMNS = [chats.c[name] for name in _NAMES]
_at, _id = chats.c.last_message_at, chats.c.id
_BY_NAME: Final = frozenset({ChatOrder.NAME_ASC, ChatOrder.NAME_DESC})
#: What stands between the handles of a list, and never in one.
_JSON_SIGNS: Final = frozenset('"[],\\')
#: Literals, or neither database would recognise its partial index.
_IS_GROUP, _IS_DIRECT = text("chats.is_group = 1"), text("chats.is_group = 0")


def chat_of(row: Sequence[Any]) -> Chat:
    """Read a chat from its COLUMNS."""
    values = dict(zip(_NAMES, row, strict=True))
    for name in ("is_group", "has_inbound", "is_marked_unread"):
        values[name] = bool(values[name])
    values["participants"] = msgspec.json.decode(values["participants"], type=tuple[str, ...])
    return Chat(**values)


def read_chats(
    connection: Connection, wanted: ChatFilter, *, after: ChatPlace | None, limit: int
) -> list[Chat]:
    """Read the chats after a place, in order."""
    if wanted.order in _BY_NAME:
        return _named(connection, wanted, after, limit)
    of_lines: list[Iterable[Chat]] = []
    for line_id in wanted.line_ids:
        if wanted.participants:
            of_lines.append(_after(_with_participants(connection, wanted, line_id), wanted, after))
        else:
            rows = _walked(
                connection, _matching(connection, wanted, line_id, *COLUMNS), wanted.order, after, limit
            )
            of_lines.append([chat_of(row) for row in rows])
    ranked = merge(*of_lines, key=partial(place_among, order=wanted.order), reverse=_is_down(wanted))
    return list(islice(ranked, limit))


def place_of(connection: Connection, wanted: ChatFilter, number: int) -> ChatPlace | None:
    """Give the place of the so-many-th chat; None when there are fewer."""
    if wanted.order in _BY_NAME:
        ids = _ids_by_name(connection, wanted)
        return (0, ids[number - 1]) if len(ids) >= number else None
    of_lines: list[Iterable[ChatPlace]] = []
    for line_id in wanted.line_ids:
        if wanted.participants:
            found = _with_participants(connection, wanted, line_id)
            of_lines.append([place_among(chat, wanted.order) for chat in found])
        else:
            at = literal(0) if wanted.order is ChatOrder.CREATED else func.coalesce(_at, 0)
            keys = _matching(connection, wanted, line_id, at, _id)
            rows = _walked(connection, keys, wanted.order, None, number)
            of_lines.append([(row[0], row[1]) for row in rows])
    return next(islice(merge(*of_lines, reverse=_is_down(wanted)), number - 1, None), None)


def count_chats(connection: Connection, wanted: ChatFilter) -> int:
    """Count the chats on all pages."""
    if wanted.participants:
        return sum(len(_with_participants(connection, wanted, line_id)) for line_id in wanted.line_ids)
    query = select(func.count()).where(
        chats.c.line_id.in_(wanted.line_ids), *_conditions(wanted, connection.dialect.name)
    )
    return connection.execute(query).scalar_one()


def _named(connection: Connection, wanted: ChatFilter, after: ChatPlace | None, limit: int) -> list[Chat]:
    """Sort all by their names, here: databases disagree on letters. After a chat that is gone comes nothing."""
    ids = _ids_by_name(connection, wanted)
    if after is not None:
        ids = ids[ids.index(after[1]) + 1 :] if after[1] in ids else []
    rows = connection.execute(select(*COLUMNS).where(_id.in_(ids[:limit])))
    found = {chat.id: chat for chat in map(chat_of, rows)}
    return [found[chat_id] for chat_id in ids[:limit] if chat_id in found]


def _ids_by_name(connection: Connection, wanted: ChatFilter) -> list[int]:
    named: list[tuple[str, int]] = []
    for line_id in wanted.line_ids:
        if wanted.participants:
            chats_there = _with_participants(connection, wanted, line_id)
            named += [((chat.name or "").casefold(), chat.id) for chat in chats_there]
        else:
            rows = connection.execute(_matching(connection, wanted, line_id, chats.c.name, _id))
            named += [((row[0] or "").casefold(), row[1]) for row in rows]
    return [chat_id for _, chat_id in sorted(named, reverse=wanted.order is ChatOrder.NAME_DESC)]


def _is_down(wanted: ChatFilter) -> bool:
    return wanted.order is not ChatOrder.OLDEST


def _matching(connection: Connection, wanted: ChatFilter, line_id: int, *columns: Any) -> Select[Any]:
    return select(*columns).where(chats.c.line_id == line_id, *_conditions(wanted, connection.dialect.name))


def _conditions(wanted: ChatFilter, dialect: str) -> list[ColumnElement[bool]]:
    found: list[Any] = []
    if wanted.is_group is not None:
        found.append(_IS_GROUP if wanted.is_group else _IS_DIRECT)
    if wanted.is_unread is not None:
        found.append(_is_unread() if wanted.is_unread else ~_is_unread())
    if wanted.is_left is not None:
        found.append(chats.c.left_at.is_not(None) if wanted.is_left else chats.c.left_at.is_(None))
    if wanted.q:
        found.append(_says(wanted, dialect))
    if wanted.created_before is not None:
        found.append(_id < first_id_at(wanted.created_before))
    return found


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


def _says(wanted: ChatFilter, dialect: str) -> ColumnElement[bool]:
    words = wanted.q or ""
    found = [holds_words(chats.c.name, words, dialect)]
    if in_handles := search_needle(words):
        columns = [chats.c.identifier]
        if _JSON_SIGNS.isdisjoint(in_handles):
            columns.append(chats.c.participants)
        found += [holds_words(column, in_handles, dialect) for column in columns]
    if wanted.contact_needle:
        keys = contact_queries.chat_keys(wanted.contact_needle, dialect=dialect)
        found.append(chats.c.chat_key.in_(keys))
    return or_(*found)


def _walked(
    connection: Connection, query: Select[Any], order: ChatOrder, after: ChatPlace | None, limit: int
) -> list[Any]:
    """The first rows on the way: those with a message, then those without; or the other way round."""
    rows: list[Any] = []
    for way in _WAYS[order]:
        if len(rows) < limit:
            rows += connection.execute(way(query, order, after).limit(limit - len(rows)))
    return rows


def _lively(query: Select[Any], order: ChatOrder, after: ChatPlace | None) -> Select[Any]:
    query, place = query.where(_at.is_not(None)), tuple_(_at, _id)
    if order is ChatOrder.ACTIVITY:
        query = query.order_by(_at.desc(), _id.desc())
        return query if after is None else query.where(place < after)
    query = query.order_by(_at, _id)
    return query if after is None else query.where(place > after)


def _silent(query: Select[Any], order: ChatOrder, after: ChatPlace | None) -> Select[Any]:
    query = query.where(_at.is_(None))
    if order is ChatOrder.ACTIVITY:
        query = query.order_by(_id.desc())
        return query if after is None or after[0] else query.where(_id < after[1])
    query = query.order_by(_id)
    if after is None:
        return query
    return query.where(false() if after[0] else _id > after[1])


def _newest(query: Select[Any], order: ChatOrder, after: ChatPlace | None) -> Select[Any]:
    return (query if after is None else query.where(_id < after[1])).order_by(_id.desc())


_WAYS: Final = {
    ChatOrder.ACTIVITY: (_lively, _silent),
    ChatOrder.OLDEST: (_silent, _lively),
    ChatOrder.CREATED: (_newest,),
}


def _with_participants(connection: Connection, wanted: ChatFilter, line_id: int) -> list[Chat]:
    """All in order: a direct chat is found by its key; groups are looked through by their own index."""
    found: list[Chat] = []
    query = _matching(connection, wanted, line_id, *COLUMNS)
    if len(wanted.participants) == 1 and wanted.is_group is not True:
        key = direct_chat_key(next(iter(wanted.participants)))
        found += map(chat_of, connection.execute(query.where(chats.c.chat_key == key)))
    if wanted.is_group is not False:
        in_it = query.where(_IS_GROUP, *(_has(handle) for handle in sorted(wanted.participants)))
        found += map(chat_of, connection.execute(in_it))
    fitting = [
        chat
        for chat in found
        if (
            set(chat.participants) == wanted.participants
            if wanted.is_exact
            else wanted.participants <= set(chat.participants)
        )
    ]
    return sorted(fitting, key=partial(place_among, order=wanted.order), reverse=_is_down(wanted))


def _after(found: list[Chat], wanted: ChatFilter, after: ChatPlace | None) -> list[Chat]:
    if after is None:
        return found
    placed = [(place_among(chat, wanted.order), chat) for chat in found]
    return [chat for place, chat in placed if (place < after if _is_down(wanted) else place > after)]
