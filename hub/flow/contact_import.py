"""Take contacts in from a file, some hundred at a time, so that neither memory nor other requests notice its size.

Each batch is one transaction: looked up, planned and written together. A row that cannot be taken is told and passed
over; the rows before and behind it count. Not here: reading the file (hub.rules.contact_files, .contact_rows).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Literal

from hub.flow.contact_store import Planned
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.contact import Contact
from hub.model.errors import StoreError, StoreUnavailable
from hub.model.ids import IdFactory, Prefix, id_text
from hub.rules.contact_rows import Row, RowError
from hub.rules.contacts import excess, masked, merged, new_contact

MOST_ROWS: Final = 50_000
#: Errors that are told one by one; the others are only counted.
MOST_ERRORS: Final = 1_000
#: Rows in one transaction: some milliseconds of the writer's time.
BATCH: Final = 200
#: Another import, or a request, took a handle between our look and our write.
_MOST_TRIES: Final = 5

ImportMode = Literal["create", "upsert"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportWish:
    """What to do with contacts that exist, and whether to do anything."""

    mode: ImportMode = "upsert"
    is_dry_run: bool = False


@dataclass(kw_only=True, slots=True)
class ImportReport:
    """What became of a file, so far."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    #: Rows that said nothing new.
    unchanged: int = 0
    failed: int = 0
    errors: list[RowError] = field(default_factory=list)

    def add(self, batch: _Batch, rows: int) -> None:
        self.rows += rows
        self.created += batch.created
        self.updated += batch.updated
        self.unchanged += batch.unchanged
        self.failed += len({error.row for error in batch.errors})
        self.errors += batch.errors[: max(0, MOST_ERRORS - len(self.errors))]


@dataclass(kw_only=True, slots=True)
class _Batch:
    """One plan: made anew whenever the store runs it again."""

    new: dict[int, Contact] = field(default_factory=dict)
    changed: dict[int, Contact] = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    owners: dict[str, Contact] = field(default_factory=dict)


class ContactImport:
    """Takes files of contacts in."""

    def __init__(self, *, store: Store, clock: Clock, new_id: IdFactory) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def run(
        self,
        rows: Iterator[Row],
        wish: ImportWish,
        *,
        on_progress: Callable[[ImportReport], None] = lambda _: None,
    ) -> ImportReport:
        """Take all rows in, in their order.

        Args:
            rows: Read lazily, in a thread: reading may wait for a disk.
            wish: What to do.
            on_progress: Told after each batch.
        """
        report = ImportReport()
        #: What a dry run would have written so far, by handle.
        imagined: dict[str, Contact] = {}
        while batch := await asyncio.to_thread(lambda: list(islice(rows, BATCH))):
            report.add(await self._take(batch, wish, imagined), len(batch))
            on_progress(report)
        return report

    async def _take(self, rows: Sequence[Row], wish: ImportWish, imagined: dict[str, Contact]) -> _Batch:
        handles = {each.handle for row in rows for each in row.fields.handles}
        made = _Batch()

        def plan(owners: Mapping[str, Contact]) -> Planned:
            nonlocal made
            known = {handle: imagined[handle] for handle in handles & imagined.keys()}
            made = self._plan(rows, wish, {**owners, **known})
            return (
                Planned()
                if wish.is_dry_run
                else Planned(list(made.new.values()), list(made.changed.values()))
            )

        if wish.is_dry_run:
            plan(await self._store.contacts.by_handles(handles))
            imagined.update(made.owners)
            return made
        for tries_left in reversed(range(_MOST_TRIES)):
            try:
                await self._store.contacts.write(handles, plan)
                break
            except StoreUnavailable:
                raise
            except StoreError:
                if not tries_left:
                    raise
        return made

    def _plan(self, rows: Sequence[Row], wish: ImportWish, owners: dict[str, Contact]) -> _Batch:
        batch = _Batch(owners=owners)
        for row in rows:
            if row.errors:
                batch.errors += row.errors
            else:
                self._place(row, wish, batch)
        return batch

    def _place(self, row: Row, wish: ImportWish, batch: _Batch) -> None:
        """Decide what one row makes: a new contact, a changed one, or an error."""
        found = {owner.id: owner for each in row.fields.handles if (owner := batch.owners.get(each.handle))}
        if len(found) > 1 or (found and wish.mode == "create"):
            batch.errors.append(_taken(row, batch.owners))
            return
        known = next(iter(found.values()), None)
        now_ms = self._clock.now_ms()
        if known is None:
            contact = new_contact(row.fields, contact_id=self._new_id(), now_ms=now_ms)
        else:
            contact = merged(known, row.fields, now_ms=now_ms)
        if (too_much := excess(contact)) is not None:
            message = f"Together with what is known, {too_much[1]}."
            batch.errors.append(RowError(row=row.number, field=too_much[0], error=message, value=None))
            return
        if contact == known:
            batch.unchanged += 1
        elif known is None:
            batch.created += 1
            batch.new[contact.id] = contact
        else:
            batch.updated += 1
            # It may be as new as this batch.
            (batch.new if contact.id in batch.new else batch.changed)[contact.id] = contact
        batch.owners.update({each.handle: contact for each in contact.handles})


def _taken(row: Row, owners: Mapping[str, Contact]) -> RowError:
    handle = next(each.handle for each in row.fields.handles if each.handle in owners)
    ids = {owners[each.handle].id: None for each in row.fields.handles if each.handle in owners}
    shown = ", ".join(id_text(Prefix.CONTACT, number) for number in ids)
    if len(ids) > 1:
        error = f"Its handles belong to several contacts ({shown}); merge those first."
    else:
        error = f"A contact with this handle exists already ({shown}); import with mode=upsert to change it."
    return RowError(row=row.number, field="handles", error=error, value=masked(handle))
