"""Say which column of a spreadsheet means what: headings by many names, and labels such as "Work Phone".

Also for the keys of a JSON object, which are headings without a row. Not here: what stands in the cells
(hub.rules.contact_rows).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.rules.problems import Problem

DELIMITERS: Final = (",", ";", "\t")
#: Field → headings that mean it, without case, digits and punctuation.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email", "emails", "emailaddress", "emailaddresses", "e mail", "mail", "apple id", "appleid", "icloud"),
    "first_name": ("first name", "firstname", "first", "given name", "forename"),
    "job_title": ("job title", "jobtitle", "title", "role", "position", "organization title"),
    "last_name": ("last name", "lastname", "last", "family name", "surname"),
    "metadata": ("metadata",),
    "name": ("name", "full name", "fullname", "display name", "displayname", "contact name", "file as"),
    "notes": ("notes", "note", "comment", "comments"),
    "organization": ("organization", "organisation", "company", "company name", "organization name", "org"),
    "phone": (
        "phone", "phones", "phonenumber", "phonenumbers", "telephone", "tel", "mobile", "cell", "cellphone", "handle",
        "handles", "identifier", "number",
    ),
    "tags": ("tags", "tag", "labels", "groups"),
}  # fmt: skip
#: Fields of which a row may have several.
MANY: Final = frozenset({"email", "phone"})

_FIELD_OF: Final = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
#: Words beside `phone` and `email`: whose or which it is becomes the label, the others say nothing.
_LABEL_WORDS: Final = frozenset(
    {"home", "work", "business", "personal", "mobile", "cell", "main", "other", "primary"}
)
_FILLERS: Final = frozenset({"number", "numbers", "address", "addresses", "value"})
#: Words that end the heading of a column of labels ("Phone 1 - Type").
_LABEL_ENDS: Final = frozenset({"label", "type"})
_WORD: Final = re.compile(r"[a-z]+|[0-9]+")
#: Between `given` and `Name` in givenName.
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What a heading means."""

    #: None if it means nothing here.
    field: str | None
    #: The label that it gives to what stands below it.
    label: str | None = None
    #: Whether the column holds labels of another one, of the same field and number.
    is_label: bool = False
    number: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column that means something."""

    index: int
    field: str
    heading: str
    label: str | None = None
    #: The column that holds the labels of this one.
    label_index: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Headings:
    """What the columns of a sheet mean."""

    columns: tuple[Column, ...]
    count: int
    #: Headings that mean nothing here, as written.
    ignored: tuple[str, ...]


def meaning_of(heading: str) -> Meaning:
    """Say what a heading means, however it is spelt: `First Name`, `firstName`, `E-mail 2 Address`, `Work Phone`."""
    words = _WORD.findall(_HUMP.sub(" ", heading).lower().replace("e-mail", "email"))
    number = "".join(word for word in words if word.isdigit())
    plain = [word for word in words if not word.isdigit()]
    if name := _FIELD_OF.get(" ".join(plain)):
        label = plain[0] if name in MANY and plain[0] in _LABEL_WORDS else None
        return Meaning(field=name, label=label, number=number)
    is_label = len(plain) > 1 and plain[-1] in _LABEL_ENDS
    rest = [word for word in (plain[:-1] if is_label else plain) if word not in _FILLERS]
    labels = [word for word in rest if word in _LABEL_WORDS]
    core = " ".join(word for word in rest if word not in _LABEL_WORDS) or " ".join(labels)
    name = _FIELD_OF.get(core)
    if name not in MANY:
        return Meaning(field=None)
    return Meaning(field=name, label=labels[0] if labels else None, is_label=is_label, number=number)


def choose_delimiter(line: str) -> str:
    """Choose the delimiter under which the first line shows most headings that we know."""

    def known(delimiter: str) -> int:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        return sum(meaning_of(cell).field is not None for cell in cells)

    return max(DELIMITERS, key=known)


def read_headings(cells: Sequence[str]) -> Headings | Problem:
    """Say what the columns mean, or why this cannot be the row of headings."""
    meanings = [meaning_of(cell) for cell in cells]
    columns = [
        Column(index=index, field=meaning.field, heading=cells[index].strip(), label=meaning.label)
        for index, meaning in enumerate(meanings)
        if meaning.field is not None and not meaning.is_label
    ]
    twice = _first_twice(columns)
    if twice is not None:
        return _refused(
            f"'{twice.heading}' and another column both mean '{twice.field}'", "Remove one of them"
        )
    if not any(column.field in MANY for column in columns):
        shown = ", ".join(repr(cell.strip()[:30]) for cell in cells[:8])
        return _refused(
            f"no column is headed phone or email; the first row says {shown}",
            "Begin with a row of headings such as: First Name,Last Name,Phone,Email,Tags",
        )
    ignored = [cell.strip() for cell, meaning in zip(cells, meanings, strict=True) if meaning.field is None]
    paired = tuple(_with_label(column, meanings) for column in columns)
    return Headings(columns=paired, count=len(cells), ignored=tuple(filter(None, ignored)))


def _with_label(column: Column, meanings: Sequence[Meaning]) -> Column:
    number = meanings[column.index].number
    for index, meaning in enumerate(meanings):
        if meaning.is_label and (meaning.field, meaning.number) == (column.field, number):
            return replace(column, label_index=index)
    return column


def _first_twice(columns: Iterable[Column]) -> Column | None:
    seen: set[str] = set()
    for column in columns:
        if column.field in seen and column.field not in MANY:
            return column
        seen.add(column.field)
    return None


def _refused(why: str, fix: str) -> Problem:
    return Problem(pointer="", what="the contacts cannot be read", why=why, fix=fix)
