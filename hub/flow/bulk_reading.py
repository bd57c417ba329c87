"""Read who gets a bulk send, and what: from a list, a table or contacts; all is checked before anything is kept.

Pure but for contacts. Rows are numbered as their author sees them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from hub.rules.contact_headings import choose_delimiter
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
    addressees: Iterable[Addressee],
    *,
    text: str | None,
    template: Template | None = None,
    is_literal: bool = False,
    is_allowing_duplicates: bool = False,
) -> Checked:
    """Check all, fill the gaps, and give each handle one message: the first.

    Args:
        addressees: In their order.
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
        found = (
            _read(each, text, is_literal=is_literal)
            if template is None
            else _read_template(each, template, is_literal=is_literal)
        )
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


def table_of(text: str) -> Iterator[Addressee]:
    """Read a CSV table: a column `to`, perhaps one `text`, and the others as values for gaps.

    Raises:
        InvalidRequest: It has no such column, or cannot be read to its end.
    """
    lines = text.splitlines(keepends=True)
    rows = rows_of(iter(lines), choose_delimiter(lines[0] if lines else ""))
    headings = _headings(rows)
    for number, cells in rows:
        if isinstance(cells, Problem | str):
            raise _unreadable(str(cells), number)
        if not any(cell.strip() for cell in cells):
            continue
        values = dict(zip(headings, (cell.strip() for cell in cells), strict=False))
        own = next((values[name] for name in headings if name in _TEXT and values.get(name)), None)
        to = next((values.get(name, "") for name in headings if name in _TO), "")
        yield Addressee(to=to, text=own, values=values, place=f"row {number}")


def _headings(rows: Iterator[tuple[int, list[str] | str | Problem]]) -> list[str]:
    _, cells = next(rows, (1, []))
    if isinstance(cells, Problem | str):
        raise _unreadable(str(cells), 1)
    headings = [cell.strip().lower() for cell in cells]
    if not _TO.intersection(headings):
        raise InvalidRequest(
            "invalid_parameter_value",
            "The first row must name the columns, and one of them must be 'to' (or phone, number, handle, email).",
            param="to",
        )
    if len(set(headings)) != len(headings):
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
