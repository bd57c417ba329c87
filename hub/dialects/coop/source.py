"""What can be carried over from Coop: contacts with their tags, names of lists, webhooks (contracts: coop §3, §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from hub.dialects.coop.contact_shapes import ALSO_APPLE_ID, APPLE_ID, FIELDS
from hub.dialects.coop.names import DIALECT_NAME, EVENTS
from hub.flow.vendor_sources import (
    Ask,
    FoundContact,
    FoundGroup,
    FoundWebhook,
    Page,
    Unreadable,
    VendorSource,
    all_pages,
    known_events,
    no_object,
    no_receiver,
    rows_of,
    text_of,
    whole_number,
)

_PREFIX: Final = "/api/v1"
_LIMIT: Final = 100


async def _rows(ask: Ask, noun: str) -> AsyncIterator[Any]:
    def at(page: int) -> str:
        return f"{_PREFIX}/{noun}?page={page}&limit={_LIMIT}"

    def read(document: Mapping[str, Any], count: int) -> Page:
        rows = rows_of(document, "data")
        pagination = document.get("pagination")
        if pagination is None:  # a list that has no pages
            return Page(rows=rows, next=None)
        total, number = whole_number(pagination, "total"), whole_number(pagination, "page")
        is_last = not rows or (total is not None and count + len(rows) >= total)
        return Page(rows=rows, next=None if is_last or number is None else at(number + 1), total=total)

    async for row in all_pages(ask, at(1), read):
        yield row


async def _contacts(ask: Ask) -> AsyncIterator[FoundContact | Unreadable]:
    async for row in _rows(ask, "contacts"):
        if isinstance(row, dict):
            yield FoundContact(id=text_of(row, "id"), fields=_native(row))
        else:
            yield row if isinstance(row, Unreadable) else no_object(row)


def _native(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("first_name", "last_name", "organization", "job_title", "tags", "notes")
    return {**{name: row.get(FIELDS.get(name, name)) for name in names}, "handles": _handles(row)}


def _handles(row: Mapping[str, Any]) -> list[Any]:
    """Put numbers, addresses and the Apple ID together; what is none of these goes on as it is, to be refused."""
    listed: list[Any] = []
    for name in ("phoneNumbers", "emailAddresses"):
        value = row.get(name)
        listed += value if isinstance(value, list) else [] if value is None else [value]
    apple_id = row.get("appleId")
    if not apple_id:
        return listed
    if apple_id not in listed:
        return [*listed, {"handle": apple_id, "label": APPLE_ID}]
    return [{"handle": each, "label": ALSO_APPLE_ID} if each == apple_id else each for each in listed]


async def _groups(ask: Ask) -> AsyncIterator[FoundGroup | Unreadable]:
    async for row in _rows(ask, "contact-groups"):
        if isinstance(row, dict):
            yield FoundGroup(id=text_of(row, "id"), name=text_of(row, "name"))
        else:
            yield row if isinstance(row, Unreadable) else no_object(row)


async def _webhooks(ask: Ask) -> AsyncIterator[FoundWebhook | Unreadable]:
    for row in rows_of(await ask(f"{_PREFIX}/webhooks"), "data", "webhooks"):
        if not isinstance(row, dict):
            yield no_object(row)
            continue
        webhook_id, url = text_of(row, "id"), text_of(row, "url")
        names, strange = known_events(webhook_id, row.get("events"), EVENTS)
        for each in strange:
            yield each
        if not url:
            yield no_receiver(webhook_id, "url")
        else:
            patterns, is_active = tuple(EVENTS[name] for name in names), row.get("enabled") is not False
            yield FoundWebhook(id=webhook_id, url=url, patterns=patterns, is_active=is_active)


SOURCE: Final = VendorSource(
    name=DIALECT_NAME,
    vendor="Coop",
    url=None,
    prefix=_PREFIX,
    form=DIALECT_NAME,
    contacts=_contacts,
    contact_groups=_groups,
    webhooks=_webhooks,
    instead={
        "contact_groups": "Coop tells nobody who is on its lists: they come empty. Put contacts onto them with "
        "POST /api/v1/contact-groups/{id}/members, or use tags, which come along."
    },
)
