"""Contacts in the database: written whole, with the tables of handles and tags that find them.

Pages walk an index in the order asked for and end at a limit. A key that sees only some lines' contacts walks a
window at a time, so that a page costs the same whether it finds many or none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from hub.flow.contact_store import ContactFilter, ContactPage, ContactPlace, Planned
from hub.model.contact import Contact, ContactHandle, ContactTag
from hub.rules.contacts import search_text, sort_name
from hub.store.database import Database
from hub.store.repositories import contact_queries
from hub.store.schema import contact_group_members, contact_handles, contact_tags, contacts

#: Contacts looked at for one page of a key that may not see all.
WINDOW: Final = 1_000
#: Values in one statement; SQLite takes 32,766.
_MOST_VALUES: Final = 500

_PLAIN: Final = (
    "id",
    *("first_name", "last_name", "name", "organization", "job_title"),
    *("metadata", "notes", "created_at", "updated_at"),
)
_encode: Final = msgspec.json.Encoder().encode
_HANDLES: Final = msgspec.json.Decoder(tuple[ContactHandle, ...])
_TAGS: Final = msgspec.json.Decoder(tuple[ContactTag, ...])
_WHOLE: Final = [contacts.c[name] for name in (*_PLAIN, "handles", "tags")]


def _contact(row: Row[Any]) -> Contact:
    values = {name: getattr(row, name) for name in _PLAIN}
    return Contact(**values, handles=_HANDLES.decode(row.handles), tags=_TAGS.decode(row.tags))


def _values(contact: Contact) -> dict[str, Any]:
    return {name: getattr(contact, name) for name in _PLAIN} | {
        "handles": _encode(contact.handles).decode(),
        "tags": _encode(contact.tags).decode(),
        "sort_name": sort_name(contact),
        "search": search_text(contact),
    }


class SqlContacts:
    """hub.flow.contact_store.Contacts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, contact: Contact) -> None:
        await self._database.write(lambda connection: _insert(connection, [contact]))

    async def get(self, contact_id: int) -> Contact | None:
        query = select(*_WHOLE).where(contacts.c.id == contact_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _contact(row) if row else None

    async def by_handles(self, handles: Collection[str]) -> dict[str, Contact]:
        if not handles:
            return {}
        return await self._database.read(lambda connection: _owners(connection, handles, is_locking=False))

    async def update(self, contact_id: int, change: Callable[[Contact], Contact]) -> Contact | None:
        query = select(*_WHOLE).where(contacts.c.id == contact_id).with_for_update()

        def work(connection: Connection) -> Contact | None:
            row = connection.execute(query).first()
            if row is None:
                return None
            old = _contact(row)
            new = change(old)
            if new != old:
                _overwrite(connection, [new])
            return new

        return await self._database.write(work)

    async def write(
        self, handles: Collection[str], plan: Callable[[Mapping[str, Contact]], Planned]
    ) -> Planned:
        def work(connection: Connection) -> Planned:
            planned = plan(_owners(connection, handles, is_locking=True))
            _insert(connection, planned.new)
            _overwrite(connection, planned.changed)
            return planned

        return await self._database.write(work)

    async def delete(self, contact_id: int) -> bool:
        lock = select(contacts.c.id).where(contacts.c.id == contact_id).with_for_update()

        def work(connection: Connection) -> bool:
            connection.execute(lock)
            for table in (contact_group_members, contact_tags, contact_handles):
                connection.execute(delete(table).where(table.c.contact_id == contact_id))
            return connection.execute(delete(contacts).where(contacts.c.id == contact_id)).rowcount > 0

        return await self._database.write(work)

    async def page(
        self, wanted: ContactFilter, *, after: ContactPlace | None, offset: int | None = None, limit: int
    ) -> ContactPage:
        def work(connection: Connection) -> ContactPage:
            if offset is None:
                found, place = _found(connection, wanted, after, limit)
            else:
                found, place = _found_at(connection, wanted, offset, limit)
            rows = connection.execute(select(*_WHOLE).where(contacts.c.id.in_(found)))
            by_id = {row.id: _contact(row) for row in rows}
            return ContactPage([by_id[number] for number in found], place)

        return await self._database.read(work)

    async def count(self, wanted: ContactFilter) -> int:
        def work(connection: Connection) -> int:
            query = contact_queries.count(wanted, dialect=connection.dialect.name)
            return int(connection.execute(query).scalar_one())

        return await self._database.read(work)

    async def last_messages(
        self, contact_ids: Collection[int], *, line_ids: frozenset[int] | None
    ) -> dict[int, int]:
        query = contact_queries.last_messages(contact_ids, line_ids)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row[0]: row[1] for row in rows if row[1] is not None}

    async def is_on_lines(self, contact_id: int, line_ids: frozenset[int]) -> bool:
        query = select(contacts.c.id).where(contacts.c.id == contact_id, contact_queries.is_on(line_ids))
        return await self._database.read(lambda connection: connection.execute(query).first()) is not None

    async def latest_line(self, contact_id: int, line_ids: Collection[int]) -> int | None:
        query = contact_queries.latest_line(contact_id, line_ids)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return row[0] if row else None

    async def tags(self, *, after: str | None, limit: int) -> list[tuple[str, int]]:
        query = contact_queries.tags(after).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [(row[0], row[1]) for row in rows]


