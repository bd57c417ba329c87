"""What the use cases of contacts need of the store. The rest of it stands in hub.flow.repositories.

Functions that are handed in work on values only: the store may call them more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from hub.model.contact import Contact, ContactGroup, Reachability


class ContactOrder(StrEnum):
    """How a list of contacts is ordered; the id decides among equals."""

    RECENT = "recent"
    OLDEST = "oldest"
    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"


class ContactPlace(NamedTuple):
    """Where a page ends: what the next one begins after."""

    contact_id: int
    #: Meaningful where names are ordered.
    sort_name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactFilter:
    """Which contacts, and in which order; None and empty do not restrict."""

    order: ContactOrder = ContactOrder.RECENT
    #: As hub.rules.contacts.search_needle gives it.
    needle: str = ""
    #: Every one of them.
    tags: tuple[str, ...] = ()
    group_id: int | None = None
    #: Contacts with a direct chat on one of these lines.
    line_ids: frozenset[int] | None = None


class ContactPage(NamedTuple):
    """Some contacts, and where to go on; a page may be shorter than asked, even empty, before the last."""

    contacts: list[Contact]
    next: ContactPlace | None


class Planned(NamedTuple):
    """What is to be written at once."""

    new: Sequence[Contact] = ()
    changed: Sequence[Contact] = ()


class Contacts(Protocol):
    """Contacts. A handle that is taken is refused by a StoreError."""

    async def add(self, contact: Contact) -> None: ...
    async def get(self, contact_id: int) -> Contact | None: ...
    async def by_handles(self, handles: Collection[str]) -> dict[str, Contact]:
        """The contacts that have these handles, by handle."""
        ...

    async def update(self, contact_id: int, change: Callable[[Contact], Contact]) -> Contact | None:
        """Change one as it stands now; None if it is gone."""
        ...

    async def write(
        self, handles: Collection[str], plan: Callable[[Mapping[str, Contact]], Planned]
    ) -> Planned:
        """Look up who has these handles, and write what the plan makes of it, in one transaction."""
        ...

    async def delete(self, contact_id: int) -> bool:
        """Delete one with its handles, tags and memberships."""
        ...

    async def page(
        self, wanted: ContactFilter, *, after: ContactPlace | None, offset: int | None = None, limit: int
    ) -> ContactPage:
        """After a place, or after so many: then the page is as long as asked for unless it is the last."""
        ...

    async def count(self, wanted: ContactFilter) -> int:
        """How many there are on all pages."""
        ...

    async def last_messages(
        self, contact_ids: Collection[int], *, line_ids: frozenset[int] | None
    ) -> dict[int, int]:
        """When each was last written with, in direct chats, on these lines or on any."""
        ...

    async def is_on_lines(self, contact_id: int, line_ids: frozenset[int]) -> bool:
        """Whether it has a direct chat on one of these lines."""
        ...

    async def latest_line(self, contact_id: int, line_ids: Collection[int]) -> int | None:
        """The line, of these, on which it was last written with."""
        ...

    async def tags(self, *, after: str | None, limit: int) -> list[tuple[str, int]]:
        """Tags with their numbers of contacts, by tag."""
        ...


class ContactGroups(Protocol):
    """Named lists of contacts. A name that is taken is refused by a StoreError."""

    async def add(self, group: ContactGroup) -> None: ...
    async def get(self, group_id: int) -> ContactGroup | None: ...
    async def by_name(self, name: str) -> ContactGroup | None: ...
    async def rename(self, group_id: int, *, name: str, at: int) -> bool: ...
    async def delete(self, group_id: int) -> bool: ...
    async def list(
        self, *, after: int | None, offset: int | None = None, limit: int
    ) -> list[ContactGroup]: ...
    async def count(self) -> int: ...
    async def sizes(self, group_ids: Collection[int]) -> dict[int, int]: ...
    async def add_members(self, group_id: int, contact_ids: Sequence[int], *, at: int) -> int | None:
        """Add those that exist and are none yet; return how many, None if the group is gone."""
        ...

    async def remove_member(self, group_id: int, contact_id: int) -> bool: ...


class Availability(Protocol):
    """What was found out about handles, by line."""

    async def find(self, line_id: int, handles: Collection[str]) -> dict[str, Reachability]: ...
    async def save(self, rows: Sequence[Reachability]) -> None:
        """Insert, or overwrite by line and handle."""
        ...
