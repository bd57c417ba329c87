"""What can be carried over from Blooio: contacts with their tags, and webhooks (contracts: blooio §1, §3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, get_args

import msgspec

from hub.dialects.blooio.webhook_form import NAME, TYPES
from hub.dialects.blooio.webhooks import LATEST, Kept, Kind
from hub.flow.vendor_sources import (
    Ask,
    FoundContact,
    FoundWebhook,
    Page,
    Unreadable,
    VendorSource,
    all_pages,
    no_object,
    no_receiver,
    rows_of,
    text_of,
    whole_number,
)

_PREFIX: Final = "/v2/api"
#: The most that all descriptions of the API allow.
_LIMIT: Final = 100


def _page(document: Mapping[str, Any], count: int) -> Page:
    """Read either of the vendor's two descriptions: `contacts` with `pagination`, or `data`."""
    rows = rows_of(document, "contacts", "data")
    total = whole_number(document.get("pagination"), "total")
    after = count + len(rows)
    is_last = not rows or (total is not None and after >= total)
    return Page(rows=rows, next=None if is_last else _contacts_at(after), total=total)


def _contacts_at(offset: int) -> str:
    # The oldest first, so that contacts which are made meanwhile come at the end.
    return f"{_PREFIX}/contacts?limit={_LIMIT}&offset={offset}&sort=oldest"


async def _contacts(ask: Ask) -> AsyncIterator[FoundContact | Unreadable]:
    async for row in all_pages(ask, _contacts_at(0), _page):
        if isinstance(row, Unreadable):
            yield row
        elif isinstance(row, dict):
            fields = {"name": row.get("name"), "handles": row.get("identifier"), "tags": row.get("tags")}
            yield FoundContact(id=text_of(row, "contact_id", "id"), fields=fields)
        else:
            yield no_object(row)


async def _webhooks(ask: Ask) -> AsyncIterator[FoundWebhook | Unreadable]:
    for row in rows_of(await ask(f"{_PREFIX}/webhooks"), "webhooks", "data"):
        yield _webhook(row) if isinstance(row, dict) else no_object(row)


def _webhook(row: Mapping[str, Any]) -> FoundWebhook | Unreadable:
    webhook_id, url, kind = (
        text_of(row, "webhook_id", "id"),
        text_of(row, "webhook_url"),
        row.get("webhook_type"),
    )
    if not url:
        return no_receiver(webhook_id, "webhook_url")
    if not isinstance(kind, str) or kind not in get_args(Kind):
        known = ", ".join(get_args(Kind))
        return Unreadable(
            id=webhook_id,
            field="webhook_type",
            error=f"This type is not known here; there are {known}. Register it with POST {_PREFIX}/webhooks.",
        )
    kept = msgspec.json.encode({**msgspec.to_builtins(Kept()), "type": kind}).decode()
    # For ever is -1 or null there, and null here; so is what lies beyond all calendars.
    until = whole_number(row, "valid_until")
    is_for_ever = until is None or until > LATEST
    more = {"metadata": kept, "expires_at": None if is_for_ever else until}
    return FoundWebhook(
        id=webhook_id, url=url, patterns=TYPES[kind], is_active=row.get("is_active") is not False, more=more
    )


SOURCE: Final = VendorSource(
    name=NAME,
    vendor="Blooio",
    url="https://backend.blooio.com",
    prefix=_PREFIX,
    form=NAME,
    contacts=_contacts,
    webhooks=_webhooks,
    instead={
        "contact_groups": "Blooio's groups are chats of the device: they come with its bridge, not by this command."
    },
)
