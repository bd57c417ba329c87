"""Consents and their log as people see them; words are recorded by hot transactions (hub.flow.safety_ports)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, or_, select, update

from hub.flow.consent_rows import consent_from, entry_from
from hub.flow.safety_repositories import ConsentFilter
from hub.flow.safety_rows import ConsentLogRow, ConsentRow
from hub.model.consent import Consent, ConsentEntry
from hub.store.database import Database
from hub.store.schema import consent_log, consents

_CONSENT = [consents.c[name] for name in ConsentRow._fields]
_ENTRY = [consent_log.c[name] for name in ConsentLogRow._fields]


def _conditions(table: Table, wanted: ConsentFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.line_ids is not None:
        ids = sorted(wanted.line_ids)
        conditions.append(or_(table.c.scope_line_id.in_(ids), table.c.line_id.in_(ids)))
    if wanted.handle is not None:
        conditions.append(table.c.handle == wanted.handle)
    if wanted.action is not None:
        conditions.append(table.c.action == wanted.action)
    return conditions


class SqlConsents:
    """hub.flow.safety_repositories.Consents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, scope_line_ids: Sequence[int], handle: str) -> list[Consent]:
        query = select(*_CONSENT).where(
            consents.c.scope_line_id.in_(scope_line_ids), consents.c.handle == handle
        )
        return [consent_from(ConsentRow(*row)) for row in await self._rows(query)]

    async def list(self, wanted: ConsentFilter, *, after: int | None, limit: int) -> list[Consent]:
        query = select(*_CONSENT).where(*_conditions(consents, wanted))
        if after is not None:
            query = query.where(consents.c.entry_id < after)
        rows = await self._rows(query.order_by(consents.c.entry_id.desc()).limit(limit))
        return [consent_from(ConsentRow(*row)) for row in rows]

    async def history(
        self, wanted: ConsentFilter, *, after: int | None, limit: int
    ) -> Sequence[ConsentEntry]:
        query = select(*_ENTRY).where(*_conditions(consent_log, wanted))
        if after is not None:
            query = query.where(consent_log.c.id < after)
        return await self._entries(query.order_by(consent_log.c.id.desc()).limit(limit))

    async def page(self, wanted: ConsentFilter, *, after: int, limit: int) -> Sequence[ConsentEntry]:
        query = select(*_ENTRY).where(consent_log.c.id > after, *_conditions(consent_log, wanted))
        return await self._entries(query.order_by(consent_log.c.id).limit(limit))

    async def owed_replies(self, *, limit: int) -> Sequence[ConsentEntry]:
        query = select(*_ENTRY).where(consent_log.c.reply_state == 0)
        return await self._entries(query.order_by(consent_log.c.id).limit(limit))

    async def replied(self, entry_id: int) -> None:
        query = update(consent_log).where(consent_log.c.id == entry_id).values(reply_state=1)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def _entries(self, query: Select[Any]) -> Sequence[ConsentEntry]:
        return [entry_from(ConsentLogRow(*row)) for row in await self._rows(query)]

    async def _rows(self, query: Select[Any]) -> Sequence[Any]:
        return await self._database.read(lambda connection: connection.execute(query).all())
