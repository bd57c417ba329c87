"""A contact: a person on the other side, with the handles that are theirs; and named lists of contacts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HandleKind(StrEnum):
    """What a handle is."""

    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactHandle:
    """One address of a contact, spelt our way (hub.rules.chatkeys)."""

    handle: str
    kind: HandleKind
    #: `work`, `home`, …: what its owner calls it.
    label: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactTag:
    """A word on a contact."""

    tag: str
    #: Unix ms.
    added_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """A person we know. Contacts are the hub's, not a line's."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    #: As given; `shown_name` tells what people see.
    name: str | None = None
    organization: str | None = None
    job_title: str | None = None
    #: The first one is the preferred one.
    handles: tuple[ContactHandle, ...] = ()
    #: By tag.
    tags: tuple[ContactTag, ...] = ()
    #: The client's own JSON object.
    metadata: str | None = None
    notes: str | None = None
    created_at: int
    updated_at: int

    @property
    def shown_name(self) -> str | None:
        """The name given, or else first and last name."""
        return self.name or " ".join(filter(None, (self.first_name, self.last_name))) or None


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactGroup:
    """A named list of contacts. No chat: nobody in it knows of the others."""

    id: int
    name: str
    created_at: int
    updated_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reachability:
    """What a line's network last said of a handle."""

    line_id: int
    handle: str
    #: The outbox item that asks, or asked.
    outbox_id: int
    #: JSON object as the bridge gave it; None until it did.
    result: str | None
    #: Unix ms.
    checked_at: int | None
