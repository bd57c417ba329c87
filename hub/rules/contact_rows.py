"""Read one contact out of a row of cells or a JSON object, and say all that is wrong with it.

Not here: what the columns mean (hub.rules.contact_headings), encodings and where a row ends (hub.rules.contact_files),
and what becomes of a contact (hub.flow.contact_import).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from hub.model.contact import ContactHandle
from hub.rules.contact_headings import MANY, Column, Headings, meaning_of
from hub.rules.contacts import (
    LINE_FIELDS,
    LONGEST_LABEL,
    ContactFields,
    masked,
    read_handle,
    read_line,
    read_metadata,
    read_notes,
    read_tag,
)
from hub.rules.problems import Problem

_SEVERAL: Final = re.compile(r"\s*(?:[;,|\n]|:::)\s*")
#: What our own export puts before a cell that a spreadsheet could run.
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")
#: Fields of our own JSON that an import cannot set.
_NOT_SET: Final = frozenset({"id", "created_at", "updated_at", "last_message_at"})


@dataclass(frozen=True, kw_only=True, slots=True)
class RowError:
    """What is wrong with one row, in words for its owner; the value only so far that it can be found."""

    #: As a spreadsheet counts: the headings are row 1. In JSON, the contact's place from 1.
    row: int
    field: str | None
    error: str
    value: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One contact of a file, or why it is none."""

    number: int
    fields: ContactFields = field(default_factory=ContactFields)
    errors: tuple[RowError, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Regions:
    """Of which countries the numbers may be: to complete them because the caller said so, or only for hints."""

    completing: str = ""
    hinted: str = ""


def read_cells(headings: Headings, cells: Sequence[str], *, number: int, regions: Regions) -> Row | None:
    """Read one row; None if all its cells are empty."""
    texts = [_unguarded(cell.strip()) for cell in cells]
    if not any(texts):
        return None
    reading = _Reading(number, regions)
    if any(texts[headings.count :]):
        reading.refuse(
            None,
            f"The row has {len(cells)} cells, the headings have {headings.count}. Put a cell that holds the delimiter "
            "into quotes.",
        )
        return reading.row()
    for column in headings.columns:
        if column.index < len(texts) and texts[column.index]:
            label = _label(column, texts)
            reading.cell(column.field, column.heading, texts[column.index], label=label)
    return reading.row()


def _label(column: Column, texts: Sequence[str]) -> str | None:
    index = column.label_index
    return (texts[index] if index is not None and index < len(texts) else None) or column.label


def read_object(value: Mapping[str, Any], *, number: int, regions: Regions) -> Row:
    """Read one contact of a JSON file: our own names, or those that a heading may have."""
    reading = _Reading(number, regions)
    for key, content in value.items():
        name = meaning_of(key).field
        if key in _NOT_SET or name is None or content is None:
            continue
        for each in content if isinstance(content, list) else [content]:
            reading.item(name, key[:100], each)
    return reading.row()


class _Reading:
    """Gathers what a row says."""

    def __init__(self, number: int, regions: Regions) -> None:
        self._number = number
        self._regions = regions
        self._said: dict[str, str] = {}
        self._handles: dict[str, ContactHandle] = {}
        self._tags: dict[str, None] = {}
        self._errors: list[RowError] = []

    def row(self) -> Row:
        whole = " ".join(self._said[part] for part in ("first_name", "last_name") if part in self._said)
        if self._said.get("name") == whole:
            del self._said["name"]  # the hub makes it of the two by itself
        fields = ContactFields(**self._said, handles=tuple(self._handles.values()), tags=tuple(self._tags))
        if not self._handles and not self._errors:
            self.refuse(None, "There is neither a phone number nor a mail address.")
        return Row(number=self._number, fields=fields, errors=tuple(self._errors))

    def cell(self, name: str, heading: str, text: str, *, label: str | None = None) -> None:
        """Take one cell, which may hold several handles or tags."""
        if name in MANY or name == "tags":
            for part in filter(None, _SEVERAL.split(text)):
                self._one(name, heading, part, label=label)
        else:
            self._one(name, heading, text, label=label)

    def item(self, name: str, key: str, value: object) -> None:
        """Take one value of a JSON object."""
        if isinstance(value, str):
            if value.strip():
                self.cell(name, key, value.strip())
        elif isinstance(value, dict) and name == "metadata":
            self._keep(name, key, read_metadata(value), "")
        elif isinstance(value, dict) and name in MANY and isinstance(value.get("handle"), str):
            label = value.get("label")
            self._one(name, key, value["handle"], label=label if isinstance(label, str) else None)
        else:
            self.refuse(key, "It must be a text, or a list of texts.")

    def _one(self, name: str, heading: str, text: str, *, label: str | None) -> None:
        if name in MANY:
            self._handle(heading, text, label)
        elif name == "tags":
            tag = read_tag(text)
            if isinstance(tag, str):
                self._tags[tag] = None
            else:
                self._wrong(heading, tag, text)
        elif name == "notes":
            self._keep(name, heading, read_notes(text), text)
        elif name == "metadata":
            self._keep(name, heading, _metadata(text), text)
        elif name in LINE_FIELDS:
            self._keep(name, heading, read_line(text, most=LINE_FIELDS[name]), text)

    def _handle(self, heading: str, text: str, label: str | None) -> None:
        handle = read_handle(text, region=self._regions.completing, hint_region=self._regions.hinted)
        if isinstance(handle, Problem):
            self._wrong(heading, handle, text)
            return
        named = " ".join((label or "").split())[:LONGEST_LABEL].lower() or None
        self._handles.setdefault(
            handle.handle, ContactHandle(handle=handle.handle, kind=handle.kind, label=named)
        )

    def _keep(self, name: str, heading: str, value: str | Problem | None, text: str) -> None:
        if isinstance(value, Problem):
            self._wrong(heading, value, text)
        elif value is not None:
            self._said[name] = value

    def _wrong(self, heading: str, problem: Problem, text: str) -> None:
        self.refuse(heading, sentence(problem), masked(text))

    def refuse(self, heading: str | None, error: str, value: str | None = None) -> None:
        self._errors.append(RowError(row=self._number, field=heading, error=error, value=value))


def sentence(problem: Problem) -> str:
    """Put a problem into sentences: what, why, and what to do."""
    text = f"{problem.what}: {problem.why}. {problem.fix}."
    return text[:1].upper() + text[1:]


def _metadata(text: str) -> str | Problem:
    try:
        value = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return Problem(
            pointer="", what="this cannot be kept", why="it is no JSON object", fix='Write {"crm_id": "42"}'
        )
    return read_metadata(value)


def _unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell
