"""Write contacts as CSV that a spreadsheet can open without running anything, and that our import reads again.

A cell that begins like a formula gets an apostrophe before it, except a plain phone number, which is harmless and would
be spoilt. The import takes that apostrophe off. Labels of handles stand only in JSON.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

from hub.model.contact import Contact, HandleKind

HEADINGS: Final = (
    "id", "name", "first_name", "last_name", "organization", "job_title", "phones", "emails", "tags", "notes",
    "metadata", "created_at", "updated_at",
)  # fmt: skip

_RISKY: Final = re.compile(r"'*[=+\-@\t\r]")
_PHONES: Final = re.compile(r"\+?[0-9]+(?:; \+?[0-9]+)*", re.ASCII)


def csv_lines(rows: Iterable[Iterable[str]]) -> str:
    """Write rows, each cell guarded."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in rows)
    return written.getvalue()


def guarded(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run, and before what looks as if we had."""
    return f"'{cell}" if _RISKY.match(cell) and not _PHONES.fullmatch(cell) else cell


def cells_of(contact: Contact, contact_id: str) -> list[str]:
    """Give a contact's cells, in the order of HEADINGS."""
    by_kind = {
        kind: "; ".join(each.handle for each in contact.handles if each.kind is kind) for kind in HandleKind
    }
    return [
        contact_id,
        contact.name or "",
        contact.first_name or "",
        contact.last_name or "",
        contact.organization or "",
        contact.job_title or "",
        by_kind[HandleKind.PHONE],
        by_kind[HandleKind.EMAIL],
        ", ".join(each.tag for each in contact.tags),
        contact.notes or "",
        contact.metadata or "",
        str(contact.created_at),
        str(contact.updated_at),
    ]
