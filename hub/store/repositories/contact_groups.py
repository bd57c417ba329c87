"""Named lists of contacts in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.contact import ContactGroup
from hub.store.database import Database
from hub.store.schema import contact_group_members, contact_groups, contacts

_members = contact_group_members.c


def _group(row: Row[Any]) -> ContactGroup:
    return ContactGroup(**row._mapping)


class SqlContactGroups:
    """hub.flow.contact_store.ContactGroups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, group: ContactGroup) -> None:
        query = insert(contact_groups).values(asdict(group))
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def get(self, group_id: int) -> ContactGroup | None:
        return await self._one(select(contact_groups).where(contact_groups.c.id == group_id))

    async def by_name(self, name: str) -> ContactGroup | None:
        return await self._one(select(contact_groups).where(contact_groups.c.name == name))

    async def _one(self, query: Select[Any]) -> ContactGroup | None:
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _group(row) if row else None

    async def rename(self, group_id: int, *, name: str, at: int) -> bool:
        query = update(contact_groups).where(contact_groups.c.id == group_id).values(name=name, updated_at=at)
        return await self._database.write(lambda connection: connection.execute(query).rowcount > 0)

    async def delete(self, group_id: int) -> bool:
        def work(connection: Connection) -> bool:
            connection.execute(delete(contact_group_members).where(_members.group_id == group_id))
            gone = delete(contact_groups).where(contact_groups.c.id == group_id)
            return connection.execute(gone).rowcount > 0

        return await self._database.write(work)

    async def count(self) -> int:
        query = select(func.count()).select_from(contact_groups)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def list(self, *, after: int | None, offset: int | None = None, limit: int) -> list[ContactGroup]:
        query = select(contact_groups).order_by(contact_groups.c.id.desc()).limit(limit).offset(offset)
        if after is not None:
            query = query.where(contact_groups.c.id < after)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_group(row) for row in rows]

    async def sizes(self, group_ids: Collection[int]) -> dict[int, int]:
        query = (
            select(_members.group_id, func.count())
            .where(_members.group_id.in_(sorted(group_ids)))
            .group_by(_members.group_id)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row[0]: row[1] for row in rows}

    async def add_members(self, group_id: int, contact_ids: Sequence[int], *, at: int) -> int | None:
        def work(connection: Connection) -> int | None:
            # Locked against a deletion that comes at the same time.
            group = (
                select(contact_groups.c.id).where(contact_groups.c.id == group_id).with_for_update(read=True)
            )
            if connection.execute(group).first() is None:
                return None
            there = select(contacts.c.id).where(contacts.c.id.in_(contact_ids)).with_for_update(read=True)
            rows = [
                {"group_id": group_id, "contact_id": number, "added_at": at}
                for number in sorted(connection.scalars(there))
            ]
            if not rows:
                return 0
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            query = dialect.insert(contact_group_members).values(rows).on_conflict_do_nothing()
            return len(connection.execute(query.returning(_members.contact_id)).all())

        return await self._database.write(work)

    async def remove_member(self, group_id: int, contact_id: int) -> bool:
        query = delete(contact_group_members).where(
            _members.group_id == group_id, _members.contact_id == contact_id
        )
        return await self._database.write(lambda connection: connection.execute(query).rowcount > 0)
