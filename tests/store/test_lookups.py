"""A look-up gives what a unit of work would give, on both databases, and says in our words what goes wrong."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, bindparam, literal_column, select

from hub.model.errors import StoreError
from hub.store.database import Database
from hub.store.lookups import among
from hub.store.open import OpenStore
from hub.store.schema import chats, messages
from tests.store.specimens import BRIDGE, CHAT, LINE

_BY_KEY = (
    select(chats.c.id, chats.c.chat_key, chats.c.has_inbound, chats.c.name)
    .where(
        chats.c.line_id == bindparam("line_id"),
        chats.c.chat_key.in_(("dm:2", "dm:1")) | (chats.c.is_group == 7),
    )
    .order_by(chats.c.id)
)
_ALL = (
    select(chats.c.id, chats.c.chat_key, chats.c.has_inbound, chats.c.name)
    .where(chats.c.line_id == bindparam("line_id"), chats.c.is_group == 0)
    .order_by(chats.c.id.desc())
    .limit(bindparam("most"))
)


def database_of(opened: OpenStore) -> Database:
    database: Database = opened.store.messages._database  # type: ignore[attr-defined] # what repositories are given
    return database


async def test_the_rows_of_a_statement_with_constants_and_values(opened: OpenStore) -> None:
    rows = [CHAT._replace(id=n, chat_key=f"dm:{n}", name="é") for n in (1, 2, 3)]
    await opened.store.bridges.add(BRIDGE)
    await opened.store.lines.add(LINE)
    await opened.store.hot.write(lambda tx: tx.merge_chats(rows))
    values = {"line_id": 1, "most": 2}

    def unit(connection: Connection) -> list[tuple[object, ...]]:
        return [tuple(row) for row in connection.execute(_ALL, values)]

    looked_up = [tuple(row) for row in await database_of(opened).look_up(_ALL, values)]
    assert looked_up == [(3, "dm:3", 0, "é"), (2, "dm:2", 0, "é")]
    assert looked_up == await database_of(opened).read(unit)


async def test_a_list_of_changing_length_is_refused(opened: OpenStore) -> None:
    with pytest.raises(ValueError, match="among"):
        await database_of(opened).look_up(_BY_KEY, {"line_id": 1})


async def test_a_list_of_ids_is_one_value_of_any_length(opened: OpenStore) -> None:
    await opened.store.bridges.add(BRIDGE)
    await opened.store.lines.add(LINE)
    rows = [CHAT._replace(id=n, chat_key=f"dm:{n}") for n in (1, 2, 3)]
    await opened.store.hot.write(lambda tx: tx.merge_chats(rows))
    query = select(chats.c.id).where(among(chats.c.id, "ids"), chats.c.line_id == 1).order_by(chats.c.id)
    for ids, found in (([], []), ([2], [2]), ([3, 1, 9], [1, 3]), (list(range(2000)), [1, 2, 3])):
        looked_up = await database_of(opened).look_up(query, {"ids": ids})

        assert [row[0] for row in looked_up] == found


async def test_what_goes_wrong_is_told_in_our_words(opened: OpenStore) -> None:
    nonsense = select(messages.c.id).where(literal_column("messages.nothing") == 1)
    with pytest.raises(StoreError):
        await database_of(opened).look_up(nonsense, {})
