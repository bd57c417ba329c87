"""Read who gets a bulk send, and what: from a list, a table or contacts; all is checked before anything is kept.

Pure but for contacts. Rows are numbered as their author sees them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

import msgspec

from hub.flow.bulk_templates import filled_template
from hub.flow.contact_store import ContactFilter
from hub.flow.recipients import read_direct_key
from hub.flow.repositories import Store
from hub.model.bulk import BulkRecipient
from hub.model.contact import Contact
from hub.model.errors import InvalidRequest
from hub.model.template import Template, template_words
from hub.rules.chatkeys import handle_of
from hub.rules.contact_files import rows_of
from hub.rules.contact_headings import DELIMITERS
from hub.rules.placeholders import fill
from hub.rules.problems import Problem

MOST_RECIPIENTS: Final = 50_000
MOST_TEXT: Final = 20_000
#: Problems that are told; the others are counted.
MOST_PROBLEMS: Final = 100
_PAGE: Final = 500
#: Headings of the column with the handle, and of that with a text of the row's own.
_TO: Final = frozenset({"to", "phone", "number", "handle", "recipient", "email"})
_TEXT: Final = frozenset({"text", "body", "message"})
_LONGEST_SHOWN: Final = 40
#: Of the first line, to see what separates its cells.
_HEAD: Final = 8_192


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressee:
    """One recipient as given."""

    to: str
    #: Instead of the job's text.
    text: str | None = None
    #: For the gaps.
    values: Mapping[str, str] = field(default_factory=dict)
    #: Where it stands: `recipients[3]`, `row 5`.
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RowProblem:
    """Why a recipient cannot be sent to."""

    place: str
    field: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """Everybody who can be sent to, and what is wrong with the others."""

    recipients: Sequence[BulkRecipient]
    #: The first ones; `problem_count` counts all.
    problems: Sequence[RowProblem]
    problem_count: int
    duplicate_count: int

    def refusal(self) -> InvalidRequest:
        """Refuse all because of some."""
        first, others = self.problems[0], self.problem_count - 1
        more = f" {others} more have problems." if others else ""
        return InvalidRequest(
            "invalid_parameter_value",
            f"{first.place}: {first.message}{more} Mend them, or give 'skip_invalid': true; nothing was sent.",
            param=f"{first.place}.{first.field}" if first.place.startswith("recipients[") else first.field,
        )


def check(
    addressees: Iterable[Addressee | RowProblem],
    *,
    text: str | None,
    template: Template | None = None,
    is_literal: bool = False,
    is_allowing_duplicates: bool = False,
) -> Checked:
    """Check all, fill the gaps, and give each handle one message: the first.

    Args:
        addressees: In their order; a row that cannot be one is told with the others.
        text: For those without one of their own.
        template: In the place of all texts.
        is_literal: Leave texts as they stand.
        is_allowing_duplicates: Give each handle as many messages as it is named.

    Raises:
        InvalidRequest: There are more than MOST_RECIPIENTS.
    """
    recipients: list[BulkRecipient] = []
    problems: list[RowProblem] = []
    seen: set[str] = set()
    problem_count = duplicate_count = 0
    for number, each in enumerate(addressees):
        if number >= MOST_RECIPIENTS:
            raise InvalidRequest(
                "invalid_parameter_value",
                f"A job has at most {MOST_RECIPIENTS:,} recipients; make several.",
                param="recipients",
            )
        found = _found(each, text, template, is_literal=is_literal)
        if isinstance(found, RowProblem):
            problem_count += 1
            if len(problems) < MOST_PROBLEMS:
                problems.append(found)
        elif found[0] in seen and not is_allowing_duplicates:
            duplicate_count += 1
        else:
            seen.add(found[0])
            handle, words, filled = found
            recipients.append(
                BulkRecipient(position=len(recipients), handle=handle, text=words, template=filled)
            )
    return Checked(
        recipients=recipients,
        problems=problems,
        problem_count=problem_count,
        duplicate_count=duplicate_count,
    )


#: The handle, the words, and the JSON of a template.
_Found = tuple[str, str, str | None]


def _found(
    each: Addressee | RowProblem, text: str | None, template: Template | None, *, is_literal: bool
) -> _Found | RowProblem:
    if isinstance(each, RowProblem):
        return each
    if template is not None:
        return _read_template(each, template, is_literal=is_literal)
    return _read(each, text, is_literal=is_literal)


def _handle(each: Addressee) -> str | RowProblem:
    try:
        return handle_of(read_direct_key(each.to)) or each.to
    except InvalidRequest:
        return RowProblem(place=each.place, field="to", message=_no_handle(each.to))


def _read_template(each: Addressee, template: Template, *, is_literal: bool) -> _Found | RowProblem:
    handle = _handle(each)
    if isinstance(handle, RowProblem):
        return handle
    if each.text is not None:
        message = "a template stands in the place of texts: take the text out."
        return RowProblem(place=each.place, field="text", message=message)
    filled = filled_template(template, each.values, is_literal=is_literal)
    if isinstance(filled, Problem):
        message = f"{filled.what}: {filled.why}. {filled.fix}."
        return RowProblem(place=each.place, field="template", message=message)
    return handle, template_words(filled), msgspec.json.encode(filled).decode()


def _read(each: Addressee, text: str | None, *, is_literal: bool) -> _Found | RowProblem:
    handle = _handle(each)
    if isinstance(handle, RowProblem):
        return handle
    template = each.text if each.text is not None else text
    if template is None or not template.strip():
        return RowProblem(
            place=each.place, field="text", message="there is no text, neither of its own nor for all."
        )
    words = template if is_literal else fill(template, each.values)
    if isinstance(words, Problem):
        message = f"{words.what}: {words.why}. {words.fix}."
        return RowProblem(place=each.place, field="text", message=message)
    if not words.strip() or len(words) > MOST_TEXT:
        message = f"the text is empty, or longer than {MOST_TEXT:,} characters."
        return RowProblem(place=each.place, field="text", message=message)
    return handle, words, None


def _no_handle(to: str) -> str:
    if not to.strip():
        return "there is no phone number and no mail address."
    return (
        f"'{to[:_LONGEST_SHOWN]}' is neither a phone number in E.164 form (+15550100001) nor a mail address."
    )


def table_of(text: str) -> Iterator[Addressee | RowProblem]:
    """Read a CSV table: a column `to`, perhaps one `text`, and the others as values for gaps.

    Comma, semicolon and tab are told apart; a row ends where a spreadsheet ends it, at a line feed or carriage return.

    Raises:
        InvalidRequest: It has no such column, or cannot be read to its end.
    """
    if "\0" in text:
        raise InvalidRequest(
            "invalid_parameter_value", "The table holds a NUL character, which cannot be sent.", param="to"
        )
    rows = rows_of(io.StringIO(text, newline=""), _delimiter(text))
    headings = _headings(rows)
    for number, cells in rows:
        if isinstance(cells, Problem | str):
            raise _unreadable(str(cells), number)
        if any(cell.strip() for cell in cells):
            yield _row(headings, cells, f"row {number}")


def _row(headings: Sequence[str], cells: Sequence[str], place: str) -> Addressee | RowProblem:
    lost = next(
        (cell for cell, name in zip_longest(cells, headings, fillvalue="") if cell.strip() and not name), None
    )
    if lost is not None:
        shown = lost.strip()[:_LONGEST_SHOWN]
        message = f"'{shown}' stands under no heading: put a cell that holds the delimiter into quotes."
        return RowProblem(place=place, field="row", message=message)
    values = dict(zip(headings, (cell.strip() for cell in cells), strict=False))
    own = next((values[name] for name in headings if name in _TEXT and values.get(name)), None)
    to = next((values.get(name, "") for name in headings if name in _TO), "")
    return Addressee(to=to, text=own, values=values, place=place)


def _delimiter(text: str) -> str:
    """Choose the one that makes a column `to` of the first line; of several, the one that makes most columns."""
    line = io.StringIO(text, newline="").readline(_HEAD)

    def judged(delimiter: str) -> tuple[bool, int]:
        cells = [_heading(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]
        return not _TO.isdisjoint(cells), len(cells)

    return max(DELIMITERS, key=judged)


def _heading(cell: str) -> str:
    return cell.strip().lower()


def _headings(rows: Iterator[tuple[int, list[str] | str | Problem]]) -> list[str]:
    _, cells = next(rows, (1, []))
    if isinstance(cells, Problem | str):
        raise _unreadable(str(cells), 1)
    headings = [_heading(cell) for cell in cells]
    if not _TO.intersection(headings):
        raise InvalidRequest(
            "invalid_parameter_value",
            "The first row must name the columns, and one of them must be 'to' (or phone, number, handle, email).",
            param="to",
        )
    named = [heading for heading in headings if heading]
    if len(set(named)) != len(named):
        raise InvalidRequest("invalid_parameter_value", "Two columns have the same name.", param="to")
    return headings


def _unreadable(why: str, number: int) -> InvalidRequest:
    return InvalidRequest("invalid_parameter_value", f"The table cannot be read: row {number}: {why}")


async def contacts_of(store: Store, wanted: ContactFilter) -> AsyncIterator[Addressee]:
    """Give the contacts of a list or with a tag, each by their preferred handle."""
    after = None
    while True:
        page = await store.contacts.page(wanted, after=after, limit=_PAGE)
        for contact in page.contacts:
            yield _addressee(contact)
        after = page.next
        if after is None:
            return


def _addressee(contact: Contact) -> Addressee:
    values = {
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "name": contact.shown_name,
        "organization": contact.organization,
        "job_title": contact.job_title,
    }
    return Addressee(
        to=contact.handles[0].handle if contact.handles else "",
        values={name: value for name, value in values.items() if value},
        place=f"contact {contact.shown_name or contact.id}",
    )
