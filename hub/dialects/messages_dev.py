"""What can be carried over from messages.dev: webhooks, line by line (contracts: messages.dev §2).

messages.dev speaks the native wire, so it needs no dialect; this is all that there is of it here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from hub.flow.vendor_sources import (
    Ask,
    FoundWebhook,
    Page,
    Unreadable,
    VendorSource,
    all_pages,
    no_object,
    no_receiver,
    rows_of,
    text_of,
)
from hub.model.dialect import NATIVE


async def _rows(ask: Ask, first: str) -> AsyncIterator[Any]:
    def read(document: Mapping[str, Any], count: int) -> Page:
        del count
        cursor = text_of(document, "next_cursor") if document.get("has_more") is True else ""
        joined = "&" if "?" in first else "?"
        return Page(
            rows=rows_of(document, "data"),
            next=f"{first}{joined}cursor={quote(cursor, safe='')}" if cursor else None,
        )

    async for row in all_pages(ask, first, read):
        yield row


async def _webhooks(ask: Ask) -> AsyncIterator[FoundWebhook | Unreadable]:
    seen: set[str] = set()
    async for line in _rows(ask, "/v1/lines"):
        handle = text_of(line, "handle") if isinstance(line, dict) else ""
        if not handle:
            error = "This line has no handle: its webhooks could not be asked for."
            yield line if isinstance(line, Unreadable) else Unreadable(error=error)
            continue
        async for row in _rows(ask, f"/v1/webhooks?from={quote(handle, safe='')}"):
            if not isinstance(row, dict):
                yield row if isinstance(row, Unreadable) else no_object(row)
            elif (found := _webhook(row, handle)).id not in seen or _is_of_lines(row):
                seen.add(found.id)
                yield found


def _is_of_lines(row: Mapping[str, Any]) -> bool:
    """Tell whether a webhook names its lines; one that does not is for every line, and listed under each."""
    return row.get("line_ids") != []


def _webhook(row: Mapping[str, Any], handle: str) -> FoundWebhook | Unreadable:
    webhook_id, url, events = text_of(row, "id"), text_of(row, "url"), row.get("events")
    if not url:
        return no_receiver(webhook_id, "url")
    if not isinstance(events, list) or not all(isinstance(each, str) for each in events):
        return Unreadable(id=webhook_id, field="events", error="It must be a list of texts.")
    return FoundWebhook(
        id=webhook_id,
        url=url,
        patterns=tuple(events),
        is_active=row.get("is_active") is not False,
        line_handle=handle if _is_of_lines(row) else None,
    )


SOURCE: Final = VendorSource(
    name="messages-dev",
    vendor="messages.dev",
    url="https://api.messages.dev",
    prefix="/v1",
    form=NATIVE,
    webhooks=_webhooks,
    instead={
        "contacts": "messages.dev has no contacts: take in a file of yours with `hub contacts import FILE`."
    },
)
