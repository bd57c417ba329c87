"""How bulk sends and their recipients look on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hub.flow.bulk_reading import Checked
from hub.model.bulk import BulkJob, BulkOutcome, BulkState
from hub.model.ids import Prefix, id_text
from hub.model.line import Line

#: Messages that are shown of a dry run.
MOST_PREVIEWS: Final = 5
#: Of the table of results.
CSV_HEADINGS: Final = (
    "position", "to", "status", "error", "message_id", "sent_at", "delivered_at", "read_at",
)  # fmt: skip
#: Statuses with which somebody has still to be dealt with.
_AHEAD: Final = ("waiting", "queued")


class BulkProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a recipient is left out."""

    #: `recipients[3]`, `row 5`.
    place: str
    field: str
    message: str


class BulkPreview(msgspec.Struct, frozen=True, kw_only=True):
    """One of the messages, as it would go out."""

    to: str
    text: str


class BulkReply(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk send, and how far it is."""

    #: Null for a dry run.
    id: str | None
    name: str | None
    #: `scheduled` until `send_at`; then `running`, `paused`, `cancelled`, `completed`.
    status: str
    line_id: str
    from_: str | None = msgspec.field(name="from")
    total: int
    #: Recipients by status: waiting, queued, sent, delivered, read, failed, skipped, cancelled, unsent.
    counts: dict[str, int]
    #: Recipients that were named more than once, and get one message.
    duplicates: int
    priority: int
    send_at: int | None
    rate_per_minute: int | None
    metadata: Any
    #: How long it may still take at the line's pace; null when nothing is ahead.
    eta_seconds: int | None
    created_at: int
    finished_at: int | None


class OneBulk(BulkReply, frozen=True, kw_only=True):
    """A bulk send, answered alone."""

    #: Recipients left out, when it is made; the first 100.
    problems: tuple[BulkProblem, ...] = ()
    problem_count: int = 0
    #: Of a dry run.
    previews: tuple[BulkPreview, ...] = ()
    request_id: str


class RecipientReply(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient, and what became of their message."""

    position: int
    to: str
    status: str
    #: A code, and what it means.
    error: str | None
    message_id: str | None
    outbox_id: str | None
    sent_at: int | None
    delivered_at: int | None
    read_at: int | None
    failed_at: int | None


def bulk_fields(
    job: BulkJob,
    tally: Mapping[str, int],
    line: Line | None,
    *,
    checked: Checked | None = None,
    is_dry_run: bool = False,
) -> dict[str, Any]:
    """Give the fields of a job."""
    is_begun = tally.get("waiting") != job.total_count
    is_scheduled = job.state is BulkState.RUNNING and job.send_at is not None and not is_begun
    fields: dict[str, Any] = {
        "id": None if is_dry_run else id_text(Prefix.BULK, job.id),
        "name": job.name,
        "status": "checked" if is_dry_run else "scheduled" if is_scheduled else job.state.value,
        "line_id": id_text(Prefix.LINE, job.line_id),
        "from": None if line is None else line.handle,
        "total": job.total_count,
        "counts": dict(tally),
        "duplicates": job.duplicate_count,
        "priority": job.priority,
        "send_at": job.send_at,
        "rate_per_minute": job.rate_per_minute,
        "metadata": None if job.metadata is None else msgspec.json.decode(job.metadata),
        "eta_seconds": _eta_seconds(job, tally, line),
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }
    if checked is not None:
        fields["problems"] = [
            {"place": each.place, "field": each.field, "message": each.message} for each in checked.problems
        ]
        fields["problem_count"] = checked.problem_count
        previews = checked.recipients[:MOST_PREVIEWS] if is_dry_run else ()
        fields["previews"] = [{"to": each.handle, "text": each.text} for each in previews]
    return fields


def _eta_seconds(job: BulkJob, tally: Mapping[str, int], line: Line | None) -> int | None:
    ahead = sum(tally.get(status, 0) for status in _AHEAD)
    if not ahead or line is None or job.state is not BulkState.RUNNING:
        return None
    rate = 60_000 / job.rate_per_minute if job.rate_per_minute else 0
    return round(ahead * max(line.pace_ms, rate) / 1000)


def recipient_fields(row: BulkOutcome) -> dict[str, Any]:
    """Give the fields of a recipient."""
    recipient = row.recipient
    return {
        "position": recipient.position,
        "to": recipient.handle,
        "status": row.status,
        "error": _error(row),
        "message_id": None if recipient.message_id is None else id_text(Prefix.MESSAGE, recipient.message_id),
        "outbox_id": None if recipient.outbox_id is None else id_text(Prefix.OUTBOX, recipient.outbox_id),
        "sent_at": row.sent_at,
        "delivered_at": row.delivered_at,
        "read_at": row.read_at,
        "failed_at": row.failed_at,
    }


def _error(row: BulkOutcome) -> str | None:
    if row.recipient.code is not None:
        return f"{row.recipient.code}: {row.recipient.error}"
    if row.message_error is None:
        return None
    told = msgspec.json.decode(row.message_error)
    code, raw = told.get("code"), told.get("raw")
    return f"{code}: {raw}" if raw else str(code)


def csv_row(row: BulkOutcome) -> list[str]:
    """Give the cells of a recipient."""
    fields = recipient_fields(row)
    return ["" if fields[name] is None else str(fields[name]) for name in CSV_HEADINGS]
