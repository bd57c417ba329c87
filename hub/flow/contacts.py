"""Contacts: find, make, change and delete them, and say who may see which.

Contacts belong to the hub. A key that is restricted to lines sees those that have a direct chat on one of its lines,
and changes none: what it cannot see might be touched. Deleting forgets a contact for good; history tells handles, so
nothing else changes. Not here: files of contacts (hub.flow.contact_import).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from hub.flow.contact_store import ContactFilter, ContactPage, ContactPlace, Planned
from hub.flow.lines import LineBook
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.contact import Contact, ContactHandle
from hub.model.errors import InvalidRequest, StoreError
from hub.model.ids import IdFactory, InvalidId, Prefix, id_text, parse_id
from hub.model.key import ApiKey
from hub.rules.chatkeys import normalize_handle
from hub.rules.contacts import ContactFields, excess, new_contact, tagged

REFUSED = "invalid_parameter_value"


class ContactBook:
    """All contacts."""

    def __init__(self, *, store: Store, lines: LineBook, clock: Clock, new_id: IdFactory) -> None:
        self._store = store
        self._lines = lines
        self._clock = clock
        self._new_id = new_id

    async def lines_of(self, key: ApiKey) -> frozenset[int] | None:
        """The lines whose contacts a key may see; None for all contacts."""
        if key.line_ids is None:
            return None
        return frozenset(line.id for line in await self._lines.visible(key))

    async def find(self, key: ApiKey, text: str) -> Contact:
        """Find a contact by its `ct_` id or one of its handles.

        Raises:
            InvalidRequest: contact_not_found, also for one that the key may not see.
        """
        contact = await self._look_up(text)
        if contact is not None:
            line_ids = await self.lines_of(key)
            if line_ids is None or await self._store.contacts.is_on_lines(contact.id, line_ids):
                return contact
        raise InvalidRequest("contact_not_found", "Contact not found.")

    async def _look_up(self, text: str) -> Contact | None:
        if text.startswith(f"{Prefix.CONTACT}_") and "@" not in text:
            try:
                return await self._store.contacts.get(parse_id(Prefix.CONTACT, text))
            except InvalidId:
                return None
        handle = normalize_handle(text)
        return (await self._store.contacts.by_handles([handle])).get(handle)

    async def of_handles(self, handles: Collection[str]) -> dict[str, Contact]:
        """The contacts behind handles, for lists that show a name beside each."""
        return await self._store.contacts.by_handles(set(handles))

    async def page(
        self,
        key: ApiKey,
        wanted: ContactFilter,
        *,
        after: ContactPlace | None,
        offset: int | None = None,
        limit: int,
    ) -> ContactPage:
        """Give a page of what the key may see; for a restricted key it may be shorter than asked.

        Args:
            key: Who asks.
            wanted: Which contacts; its lines are those of the key.
            after: Where the page before ended; None for the first.
            offset: How many come before, instead of a place; such a page is as long as asked.
            limit: How many at the most.
        """
        wanted = replace(wanted, line_ids=await self.lines_of(key))
        return await self._store.contacts.page(wanted, after=after, offset=offset, limit=limit)

    async def count(self, key: ApiKey, wanted: ContactFilter) -> int:
        """How many the key may see, on all pages."""
        return await self._store.contacts.count(replace(wanted, line_ids=await self.lines_of(key)))

    async def last_messages(self, key: ApiKey, contact_ids: Collection[int]) -> dict[int, int]:
        """When each was last written with, on the lines that the key may see."""
        if not contact_ids:
            return {}
        return await self._store.contacts.last_messages(contact_ids, line_ids=await self.lines_of(key))

    async def create(self, fields: ContactFields) -> Contact:
        """Make a contact.

        Raises:
            InvalidRequest: contact_exists when a handle is another one's; its message and `existing_id` tell whose.
        """
        contact = new_contact(fields, contact_id=self._new_id(), now_ms=self._clock.now_ms())
        _check(contact)
        try:
            await self._store.contacts.add(contact)
        except StoreError:
            await self._require_free(contact)
            raise
        return contact

    async def change(self, contact_id: int, changes: Mapping[str, Any]) -> Contact:
        """Change what is named: None clears it, handles and tags are given whole.

        Raises:
            InvalidRequest: contact_not_found, contact_exists, or nothing would be left of it.
        """
        now_ms = self._clock.now_ms()
        tags = changes.get("tags")

        def work(contact: Contact) -> Contact:
            said = dict(changes)
            if tags is not None:
                kept = tuple(each for each in contact.tags if each.tag in tags)
                said["tags"] = tagged(kept, tags, at=now_ms)
            return _moved(contact, replace(contact, **said), now_ms)

        return await self._update(contact_id, work)

    async def add_tags(self, contact_id: int, tags: Collection[str]) -> tuple[Contact, tuple[str, ...]]:
        """Add tags; those that are there stay as they are. Also give which were new."""
        now_ms = self._clock.now_ms()
        new: list[str] = []

        def work(contact: Contact) -> Contact:
            new[:] = sorted(set(tags) - {each.tag for each in contact.tags})
            return _moved(contact, replace(contact, tags=tagged(contact.tags, tags, at=now_ms)), now_ms)

        contact = await self._update(contact_id, work)
        return contact, tuple(new)

    async def remove_tag(self, contact_id: int, tag: str) -> Contact:
        """Take a tag off; one that is not there is not missed."""
        now_ms = self._clock.now_ms()

        def work(contact: Contact) -> Contact:
            kept = tuple(each for each in contact.tags if each.tag != tag)
            return _moved(contact, replace(contact, tags=kept), now_ms)

        return await self._update(contact_id, work)

    async def ensure(self, handle: ContactHandle, work: Callable[[Contact], Contact]) -> tuple[Contact, bool]:
        """Change the contact with a handle, or make it: one transaction, however many ask at once.

        Args:
            handle: As hub.rules.contacts.read_handle gives it.
            work: Gives the contact as it is to be; of a new one all that is known is the handle.

        Returns:
            The contact, and whether it is new.

        Raises:
            InvalidRequest: contact_exists where `work` gives it a handle of somebody else, or it would hold too much.
        """
        now_ms, contact_id = self._clock.now_ms(), self._new_id()
        wanted: list[Contact] = []

        def plan(known: Mapping[str, Contact]) -> Planned:
            found = known.get(handle.handle)
            blank = Contact(id=contact_id, handles=(handle,), created_at=now_ms, updated_at=now_ms)
            contact = found or blank
            changed = work(contact)
            changed = changed if found is None else _moved(contact, changed, now_ms)
            _check(changed)
            wanted[:] = [changed]
            if found is None:
                return Planned(new=[changed])
            return Planned() if changed is found else Planned(changed=[changed])

        while True:
            try:
                written = await self._store.contacts.write([handle.handle], plan)
            except StoreError:
                owner = (await self.of_handles([handle.handle])).get(handle.handle)
                if wanted and wanted[0].id == contact_id and owner is not None:
                    wanted.clear()  # somebody else made it in the same moment: it is theirs that is changed
                    continue
                if wanted:
                    await self._require_free(wanted[0])
                raise
            return wanted[0], bool(written.new)

    async def rework(self, contact_id: int, work: Callable[[Contact], Contact]) -> Contact:
        """Change a contact as it stands.

        Raises:
            InvalidRequest: contact_not_found, contact_exists, or it would hold too much, or nothing.
        """
        now_ms = self._clock.now_ms()
        return await self._update(contact_id, lambda contact: _moved(contact, work(contact), now_ms))

    async def delete(self, contact_id: int) -> None:
        """Forget a contact.

        Raises:
            InvalidRequest: contact_not_found.
        """
        if not await self._store.contacts.delete(contact_id):
            raise InvalidRequest("contact_not_found", "Contact not found.")

    async def _update(self, contact_id: int, work: Any) -> Contact:
        tried: list[Contact] = []

        def checked(contact: Contact) -> Contact:
            changed: Contact = work(contact)
            _check(changed)
            tried[:] = [changed]
            return changed

        try:
            contact = await self._store.contacts.update(contact_id, checked)
        except StoreError:
            if tried:
                await self._require_free(tried[0])
            raise
        if contact is None:
            raise InvalidRequest("contact_not_found", "Contact not found.")
        return contact

    async def _require_free(self, contact: Contact) -> None:
        owners = await self._store.contacts.by_handles([each.handle for each in contact.handles])
        for place, each in enumerate(contact.handles):
            owner = owners.get(each.handle)
            if owner is not None and owner.id != contact.id:
                raise taken(each.handle, owner, param=f"handles[{place}]")


def require_unrestricted(key: ApiKey) -> None:
    """Refuse a key that is restricted to lines.

    Raises:
        InvalidRequest: line_not_accessible.
    """
    if key.line_ids is not None:
        raise InvalidRequest(
            "line_not_accessible",
            "Contacts belong to the whole hub: a key that is restricted to lines may read those that its lines write "
            "with, not change them. Use a key without lines.",
        )


def taken(handle: str, owner: Contact, *, param: str | None = None) -> InvalidRequest:
    """Say whose a handle is."""
    contact_id = id_text(Prefix.CONTACT, owner.id)
    message = f"'{handle}' belongs to contact {contact_id} already; change that one, or leave the handle out."
    return InvalidRequest("contact_exists", message, param=param, existing_id=contact_id)


def _check(contact: Contact) -> None:
    if not (contact.handles or contact.shown_name or contact.organization):
        message = "A contact needs a handle, a name or an organization."
        raise InvalidRequest("missing_required_parameter", message, param="handles")
    if (found := excess(contact)) is not None:
        raise InvalidRequest(REFUSED, f"{found[1][0].upper()}{found[1][1:]}.", param=found[0])


def _moved(old: Contact, new: Contact, now_ms: int) -> Contact:
    return old if new == old else replace(new, updated_at=max(now_ms, old.updated_at))
