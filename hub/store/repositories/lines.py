"""Lines in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, or_, select, update

from hub.flow.message_counts import MessageCounts
from hub.model.line import Line
from hub.model.line_safety import LineSafety
from hub.store.database import Database
from hub.store.repositories.configuration import raise_revision
from hub.store.repositories.message_counts import count_by
from hub.store.schema import line_health, lines


def _values(line: Line) -> dict[str, Any]:
    return asdict(line) | {
        "is_active": int(line.is_active),
        "is_contact_first": int(line.is_contact_first),
        "capabilities": None if line.capabilities is None else _names_json(line.capabilities),
        "capabilities_off": _names_json(line.capabilities_off),
        "safety": msgspec.json.encode(line.safety).decode(),
    }


def _names_json(names: frozenset[str]) -> str:
    return msgspec.json.encode(sorted(names)).decode()


def line_from(row: Row[Any]) -> Line:
    values = dict(row._mapping)
    values["is_active"] = bool(row.is_active)
    values["is_contact_first"] = bool(row.is_contact_first)
    told = row.capabilities
    values["capabilities"] = None if told is None else frozenset(msgspec.json.decode(told))
    values["capabilities_off"] = frozenset(msgspec.json.decode(row.capabilities_off))
    values["safety"] = msgspec.json.decode(row.safety, type=LineSafety)
    return Line(**values)


#: Columns that have their own way in.
_TOLD = frozenset({"capabilities", "status", "status_reason"})


class SqlLines:
    """hub.flow.repositories.Lines."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(
        self, line_ids: Sequence[int], *, since: int | None = None, until: int | None = None
    ) -> dict[int, MessageCounts]:
        return await count_by(self._database, "line_id", line_ids, since=since, until=until)

    async def add(self, line: Line) -> None:
        def work(connection: Connection) -> None:
            connection.execute(insert(lines).values(_values(line)))
            raise_revision(connection, lines, [line.id])

        await self._database.write(work)

    async def all(self) -> list[Line]:
        query = select(lines).order_by(lines.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [line_from(row) for row in rows]

    async def change(self, line_id: int, change: Callable[[Line], Line]) -> Line | None:
        this = lines.c.id == line_id

        def work(connection: Connection) -> Line | None:
            row = connection.execute(select(lines).where(this).with_for_update()).one_or_none()
            if row is None:
                return None
            changed = change(line_from(row))
            values = {name: value for name, value in _values(changed).items() if name not in _TOLD}
            connection.execute(update(lines).where(this).values(values))
            raise_revision(connection, lines, [line_id])
            return changed

        return await self._database.write(work)

    async def carry(self, line_id: int, capabilities: frozenset[str] | None) -> None:
        told = None if capabilities is None else _names_json(capabilities)
        query = update(lines).where(lines.c.id == line_id).values(capabilities=told)
        # What the bridge before it said of the line is over.
        unsaid = update(line_health).where(line_health.c.line_id == line_id)
        unsaid = unsaid.values(bridge_status=None, bridge_reason=None, bridge_at=None)

        def work(connection: Connection) -> None:
            connection.execute(query)
            connection.execute(unsaid)
            raise_revision(connection, lines, [line_id])

        await self._database.write(work)

    async def tell_capabilities(self, bridge_id: int, names: frozenset[str]) -> bool:
        told = _names_json(names)
        query = update(lines).where(
            lines.c.bridge_id == bridge_id, lines.c.capabilities.is_distinct_from(told)
        )

        def work(connection: Connection) -> bool:
            changed = query.values(capabilities=told).returning(lines.c.id)
            ids = connection.execute(changed).scalars().all()
            if ids:
                raise_revision(connection, lines, ids)
            return bool(ids)

        return await self._database.write(work)

    async def tell_status(self, line_id: int, status: str, reason: str | None) -> bool:
        query = update(lines).where(
            lines.c.id == line_id,
            or_(lines.c.status != status, lines.c.status_reason.is_distinct_from(reason)),
        )

        def work(connection: Connection) -> bool:
            is_changed = connection.execute(query.values(status=status, status_reason=reason)).rowcount > 0
            if is_changed:
                raise_revision(connection, lines, [line_id])
            return is_changed

        return await self._database.write(work)
