"""Idempotency keys that keep a whole answer, in the database. Those of sends are in the hot statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.rules.idempotency import KeyRecord
from hub.store.database import Database
from hub.store.faults import UnsealingFailed
from hub.store.schema import idempotency_keys
from hub.store.sealing import Sealer

_columns = idempotency_keys.c
#: Of what is not done yet.
_NO_STATUS = 0


class SqlRepeats:
    """hub.flow.repositories.Repeats."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def claim(
        self, scope: str, key: str, *, request_hash: bytes, lease_until: int, now: int
    ) -> KeyRecord | None:
        values = {
            "scope": scope,
            "key": key,
            "request_hash": request_hash,
            "status": _NO_STATUS,
            "response": "",
            "created_at": now,
            "lease_until": lease_until,
        }

        def work(connection: Connection) -> Row[Any] | None:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            claiming = dialect.insert(idempotency_keys).values(values).on_conflict_do_nothing()
            while connection.execute(claiming).rowcount == 0:
                row = connection.execute(select(idempotency_keys).where(_at(scope, key))).first()
                if row is not None:  # else it was given up just now
                    return row
            return None

        row = await self._database.write(work)
        return None if row is None else self._record(row)

    async def keep(self, scope: str, key: str, *, status: int, answer: bytes) -> None:
        sealed = self._sealer.seal(answer, _place(scope, key)) if answer else b""
        query = update(idempotency_keys).where(_at(scope, key), _columns.lease_until.is_not(None))
        query = query.values(status=status, answer=sealed)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def give_up(self, scope: str, key: str, *, lease_until: int | None = None) -> None:
        is_open = and_(_columns.lease_until.is_not(None), _columns.answer.is_(None))
        if lease_until is not None:
            is_open = and_(is_open, _columns.lease_until == lease_until)
        query = delete(idempotency_keys).where(_at(scope, key), is_open)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    def _record(self, row: Row[Any]) -> KeyRecord:
        return KeyRecord(
            request_hash=row.request_hash,
            answer=self._opened(row.answer, _place(row.scope, row.key)) if row.answer else row.answer,
            lease_until_ms=row.lease_until or 0,
        )

    def _opened(self, sealed: bytes, where: bytes) -> bytes:
        """Open an answer; one that was sealed with a key that is gone is lost."""
        try:
            return self._sealer.open(sealed, where)
        except UnsealingFailed:
            return b""


def _at(scope: str, key: str) -> ColumnElement[bool]:
    return and_(_columns.scope == scope, _columns.key == key)


def _place(scope: str, key: str) -> bytes:
    return f"idempotency_keys:answer:{scope}:{key}".encode()
