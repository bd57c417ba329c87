"""The statements of groups, polls, places and cards on SQLite (hub.flow.chat_ports): all of them are seldom."""

# ruff: noqa: S608 - the statements are put together from constants of ours; values are always bound.

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from hub.flow.chat_ports import Pair
from hub.flow.chat_rows import ChatState, MemberRow, PlaceRow, PollRow, VoteRow
from hub.store import chat_merging as merging
from hub.store.merging import SQLITE


def _insert(table: str, columns: Sequence[str], tail: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({','.join('?' * len(columns))}) {tail}"


def _by_key(table: str, columns: Sequence[str], key: tuple[str, str]) -> str:
    names = ", ".join(f"{table}.{name}" for name in columns)
    first, second = (f"json_extract(wanted.value, '$[{place}]')" for place in (0, 1))
    on = f"{table}.{key[0]} = {first} AND {table}.{key[1]} = {second}"
    return f"SELECT {names} FROM json_each(?) AS wanted CROSS JOIN {table} ON {on}"


MERGE_MEMBER = _insert("chat_members", MemberRow._fields, merging.MERGE_MEMBERS)
MEMBERS = f"SELECT {', '.join(MemberRow._fields)} FROM chat_members WHERE chat_id IN (SELECT value FROM json_each(?))"
IDS = _by_key("chats", ("line_id", "chat_key", "id"), ("line_id", "chat_key"))
KEYS = "SELECT id, chat_key FROM chats WHERE id IN (SELECT value FROM json_each(?))"
STATES = f"SELECT {', '.join(ChatState._fields)} FROM chats WHERE id IN (SELECT value FROM json_each(?))"
SAVE_STATE = f"UPDATE chats SET {', '.join(f'{name} = ?' for name in ChatState._fields[1:])} WHERE id = ?"
MERGE_POLL = _insert("polls", PollRow._fields, merging.merge_polls(SQLITE))
POLLS = _by_key("polls", PollRow._fields, ("line_id", "guid"))
MERGE_VOTE = _insert("poll_votes", VoteRow._fields, merging.MERGE_VOTES)
VOTES = _by_key("poll_votes", VoteRow._fields, ("line_id", "poll_guid"))
SAVE_PLACE = _insert("places", PlaceRow._fields, merging.SAVE_PLACES)
RELEASE = "DELETE FROM file_uses WHERE kind = ? AND user_id = ? AND file_id <> ? RETURNING file_id"
TOUCH = "UPDATE files SET touched_at = ? WHERE id IN (SELECT value FROM json_each(?))"
SAVE_CARD = _insert("contact_cards", ("line_id", "card", "synced_at"), merging.SAVE_CARD)


class SqliteChats:
    """Statements on a connection whose BEGIN and COMMIT are someone else's; a writer is alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def merge_members(self, rows: Sequence[MemberRow]) -> None:
        self._each(MERGE_MEMBER, rows)

    async def members(self, chat_ids: Sequence[int]) -> list[MemberRow]:
        return [MemberRow._make(row) for row in self._wanted(MEMBERS, chat_ids)]

    async def ids(self, keys: Sequence[Pair]) -> dict[Pair, int]:
        return {(row[0], row[1]): row[2] for row in self._wanted(IDS, keys)}

    async def keys(self, chat_ids: Sequence[int]) -> dict[int, str]:
        return dict(self._wanted(KEYS, chat_ids))

    async def states(self, chat_ids: Sequence[int]) -> list[ChatState]:
        return [ChatState._make(row) for row in self._wanted(STATES, chat_ids)]

    async def save_states(self, rows: Sequence[ChatState]) -> None:
        self._each(SAVE_STATE, [(*row[1:], row.id) for row in rows])

    async def merge_polls(self, rows: Sequence[PollRow]) -> list[PollRow]:
        self._each(MERGE_POLL, rows)
        keys = [(row.line_id, row.guid) for row in rows]
        found = {(row[1], row[3]): PollRow._make(row) for row in self._wanted(POLLS, keys)}
        return [found[key] for key in keys]

    async def merge_votes(self, rows: Sequence[VoteRow]) -> None:
        self._each(MERGE_VOTE, rows)

    async def votes(self, keys: Sequence[Pair]) -> list[VoteRow]:
        return [VoteRow._make(row) for row in self._wanted(VOTES, keys)]

    async def save_places(self, rows: Sequence[PlaceRow]) -> None:
        self._each(SAVE_PLACE, rows)

    async def release_pictures(self, kind: str, user_id: int, *, kept: int | None, now: int) -> None:
        gone = [row[0] for row in self._connection.execute(RELEASE, (kind, user_id, kept or 0)).fetchall()]
        self._connection.execute(TOUCH, (now, json.dumps(gone)))

    async def save_card(self, line_id: int, card: str, synced_at: int) -> None:
        self._connection.execute(SAVE_CARD, (line_id, card, synced_at))

    def _wanted(self, statement: str, keys: Sequence[Any]) -> list[Any]:
        return self._connection.execute(statement, (json.dumps(keys),)).fetchall() if keys else []

    def _each(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            self._connection.execute(statement, row)
