"""Render the event of a bulk send (see hub.flow.payloads)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hub.flow.event_shapes import BulkCompletedData
from hub.model.bulk import BulkJob
from hub.model.ids import Prefix, id_text
from hub.model.line import Line


def bulk_completed_data(job: BulkJob, line: Line, tally: Mapping[str, int], *, finished_at: int) -> str:
    """Render a bulk send whose recipients have all been dealt with."""
    return msgspec.json.encode(
        BulkCompletedData(
            id=id_text(Prefix.BULK, job.id),
            name=job.name,
            line_id=id_text(Prefix.LINE, line.id),
            line_handle=line.handle,
            total=job.total_count,
            counts=dict(tally),
            created_at=job.created_at,
            finished_at=finished_at,
        ),
        order="deterministic",
    ).decode()
