"""What can be carried over from MsgBubbles: webhooks (contracts: msgbubbles §2). It has no contacts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from hub.dialects.msgbubbles.event_names import EVENTS
from hub.dialects.msgbubbles.hooks import subscription
from hub.dialects.msgbubbles.webhooks import FORM
from hub.flow.vendor_sources import (
    Ask,
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
)

_PATH: Final = "/v1/webhooks"


def _page(document: Mapping[str, Any], count: int) -> Page:
    """Read a page; the first is asked for without parameters, because unknown ones are refused there."""
    del count
    rows = rows_of(document, "data")
    oldest = text_of(rows[-1], "created_at") if rows and isinstance(rows[-1], dict) else ""
    has_more = document.get("has_more") is True
    return Page(rows=rows, next=f"{_PATH}?before={quote(oldest, safe='')}" if has_more and oldest else None)


async def _webhooks(ask: Ask) -> AsyncIterator[FoundWebhook | Unreadable]:
    async for row in all_pages(ask, _PATH, _page):
        if not isinstance(row, dict):
            yield row if isinstance(row, Unreadable) else no_object(row)
            continue
        webhook_id, url = text_of(row, "id"), text_of(row, "url")
        names, strange = known_events(webhook_id, row.get("events"), EVENTS)
        for each in strange:
            yield each
        if not url:
            yield no_receiver(webhook_id, "url")
        else:
            # No events are all of them, there as here; but not those of which none is known here.
            yield _webhook(row, webhook_id, url, names if names or not strange else None)


def _webhook(row: Mapping[str, Any], webhook_id: str, url: str, events: list[str] | None) -> FoundWebhook:
    wanted: dict[str, Any] = {"events": (), "filter": None} if events is None else subscription(events)
    return FoundWebhook(
        id=webhook_id,
        url=url,
        patterns=tuple(wanted["events"]),
        is_active=row.get("enabled") is not False,
        more={"condition": wanted["filter"]},
    )


SOURCE: Final = VendorSource(
    name=FORM.name,
    vendor="MsgBubbles",
    url="https://api.msgbubbles.com",
    prefix="/v1",
    form=FORM.name,
    webhooks=_webhooks,
    instead={
        "contacts": "MsgBubbles' API has no contacts: take in a file of yours with `hub contacts import FILE`."
    },
)
