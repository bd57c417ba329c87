"""Take in lists of consents that were kept elsewhere: row by row, each wrong one named, the right ones recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.flow.consent import ConsentBook, ConsentWish
from hub.model.consent import ConsentAction, ConsentSource
from hub.model.errors import InvalidRequest
from hub.model.line import Line
from hub.rules.consent_rows import read_time

MOST_ERRORS: Final = 1000
_STATES: Final = {"opted_out": ConsentAction.OPTED_OUT, "opted_in": ConsentAction.OPTED_IN}
#: What stands for every line.
EVERY: Final = "*"
#: Of an export's rows these say nothing about consent.
_SAYS_NOTHING: Final = "help"
_LATEST: Final = 32_503_680_000_000
_LONGEST_REASON: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class RowProblem:
    """What is wrong with one row."""

    row: int
    field: str
    error: str


@dataclass(kw_only=True, slots=True)
class ImportReport:
    """What became of a list."""

    #: Rows that changed where somebody stands.
    changed: int = 0
    #: Rows that said nothing new.
    unchanged: int = 0
    failed: int = 0
    #: The first thousand.
    errors: list[RowProblem] = field(default_factory=list)


class ConsentImport:
    """Takes in rows.

    Args:
        book: Records them.
        find_line: Finds the line that a row names; None for every line. Raises InvalidRequest.
        read_handle: Reads a handle. Raises InvalidRequest.
        default_line: What rows without a line count for.
        api_key_id: Who asked.
    """

    def __init__(
        self,
        book: ConsentBook,
        *,
        find_line: Callable[[str], Line | None],
        read_handle: Callable[[str], str],
        default_line: Line | None,
        api_key_id: int | None,
    ) -> None:
        self._book = book
        self._find_line = find_line
        self._read_handle = read_handle
        self._default_line = default_line
        self._api_key_id = api_key_id

    async def run(self, rows: Iterable[tuple[int, Mapping[str, Any]]], *, is_dry_run: bool) -> ImportReport:
        """Record the rows that are right; durable when this returns."""
        report, wishes = ImportReport(), []
        for number, row in rows:
            if row.get("state") == _SAYS_NOTHING:
                report.unchanged += 1
                continue
            try:
                wishes.append(self._wish(row))
            except InvalidRequest as problem:
                report.failed += 1
                if len(report.errors) < MOST_ERRORS:
                    found = RowProblem(row=number, field=problem.param or "", error=problem.message)
                    report.errors.append(found)
        if not is_dry_run:
            report.changed = await self._book.record(wishes)
        report.unchanged += len(wishes) - report.changed
        return report

    def _wish(self, row: Mapping[str, Any]) -> ConsentWish:
        line = self._default_line
        if row.get("scope") == "hub":  # an export names the line that heard it, too
            line = self._find_line(EVERY)
        elif row.get("from") is not None:
            line = self._find_line(_text(row, "from"))
        state = _STATES.get(_text(row, "state"))
        if state is None:
            raise _bad("state", "'state' must be 'opted_out' or 'opted_in'.")
        said_at = None
        if row.get("said_at") is not None:
            said_at = read_time(row["said_at"])
            if said_at is None or not 0 <= said_at <= _LATEST:
                raise _bad(
                    "said_at", "'said_at' must be Unix milliseconds, or a time such as 2026-06-01T12:00:00Z."
                )
        elif state is ConsentAction.OPTED_IN:
            raise _bad(
                "said_at", "Say when they opted in: an opt-in of unknown date could undo a later STOP."
            )
        reason = row.get("reason")
        if reason is not None and (not isinstance(reason, str) or len(reason) > _LONGEST_REASON):
            raise _bad("reason", f"'reason' must be a text of at most {_LONGEST_REASON} characters.")
        return ConsentWish(
            line=line,
            handle=self._read_handle(_text(row, "handle")),
            action=state,
            source=ConsentSource.IMPORT,
            reason=reason or None,
            said_at=said_at,
            api_key_id=self._api_key_id,
        )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 320:
        raise _bad(name, f"'{name}' must be a text of 1 to 320 characters.")
    return value


def _bad(name: str, message: str) -> InvalidRequest:
    return InvalidRequest("invalid_parameter_value", message, param=name)
