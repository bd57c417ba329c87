"""API keys in the database: their digests, never the keys."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.sql.dml import Update

from hub.model.key import ApiKey
from hub.store.database import Database
from hub.store.repositories.configuration import raise_revision
from hub.store.schema import api_keys

_PLAIN = ("id", "name", "hint", "requests_per_hour", "created_at", "expires_at", "revoked_at", "dialect")


def _json(values: frozenset[Any] | None) -> str | None:
    return None if values is None else msgspec.json.encode(sorted(values)).decode()


def _key(row: Row[Any]) -> ApiKey:
    lines = row.line_ids
    return ApiKey(
        **{name: getattr(row, name) for name in _PLAIN},
        scopes=msgspec.json.decode(row.scopes, type=frozenset[str]),
        line_ids=None if lines is None else msgspec.json.decode(lines, type=frozenset[int]),
    )


class SqlKeys:
    """hub.flow.repositories.Keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: ApiKey, *, digest: bytes) -> None:
        values = {name: getattr(key, name) for name in _PLAIN}
        values |= {"hash": digest, "scopes": _json(key.scopes), "line_ids": _json(key.line_ids)}

        def work(connection: Connection) -> None:
            connection.execute(insert(api_keys).values(values))
            raise_revision(connection, api_keys, [key.id])

        await self._database.write(work)

    async def by_digest(self, digest: bytes) -> ApiKey | None:
        query = select(api_keys).where(api_keys.c.hash == digest)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _key(row) if row else None

    async def get(self, key_id: int) -> ApiKey | None:
        query = select(api_keys).where(api_keys.c.id == key_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _key(row) if row else None

    async def revoke(self, key_id: int, *, at: int) -> bool:
        query = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        return await self._change(key_id, query.values(revoked_at=at))

    async def expire(self, key_id: int, *, at: int) -> bool:
        sooner = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > at)
        query = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None), sooner)
        return await self._change(key_id, query.values(expires_at=at))

    async def _change(self, key_id: int, query: Update) -> bool:
        def work(connection: Connection) -> bool:
            is_changed = connection.execute(query).rowcount > 0
            if is_changed:
                raise_revision(connection, api_keys, [key_id])
            return is_changed

        return await self._database.write(work)

    async def list(self, *, after: int | None, limit: int) -> list[ApiKey]:
        query = select(api_keys).order_by(api_keys.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(api_keys.c.id < after)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_key(row) for row in rows]
