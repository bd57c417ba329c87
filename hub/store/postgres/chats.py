"""The statements of groups, polls, places and cards on PostgreSQL (hub.flow.chat_ports).

Rows are locked by the order of their key, so that two transactions never wait for each other crosswise.
"""

# ruff: noqa: S608 - the statements are put together from constants of ours; values are always bound.

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from asyncpg import Connection, Record  # type: ignore[import-untyped]  # asyncpg ships no types

from hub.flow.chat_ports import Pair
from hub.flow.chat_rows import ChatState, MemberRow, PlaceRow, PollRow, VoteRow
from hub.store import chat_merging as merging
from hub.store.merging import POSTGRES

_WANTED = "unnest($1::bigint[], $2::text[]) AS wanted (first, second)"


def _insert(table: str, columns: Sequence[str], tail: str) -> str:
    values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) {tail}"


def _by_key(table: str, columns: Sequence[str], key: tuple[str, str]) -> str:
    names = ", ".join(f"{table}.{name}" for name in columns)
    on = f"{table}.{key[0]} = wanted.first AND {table}.{key[1]} = wanted.second"
    return f"SELECT {names} FROM {_WANTED} JOIN {table} ON {on}"


MERGE_MEMBER = _insert("chat_members", MemberRow._fields, merging.MERGE_MEMBERS)
MEMBERS = f"SELECT {', '.join(MemberRow._fields)} FROM chat_members WHERE chat_id = ANY($1::bigint[])"
IDS = _by_key("chats", ("line_id", "chat_key", "id"), ("line_id", "chat_key"))
KEYS = "SELECT id, chat_key FROM chats WHERE id = ANY($1::bigint[])"
STATES = (
    f"SELECT {', '.join(ChatState._fields)} FROM chats WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE"
)
SAVE_STATE = (
    "UPDATE chats SET "
    + ", ".join(f"{name} = ${place}" for place, name in enumerate(ChatState._fields[1:], start=2))
    + " WHERE id = $1"
)
MERGE_POLL = _insert("polls", PollRow._fields, merging.merge_polls(POSTGRES))
POLLS = _by_key("polls", PollRow._fields, ("line_id", "guid"))
MERGE_VOTE = _insert("poll_votes", VoteRow._fields, merging.MERGE_VOTES)
VOTES = _by_key("poll_votes", VoteRow._fields, ("line_id", "poll_guid"))
SAVE_PLACE = _insert("places", PlaceRow._fields, merging.SAVE_PLACES)
RELEASE = "DELETE FROM file_uses WHERE kind = $1 AND user_id = $2 AND file_id <> $3 RETURNING file_id"
TOUCH = "UPDATE files SET touched_at = $1 WHERE id = ANY($2::bigint[])"
SAVE_CARD = _insert("contact_cards", ("line_id", "card", "synced_at"), merging.SAVE_CARD)


class PostgresChats:
    """Statements on a connection whose BEGIN and COMMIT are someone else's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def merge_members(self, rows: Sequence[MemberRow]) -> None:
        await self._each(MERGE_MEMBER, sorted(rows))

    async def members(self, chat_ids: Sequence[int]) -> list[MemberRow]:
        if not chat_ids:
            return []
        return [MemberRow._make(row) for row in await self._connection.fetch(MEMBERS, list(chat_ids))]

    async def ids(self, keys: Sequence[Pair]) -> dict[Pair, int]:
        return {(row[0], row[1]): row[2] for row in await self._wanted(IDS, keys)}

    async def keys(self, chat_ids: Sequence[int]) -> dict[int, str]:
        if not chat_ids:
            return {}
        return {row[0]: row[1] for row in await self._connection.fetch(KEYS, list(chat_ids))}

    async def states(self, chat_ids: Sequence[int]) -> list[ChatState]:
        if not chat_ids:
            return []
        return [ChatState._make(row) for row in await self._connection.fetch(STATES, list(chat_ids))]

    async def save_states(self, rows: Sequence[ChatState]) -> None:
        await self._each(SAVE_STATE, sorted(rows, key=itemgetter(0)))

    async def merge_polls(self, rows: Sequence[PollRow]) -> list[PollRow]:
        await self._each(MERGE_POLL, sorted(rows, key=itemgetter(1, 3)))
        keys = [(row.line_id, row.guid) for row in rows]
        found = {(row[1], row[3]): PollRow._make(row) for row in await self._wanted(POLLS, keys)}
        return [found[key] for key in keys]

    async def merge_votes(self, rows: Sequence[VoteRow]) -> None:
        await self._each(MERGE_VOTE, sorted(rows))

    async def votes(self, keys: Sequence[Pair]) -> list[VoteRow]:
        return [VoteRow._make(row) for row in await self._wanted(VOTES, keys)]

    async def save_places(self, rows: Sequence[PlaceRow]) -> None:
        await self._each(SAVE_PLACE, sorted(rows, key=itemgetter(0, 1)))

    async def release_pictures(self, kind: str, user_id: int, *, kept: int | None, now: int) -> None:
        gone = [row[0] for row in await self._connection.fetch(RELEASE, kind, user_id, kept or 0)]
        await self._connection.execute(TOUCH, now, sorted(gone))

    async def save_card(self, line_id: int, card: str, synced_at: int) -> None:
        await self._connection.execute(SAVE_CARD, line_id, card, synced_at)

    async def _wanted(self, statement: str, keys: Sequence[Pair]) -> list[Record]:
        if not keys:
            return []
        found: list[Record] = await self._connection.fetch(statement, *zip(*keys, strict=True))
        return found

    async def _each(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await self._connection.executemany(statement, rows)
