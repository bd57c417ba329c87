"""Consents and their log as rows and back."""

from __future__ import annotations

from dataclasses import asdict, fields

from hub.flow.safety_rows import ConsentLogRow, ConsentRow
from hub.model.consent import Consent, ConsentAction, ConsentEntry, ConsentSource


def consent_from(row: ConsentRow) -> Consent:
    """Read a row of `consents`."""
    values = row._asdict()
    return Consent(
        **values | {"action": ConsentAction(row.action), "source": ConsentSource(row.source)},
    )


def consent_row(entry: ConsentEntry) -> ConsentRow:
    """Give where a word leaves a handle, if it counts."""
    return ConsentRow(
        entry.scope_line_id,
        entry.handle,
        entry.action,
        entry.source,
        entry.said_at,
        entry.recorded_at,
        entry.line_id,
        entry.id,
    )


def log_row(entry: ConsentEntry, *, dedupe_key: bytes, is_reply_owed: bool) -> ConsentLogRow:
    """Give an entry of the log as it is kept."""
    values = asdict(entry) | {"is_applied": int(entry.is_applied)}
    return ConsentLogRow(**values, dedupe_key=dedupe_key, reply_state=0 if is_reply_owed else None)


def entry_from(row: ConsentLogRow) -> ConsentEntry:
    """Read a row of the log."""
    values = {field.name: getattr(row, field.name) for field in fields(ConsentEntry)}
    return ConsentEntry(
        **values
        | {
            "action": ConsentAction(row.action),
            "source": ConsentSource(row.source),
            "is_applied": bool(row.is_applied),
        }
    )