def _found(
    connection: Connection, wanted: ContactFilter, after: ContactPlace | None, limit: int
) -> tuple[list[int], ContactPlace | None]:
    """The ids of a page in order, and where to go on."""
    size = limit + 1 if wanted.line_ids is None else WINDOW
    query = contact_queries.page(wanted, after, dialect=connection.dialect.name).limit(size)
    rows = connection.execute(query).all()
    shown = [row for row in rows if wanted.line_ids is None or row.is_visible]
    last = shown[limit - 1] if len(shown) > limit else rows[-1] if len(rows) == size else None
    place = None if last is None else ContactPlace(last.id, last.sort_name)
    return [row.id for row in shown[:limit]], place


def _found_at(
    connection: Connection, wanted: ContactFilter, offset: int, limit: int
) -> tuple[list[int], ContactPlace | None]:
    """As `_found`, after so many, and as many as asked for if they are there."""
    query = contact_queries.page_at(wanted, offset, dialect=connection.dialect.name).limit(limit + 1)
    rows = connection.execute(query).all()
    place = ContactPlace(rows[limit - 1].id, rows[limit - 1].sort_name) if len(rows) > limit else None
    return [row.id for row in rows[:limit]], place


def _owners(connection: Connection, handles: Collection[str], *, is_locking: bool) -> dict[str, Contact]:
    owners: dict[str, Contact] = {}
    for some in _chunks(sorted(handles)):
        query = (
            select(contact_handles.c.handle, *_WHOLE).join(contacts).where(contact_handles.c.handle.in_(some))
        )
        if is_locking:
            # In one order, so that two imports never wait for each other crosswise.
            query = query.order_by(contacts.c.id).with_for_update(of=contacts)
        owners |= {row.handle: _contact(row) for row in connection.execute(query)}
    return owners


def _insert(connection: Connection, rows: Sequence[Contact]) -> None:
    if rows:
        connection.execute(insert(contacts), [_values(row) for row in rows])
        _index(connection, rows)


def _overwrite(connection: Connection, rows: Sequence[Contact]) -> None:
    for row in rows:
        connection.execute(update(contacts).where(contacts.c.id == row.id).values(_values(row)))
    for some in _chunks([row.id for row in rows]):
        for table in (contact_tags, contact_handles):
            connection.execute(delete(table).where(table.c.contact_id.in_(some)))
    _index(connection, rows)


def _index(connection: Connection, rows: Sequence[Contact]) -> None:
    handles = [{"handle": each.handle, "contact_id": row.id} for row in rows for each in row.handles]
    tags = [
        {"contact_id": row.id, "tag": each.tag, "sort_name": sort_name(row)}
        for row in rows
        for each in row.tags
    ]
    if handles:
        # In one order, for the same reason as in _owners.
        connection.execute(insert(contact_handles), sorted(handles, key=lambda each: str(each["handle"])))
    if tags:
        connection.execute(insert(contact_tags), tags)


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[at : at + _MOST_VALUES] for at in range(0, len(values), _MOST_VALUES))
