"""What can be read from a vendor's API to be carried over: contacts, lists of contacts, webhooks.

A source asks for pages and puts what it finds into native words; the vendors' own are in hub.dialects. It decides
nothing and writes nothing: what becomes of what is found is hub.flow.moving, how a page is fetched hub.outbound.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from hub.model.errors import HubError

#: Gives the JSON object at a path (with its query) of the vendor's API. Raises SourceFailed.
Ask = Callable[[str], Awaitable[Mapping[str, Any]]]
ListName = Literal["contacts", "contact_groups", "webhooks"]

#: A vendor that gives more pages of one list than this does not end.
MOST_PAGES: Final = 10_000


class SourceFailed(HubError):
    """A vendor's API could not be read; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """Something in a list that cannot be carried over."""

    #: The vendor's id of it; empty where there is none.
    id: str = ""
    field: str | None = None
    #: Sentences: what is wrong and what to do.
    error: str
    #: Whether a thing of the list stays behind because of it; if not, only something about it does.
    is_lost: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundContact:
    """A contact of the vendor's, as hub.rules.contact_rows.read_object takes it."""

    id: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundGroup:
    """A list of contacts."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundWebhook:
    """A receiver. Its secret is never there: no vendor shows one twice."""

    id: str
    url: str
    #: Native event types.
    patterns: tuple[str, ...]
    is_active: bool
    #: None for every line.
    line_handle: str | None = None
    #: The other fields of hub.model.webhook.Webhook that the vendor's form needs, as WebhookRegistry takes them.
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class VendorSource:
    """What a vendor's API lets its customers read."""

    #: As the command takes it.
    name: str
    #: As people call the vendor.
    vendor: str
    #: Where the API is; None where the vendor does not publish it.
    url: str | None
    #: How all its paths begin; an address that is given may end in it.
    prefix: str
    #: In which form its webhooks are delivered.
    form: str
    contacts: Callable[[Ask], AsyncIterator[FoundContact | Unreadable]] | None = None
    contact_groups: Callable[[Ask], AsyncIterator[FoundGroup | Unreadable]] | None = None
    webhooks: Callable[[Ask], AsyncIterator[FoundWebhook | Unreadable]] | None = None
    #: What the API does not give, wholly or in part: why, and what to do instead.
    instead: Mapping[ListName, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One answer of a list."""

    rows: list[Any]
    #: Path and query of the next page; None after the last.
    next: str | None
    #: How many there are in all, where the vendor says it.
    total: int | None = None


async def all_pages(
    ask: Ask, first: str, read: Callable[[Mapping[str, Any], int], Page]
) -> AsyncIterator[Any]:
    """Give the rows of a list, page by page; at its end an Unreadable if the count is not what was promised.

    Args:
        ask: Fetches a page.
        first: Path and query of the first page.
        read: Makes a page of an answer; told how many rows came before it.

    Raises:
        SourceFailed: The list does not end, or a page cannot be read.
    """
    seen: set[bytes] = set()
    totals: set[int] = set()
    count, path = 0, first
    for _ in range(MOST_PAGES):
        page = read(await ask(path), count)
        mark = hashlib.sha256(msgspec.json.encode(page.rows)).digest()
        if page.rows and mark in seen:
            raise SourceFailed(
                f"The list does not end: {path} gives what an earlier page gave. Nothing was taken in; ask the vendor."
            )
        seen.add(mark)
        for row in page.rows:
            yield row
        count += len(page.rows)
        totals |= {page.total} if page.total is not None else set()
        if page.next is None:
            break
        path = page.next
    else:
        raise SourceFailed(f"The list has more than {MOST_PAGES} pages, up to {path}. Nothing was taken in.")
    if totals - {count}:
        told = " and then ".join(map(str, sorted(totals)))
        message = (
            f"The vendor said that there are {told}, and gave {count}. The list may have changed meanwhile: "
        )
        yield Unreadable(error=f"{message}run the command again.", is_lost=False)


def rows_of(document: Mapping[str, Any], *names: str) -> list[Any]:
    """Give the list that an answer carries under the first of these names that it has.

    Raises:
        SourceFailed: There is none.
    """
    for name in names:
        rows = document.get(name)
        if isinstance(rows, list):
            return rows
    wanted = " or ".join(f"'{name}'" for name in names)
    raise SourceFailed(
        f"The vendor's answer holds no list {wanted}: this is not the API that was expected. "
        "Check --from. Nothing was taken in."
    )


def whole_number(document: Any, name: str) -> int | None:
    """Give a count out of an object; None for anything else."""
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text_of(row: Mapping[str, Any], *names: str) -> str:
    """Give the first text that a row has under these names; empty for none."""
    return next((value for name in names if isinstance(value := row.get(name), str) and value), "")


def no_object(row: object) -> Unreadable:
    """Say of a row that it is no object."""
    kind = "null" if row is None else type(row).__name__
    return Unreadable(error=f"This is no object but {kind}; it tells nothing that could be taken in.")


def known_events(
    webhook_id: str, events: object, known: Collection[str]
) -> tuple[list[str], list[Unreadable]]:
    """Give the events of a webhook that are known here, and what to say of the others.

    Args:
        webhook_id: The vendor's.
        events: As the vendor gives them; what is no list has none.
        known: The vendor's names that mean something here.
    """
    found: list[str] = []
    strange: list[Unreadable] = []
    for name in events if isinstance(events, list) else []:
        if isinstance(name, str) and name in known:
            found.append(name)
        else:
            error = (
                f"'{str(name)[:64]}' is no event here; there are {', '.join(sorted(known))}. It was left out."
            )
            strange.append(Unreadable(id=webhook_id, field="events", error=error, is_lost=False))
    return found, strange


def no_receiver(webhook_id: str, field: str) -> Unreadable:
    """Say of a webhook that it has no address."""
    return Unreadable(
        id=webhook_id, field=field, error="There is no address. Register it with `hub webhooks add URL`."
    )
