"""Named lists of contacts, for sends to many. Like contacts they belong to the hub (hub.flow.contacts)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.contact import ContactGroup
from hub.model.errors import InvalidRequest, StoreError
from hub.model.ids import IdFactory, Prefix, id_text

_GONE = InvalidRequest("contact_group_not_found", "Contact group not found.")


class ContactGroupBook:
    """All lists of contacts."""

    def __init__(self, *, store: Store, clock: Clock, new_id: IdFactory) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def create(self, name: str) -> ContactGroup:
        """Make an empty list.

        Raises:
            InvalidRequest: name_taken.
        """
        now_ms = self._clock.now_ms()
        group = ContactGroup(id=self._new_id(), name=name, created_at=now_ms, updated_at=now_ms)
        try:
            await self._store.contact_groups.add(group)
        except StoreError:
            await self._require_free(name)
            raise
        return group

    async def get(self, group_id: int) -> ContactGroup:
        group = await self._store.contact_groups.get(group_id)
        if group is None:
            raise _GONE
        return group

    async def rename(self, group_id: int, name: str) -> ContactGroup:
        """Give a list another name.

        Raises:
            InvalidRequest: contact_group_not_found or name_taken.
        """
        try:
            is_there = await self._store.contact_groups.rename(group_id, name=name, at=self._clock.now_ms())
        except StoreError:
            await self._require_free(name)
            raise
        if not is_there:
            raise _GONE
        return await self.get(group_id)

    async def delete(self, group_id: int) -> None:
        """Delete a list; its contacts stay."""
        if not await self._store.contact_groups.delete(group_id):
            raise _GONE

    async def page(self, *, after: int | None, offset: int | None = None, limit: int) -> list[ContactGroup]:
        """Newest first, after an id, or after so many."""
        return await self._store.contact_groups.list(after=after, offset=offset, limit=limit)

    async def count(self) -> int:
        return await self._store.contact_groups.count()

    async def sizes(self, groups: Collection[ContactGroup]) -> dict[int, int]:
        """How many contacts each list has."""
        return await self._store.contact_groups.sizes([group.id for group in groups]) if groups else {}

    async def add_members(self, group_id: int, contact_ids: Sequence[int]) -> int:
        """Add contacts; those that are in it, or are gone by now, change nothing. Give how many were new."""
        added = await self._store.contact_groups.add_members(group_id, contact_ids, at=self._clock.now_ms())
        if added is None:
            raise _GONE
        return added

    async def remove_member(self, group_id: int, contact_id: int) -> bool:
        await self.get(group_id)
        return await self._store.contact_groups.remove_member(group_id, contact_id)

    async def _require_free(self, name: str) -> None:
        other = await self._store.contact_groups.by_name(name)
        if other is not None:
            whose = id_text(Prefix.CONTACT_GROUP, other.id)
            message = f"There is a contact group named '{name}' already: {whose}."
            raise InvalidRequest("name_taken", message, param="name", existing_id=whose)
