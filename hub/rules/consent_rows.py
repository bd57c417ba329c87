"""Consents as rows of a file: written so that a spreadsheet can open them, read with what is wrong named by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from hub.model.consent import EVERY_LINE, ConsentEntry
from hub.model.ids import Prefix, id_text
from hub.rules.contact_export import csv_lines

HEADINGS: Final = (
    "id", "handle", "action", "scope", "line_id", "source", "said_at", "recorded_at", "keyword", "reason",
    "message_id", "is_applied",
)  # fmt: skip
#: Columns that an import reads; `state` may stand for `action`, and `line` or `from` for `line_id`.
_ALIASES: Final[Mapping[str, str]] = {"action": "state", "line_id": "from", "line": "from"}
_READ: Final = ("from", "handle", "reason", "said_at", "scope", "state")


def csv_of(entries: Iterable[ConsentEntry]) -> str:
    """Write entries of the log."""
    return csv_lines(_cells(entry) for entry in entries)


def heading_line() -> str:
    return csv_lines([HEADINGS])


def read_csv(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Read rows of a file with headings, each with its line as a spreadsheet counts; empty cells are left out.

    Raises:
        ValueError: There is no heading `handle`, or the file is no CSV.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        headings = [_ALIASES.get(name.strip().lower(), name.strip().lower()) for name in next(reader, [])]
        if "handle" not in headings:
            raise ValueError(f"the first line must name the columns, 'handle' among them: {', '.join(_READ)}")
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                named = zip(headings, cells, strict=False)
                yield number, {name: _plain(cell) for name, cell in named if name in _READ and cell.strip()}
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} is not CSV: {error}") from None


def read_time(value: Any) -> int | None:
    """Read an instant: Unix ms, or a date and time of ISO 8601 (UTC unless it says otherwise); None if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= 15 else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _plain(cell: str) -> str:
    """Take off the apostrophe that keeps a spreadsheet from running a cell."""
    return cell.strip().removeprefix("'")


def _cells(entry: ConsentEntry) -> list[str]:
    return [
        id_text(Prefix.CONSENT, entry.id),
        entry.handle,
        entry.action.value,
        "hub" if entry.scope_line_id == EVERY_LINE else "line",
        "" if entry.line_id is None else id_text(Prefix.LINE, entry.line_id),
        entry.source.value,
        _time(entry.said_at),
        _time(entry.recorded_at),
        entry.keyword or "",
        entry.reason or "",
        "" if entry.message_id is None else id_text(Prefix.MESSAGE, entry.message_id),
        "true" if entry.is_applied else "false",
    ]


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
