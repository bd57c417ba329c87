"""Contacts there and here. There, an Apple ID is a field; here, it is a handle with a label that says so.

Two labels, because an Apple ID may be one of the numbers and addresses as well, or not: so what was written is read
again as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.contact_shapes import ContactReply, HandleReply
from hub.dialects.coop.times import iso

#: The label of a handle that is the Apple ID and nothing else; of one that is a number or an address, too. In small
#: letters, as imports keep labels.
APPLE_ID: Final = "apple id"
ALSO_APPLE_ID: Final = "also apple id"
#: Native fields → theirs; handles are told apart by hand.
FIELDS: Final = {
    "first_name": "firstName",
    "job_title": "jobTitle",
    "last_name": "lastName",
    "q": "search",
    "tag": "tags",
}

Word = Annotated[str, Meta(max_length=200)]
Handle = Annotated[str, Meta(min_length=1, max_length=320)]
Handles = Annotated[tuple[Handle, ...], Meta(max_length=50)]
Tags = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(max_length=100)]


class _Details(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    last_name: Word | UnsetType | None = UNSET
    phone_numbers: Handles | UnsetType | None = UNSET
    email_addresses: Handles | UnsetType | None = UNSET
    apple_id: Handle | UnsetType | None = UNSET
    organization: Word | UnsetType | None = UNSET
    job_title: Word | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET
    notes: Annotated[str, Meta(max_length=10_000)] | UnsetType | None = UNSET


class NewContact(_Details, frozen=True, kw_only=True, rename="camel"):
    """A contact to make."""

    first_name: Annotated[str, Meta(min_length=1, max_length=200)]


class ContactChanges(_Details, frozen=True, kw_only=True, rename="camel"):
    """What is to change; the rest stays. Null clears."""

    first_name: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET


class Contact(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A contact."""

    id: str
    first_name: str
    last_name: str | None
    phone_numbers: list[str]
    email_addresses: list[str]
    apple_id: str | None
    organization: str | None
    job_title: str | None
    tags: list[str]
    notes: str | None
    created_at: str
    updated_at: str


def contact_shown(contact: ContactReply) -> Contact:
    """Show a contact; one that has no first name here shows the name that it has."""
    plain = [each for each in contact.handles if each.label != APPLE_ID]
    return Contact(
        id=contact.id,
        first_name=contact.first_name or contact.name or "",
        last_name=contact.last_name,
        phone_numbers=[each.handle for each in plain if each.kind == "phone"],
        email_addresses=[each.handle for each in plain if each.kind == "email"],
        apple_id=apple_id_of(contact.handles),
        organization=contact.organization,
        job_title=contact.job_title,
        tags=contact.tags,
        notes=contact.notes,
        created_at=iso(contact.created_at),
        updated_at=iso(contact.updated_at),
    )


def apple_id_of(handles: Sequence[HandleReply]) -> str | None:
    """Give the handle that is the Apple ID."""
    return next((each.handle for each in handles if each.label in (APPLE_ID, ALSO_APPLE_ID)), None)


def native_fields(body: NewContact | ContactChanges) -> dict[str, Any]:
    """Give what a body says under native names, without the handles."""
    names = ("first_name", "last_name", "organization", "job_title", "tags", "notes")
    return {name: value for name in names if (value := getattr(body, name)) is not UNSET}


def says_handles(body: NewContact | ContactChanges) -> bool:
    """Tell whether a body says anything of handles."""
    return any(each is not UNSET for each in (body.phone_numbers, body.email_addresses, body.apple_id))


def native_handles(
    body: NewContact | ContactChanges, known: Sequence[HandleReply] = ()
) -> list[dict[str, str | None]]:
    """Put the handles of a contact together: what the body says, and of the others what is known.

    Args:
        body: Numbers, addresses and the Apple ID, as far as they are said.
        known: The contact's handles as they are.
    """
    labels = {each.handle: each.label for each in known if each.label not in (APPLE_ID, ALSO_APPLE_ID)}
    plain = [each for each in known if each.label != APPLE_ID]
    phones = _said(body.phone_numbers, [each.handle for each in plain if each.kind == "phone"])
    mails = _said(body.email_addresses, [each.handle for each in plain if each.kind == "email"])
    apple_id = apple_id_of(known) if isinstance(body.apple_id, UnsetType) else body.apple_id
    listed = [*phones, *mails]
    handles: list[dict[str, str | None]] = [
        {"handle": each, "label": ALSO_APPLE_ID if each == apple_id else labels.get(each)} for each in listed
    ]
    if apple_id is not None and apple_id not in listed:
        handles.append({"handle": apple_id, "label": APPLE_ID})
    return handles


def _said(value: Sequence[str] | UnsetType | None, known: Sequence[str]) -> Sequence[str]:
    return known if isinstance(value, UnsetType) else value or ()


def field_of_handle(body: NewContact | ContactChanges, place: int) -> str:
    """Say which of the caller's fields a handle came from, by its place among them all."""
    for name, value in (("phoneNumbers", body.phone_numbers), ("emailAddresses", body.email_addresses)):
        count = 0 if isinstance(value, UnsetType) or value is None else len(value)
        if place < count:
            return f"{name}[{place}]"
        place -= count
    return "appleId"
