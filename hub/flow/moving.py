"""Carry over what a customer has at a vendor: contacts, lists of contacts, webhooks. Again, it makes nothing twice.

All of it is read before anything is written, so a vendor that fails in the middle leaves nothing half done. Contacts
are known again by their handles, lists by their names, webhooks as hub.flow.moved_webhooks says. Not here: how the
vendor is asked (hub.outbound.vendor_calls) and what it says (hub.flow.vendor_sources).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from hub.flow.contact_groups import ContactGroupBook
from hub.flow.contact_import import ContactImport, ImportWish
from hub.flow.moved_webhooks import WebhookMover
from hub.flow.moves import MovedWebhook, MoveProblem, MoveReport, MoveWish, Tally
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.flow.vendor_sources import (
    Ask,
    FoundContact,
    FoundGroup,
    ListName,
    SourceFailed,
    Unreadable,
    VendorSource,
)
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory
from hub.rules.contact_rows import read_object
from hub.rules.contacts import read_line
from hub.rules.problems import Problem

#: Kept in memory until all lists are read: some 700 bytes for each contact.
MOST_THINGS: Final = 200_000
LONGEST_GROUP_NAME: Final = 200
#: How often a person is told how far it is.
_TOLD_EACH: Final = 1_000
Thing = TypeVar("Thing")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listeners:
    """Who is told while it goes on."""

    #: In words, how far it is.
    on_progress: Callable[[str], None] = lambda _: None
    #: Each webhook as soon as it is there: its secret is not shown again.
    on_made: Callable[[MovedWebhook], None] = lambda _: None


class Moving:
    """Carries over from vendors."""

    def __init__(self, *, store: Store, clock: Clock, new_id: IdFactory, webhooks: WebhookMover) -> None:
        self._contacts = ContactImport(store=store, clock=clock, new_id=new_id)
        self._groups = ContactGroupBook(store=store, clock=clock, new_id=new_id)
        self._store = store
        self._webhooks = webhooks

    async def run(
        self, source: VendorSource, ask: Ask, wish: MoveWish, *, listeners: Listeners | None = None
    ) -> MoveReport:
        """Read all lists, then write them.

        Args:
            source: What the vendor lets be read.
            ask: Fetches a page of it.
            wish: What to do.
            listeners: Who is told while it goes on.

        Raises:
            SourceFailed: A list cannot be read; nothing was written.
        """
        told, report = listeners or Listeners(), MoveReport()
        reading = _Reading(ask, wish, report, told.on_progress)
        contacts = await reading.all("contacts", source.contacts)
        groups = await reading.all("contact_groups", source.contact_groups)
        webhooks = await reading.all("webhooks", source.webhooks)
        if contacts:
            told.on_progress(f"taking in {len(contacts)} contacts")
            await self._move_contacts(contacts, wish, report)
        await self._move_groups(groups, wish, report)
        if "webhooks" in report.tallies:
            await self._webhooks.move(source.form, webhooks, wish, report, on_made=told.on_made)
        return report

    async def _move_contacts(
        self, contacts: Sequence[tuple[int, FoundContact]], wish: MoveWish, report: MoveReport
    ) -> None:
        rows = (read_object(each.fields, number=row, regions=wish.regions) for row, each in contacts)
        taken = await self._contacts.run(rows, ImportWish(is_dry_run=wish.is_dry_run))
        tally = report.tallies["contacts"]
        tally.created, tally.updated, tally.unchanged = taken.created, taken.updated, taken.unchanged
        tally.failed += taken.failed
        ids = {row: each.id for row, each in contacts} if taken.errors else {}
        report.problems += (
            MoveProblem(
                list="contacts",
                id=ids[each.row],
                row=each.row,
                field=each.field,
                error=each.error,
                value=each.value,
            )
            for each in taken.errors
        )
        if (untold := taken.failed - len({each.row for each in taken.errors})) > 0:
            error = f"{untold} more contacts were not taken in; mend those that are told, and run it again."
            report.problems.append(MoveProblem(list="contacts", error=error))

    async def _move_groups(
        self, groups: Sequence[tuple[int, FoundGroup]], wish: MoveWish, report: MoveReport
    ) -> None:
        made: set[str] = set()
        for row, each in groups:
            tally, name = report.tallies["contact_groups"], read_line(each.name, most=LONGEST_GROUP_NAME)
            if name is None or isinstance(name, Problem):
                error = "It has no name, or one that cannot be kept: make it with POST /v1/contact-groups."
                report.fail(
                    MoveProblem(list="contact_groups", id=each.id, row=row, field="name", error=error)
                )
            elif name in made or not await self._make_group(name, wish):
                tally.unchanged += 1
            else:
                tally.created += 1
                made.add(name)

    async def _make_group(self, name: str, wish: MoveWish) -> bool:
        """Make a list, unless there is one of this name; say whether it is new."""
        if await self._store.contact_groups.by_name(name) is not None:
            return False
        if not wish.is_dry_run:
            try:
                await self._groups.create(name)
            except InvalidRequest as error:
                if error.code == "name_taken":  # somebody was faster
                    return False
                raise
        return True


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads the lists that are wished for, and counts."""

    ask: Ask
    wish: MoveWish
    report: MoveReport
    on_progress: Callable[[str], None]

    async def all(
        self, name: ListName, read: Callable[[Ask], AsyncIterator[Thing | Unreadable]] | None
    ) -> list[tuple[int, Thing]]:
        """Give all things of a list with their places, from 1; none where it is not there or not wished for."""
        found: list[tuple[int, Thing]] = []
        if read is None or name not in self.wish.lists:
            return found
        tally = self.report.tallies[name] = Tally()
        async for each in read(self.ask):
            tally.read += not isinstance(each, Unreadable) or each.is_lost
            if tally.read > MOST_THINGS:
                raise SourceFailed(
                    f"There are more than {MOST_THINGS} {_words(name)}. Nothing was taken in; ask the vendor for "
                    "a file, and take it in with `hub contacts import`."
                )
            if isinstance(each, Unreadable):
                self.report.tell(name, each)
            else:
                found.append((tally.read, each))
            if tally.read % _TOLD_EACH == 0:
                self.on_progress(f"{tally.read} {_words(name)} are read")
        return found


def _words(name: ListName) -> str:
    return name.replace("_", " ")
