"""/v1/bulk/{id}/results: the recipients of a bulk send with what became of their messages, as pages and as a table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Literal

import msgspec
from msgspec import UNSET

from hub.api.bulk import BULK_ERRORS, BulkQuery, find_bulk
from hub.api.bulk_shapes import CSV_HEADINGS, RecipientReply, csv_row, recipient_fields
from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply
from hub.api.paging import read_id_cursor, read_offset, split_page, write_cursor
from hub.flow.bulk_reading import MOST_RECIPIENTS
from hub.model.bulk import BulkJob
from hub.rules.contact_export import csv_lines

_PAGE: Final = 500
_CSV: Final = b"text/csv; charset=utf-8"

ResultStatus = Literal[
    "waiting", "queued", "sent", "delivered", "read", "failed", "skipped", "cancelled", "unsent"
]


class ResultQuery(BulkQuery, frozen=True, kw_only=True):
    """Which recipients."""

    status: ResultStatus | None = None


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which recipients."""

    status: ResultStatus | None = None


async def _results(call: Call[ResultQuery, NoBody]) -> Reply:
    query, job = call.query, await find_bulk(call)
    found = await call.uses.bulk.results(
        job,
        status=query.status,
        after=_place(query.cursor),
        offset=read_offset(query),
        limit=query.limit + 1,
    )
    rows, has_more = split_page(found, query.limit)
    data = [msgspec.convert(recipient_fields(row), RecipientReply) for row in rows]
    content = Listed(
        data=data,
        has_more=has_more,
        next_cursor=write_cursor(rows[-1].recipient.position) if has_more else None,
        total=await _result_count(call, job) if query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


def _place(cursor: str | None) -> int | None:
    """Read a place among the recipients; one that somebody made up may be larger than the column of places holds."""
    after = read_id_cursor(cursor)
    return None if after is None else min(after, MOST_RECIPIENTS)


async def _result_count(call: Call[ResultQuery, NoBody], job: BulkJob) -> int:
    (watched,) = await call.uses.bulk.watch([job])
    status = call.query.status
    return sum(watched.tally.values()) if status is None else watched.tally.get(status, 0)


async def _export(call: Call[ExportQuery, NoBody]) -> Reply:
    job = await find_bulk(call)
    headers = ((b"content-disposition", b'attachment; filename="results.csv"'),)
    return Reply(content=_rows(call, job), content_type=_CSV, headers=headers)


async def _rows(call: Call[ExportQuery, NoBody], job: BulkJob) -> AsyncIterator[bytes]:
    yield ("\ufeff" + csv_lines([CSV_HEADINGS])).encode()
    after: int | None = None
    while True:
        page = await call.uses.bulk.results(job, status=call.query.status, after=after, limit=_PAGE)
        if not page:
            return
        yield csv_lines([csv_row(row) for row in page]).encode()
        after = page[-1].recipient.position


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/bulk/{id}/results",
        name="list_bulk_results",
        summary="List recipients with what became of their messages.",
        tag="bulk",
        scope="messages:read",
        query=ResultQuery,
        body=NoBody,
        reply=Listed[RecipientReply],
        errors=BULK_ERRORS,
        handle=_results,
    ),
    Endpoint(
        method="GET",
        path="/v1/bulk/{id}/results.csv",
        name="export_bulk_results",
        summary="The same as a CSV table.",
        tag="bulk",
        scope="messages:read",
        query=ExportQuery,
        body=NoBody,
        reply=bytes,
        reply_content={"text/csv": {"schema": {"type": "string"}}},
        errors=BULK_ERRORS,
        handle=_export,
    ),
)
