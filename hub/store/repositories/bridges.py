"""Bridges in the database; secrets sealed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, exists, insert, or_, select, update

from hub.model.enrolment import BridgeSystem
from hub.model.line import Bridge
from hub.store.database import Database
from hub.store.repositories.configuration import raise_revision
from hub.store.repositories.sealed import open_secrets, open_settings, seal_secrets, seal_settings
from hub.store.schema import bridge_agents, bridge_calls, bridges, lines, refused_payloads
from hub.store.sealing import Sealer


def bridge_from(row: Row[Any], sealer: Sealer) -> Bridge:
    return Bridge(
        id=row.id,
        name=row.name,
        kind=row.kind,
        secrets=open_secrets(sealer, "bridges", row.id, row.secrets),
        cursor=row.cursor,
        is_enabled=bool(row.is_enabled),
        created_at=row.created_at,
        system=None if row.system is None else msgspec.json.decode(row.system, type=BridgeSystem),
        settings=open_settings(sealer, row.id, row.settings),
        agent=row.agent,
    )


def bridge_values(bridge: Bridge, sealer: Sealer) -> dict[str, Any]:
    """Give the columns of a bridge."""
    return {
        "id": bridge.id,
        "name": bridge.name,
        "kind": bridge.kind,
        "secrets": seal_secrets(sealer, "bridges", bridge.id, bridge.secrets),
        "cursor": bridge.cursor,
        "is_enabled": int(bridge.is_enabled),
        "created_at": bridge.created_at,
        "system": None if bridge.system is None else msgspec.json.encode(bridge.system).decode(),
        "settings": seal_settings(sealer, bridge.id, bridge.settings),
        "agent": bridge.agent,
    }


class SqlBridges:
    """hub.flow.repositories.Bridges."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def add(self, bridge: Bridge) -> None:
        values = bridge_values(bridge, self._sealer)

        def work(connection: Connection) -> None:
            connection.execute(insert(bridges).values(values))
            raise_revision(connection, bridges, [bridge.id])

        await self._database.write(work)

    async def all(self) -> list[Bridge]:
        query = select(bridges).order_by(bridges.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [bridge_from(row, self._sealer) for row in rows]

    async def change(self, bridge_id: int, change: Callable[[Bridge], Bridge]) -> Bridge | None:
        this = bridges.c.id == bridge_id

        def work(connection: Connection) -> Bridge | None:
            row = connection.execute(select(bridges).where(this).with_for_update()).one_or_none()
            if row is None:
                return None
            changed = change(bridge_from(row, self._sealer))
            values = bridge_values(changed, self._sealer)
            del values["cursor"], values["agent"]  # kept as bridges and agents tell them
            connection.execute(update(bridges).where(this).values(values))
            raise_revision(connection, bridges, [bridge_id])
            return changed

        return await self._database.write(work)

    async def delete(self, bridge_id: int) -> bool:
        carries = exists().where(or_(lines.c.bridge_id == bridge_id, lines.c.fallback_bridge_id == bridge_id))
        query = delete(bridges).where(bridges.c.id == bridge_id, ~carries)

        def work(connection: Connection) -> bool:
            is_gone = connection.execute(query).rowcount > 0
            if is_gone:
                connection.execute(delete(bridge_calls).where(bridge_calls.c.bridge_id == bridge_id))
                connection.execute(delete(bridge_agents).where(bridge_agents.c.bridge_id == bridge_id))
                connection.execute(delete(refused_payloads).where(refused_payloads.c.bridge_id == bridge_id))
                raise_revision(connection, bridges, [bridge_id])
            return is_gone

        return await self._database.write(work)

    async def save_cursor(self, bridge_id: int, cursor: str) -> None:
        query = update(bridges).where(bridges.c.id == bridge_id).values(cursor=cursor)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def heard(self, bridge_id: int, *, at: int) -> None:
        query = update(bridges).where(bridges.c.id == bridge_id).values(heard_at=at)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def last_heard(self) -> dict[int, int]:
        query = select(bridges.c.id, bridges.c.heard_at).where(bridges.c.heard_at.is_not(None))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row[0]: row[1] for row in rows}
