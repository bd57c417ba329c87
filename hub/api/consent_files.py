"""/v1/consents/export and /import: the log as a file, written while it is read, and lists from elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.consents import ALL_LINES, find_scope, log_item, visible_filter
from hub.api.sends import From
from hub.flow.consent import read_handle
from hub.flow.consent_import import MOST_ERRORS, ConsentImport
from hub.flow.safety_repositories import ConsentFilter
from hub.model.consent import ConsentEntry
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.observation import Handle
from hub.rules.consent_rows import csv_of, heading_line, read_csv

#: Entries read at a time.
_PAGE: Final = 500
MOST_ROWS: Final = 5000
_encode: Final = msgspec.json.Encoder().encode
FileForm = Literal["csv", "json"]


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries of the log, and as what."""

    format: FileForm = "csv"
    from_: From | None = msgspec.field(default=None, name="from")
    handle: Handle | None = None


class NewConsents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list of consents; either `rows` or `csv`."""

    #: What rows count for that name no line of their own; `*` for every line.
    from_: From = msgspec.field(name="from")
    #: Objects with `handle`, `state` (`opted_out` or `opted_in`), and perhaps `from`, `said_at` and `reason`.
    rows: Annotated[tuple[dict[str, Any], ...], Meta(max_length=MOST_ROWS)] | None = None
    #: The same as CSV, with the names of the columns in its first line.
    csv: Annotated[str, Meta(min_length=1, max_length=5_000_000)] | None = None
    #: Tell what is wrong, and record nothing.
    dry_run: bool = False


class ImportProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one row."""

    #: From 1; in CSV as a spreadsheet counts: the headings are row 1.
    row: int
    field: str
    error: str


class ImportReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a list."""

    #: Rows that changed where somebody stands.
    changed: int
    #: Rows that said nothing new.
    unchanged: int
    failed: int
    #: The first thousand.
    errors: Annotated[list[ImportProblem], Meta(max_length=MOST_ERRORS)]
    dry_run: bool
    request_id: str


async def _export(call: Call[ExportQuery, NoBody]) -> Reply:
    query = call.query
    handle = None if query.handle is None else read_handle(query.handle)
    wanted = await visible_filter(call, query.from_, handle=handle)
    first = await call.uses.store.consents.page(wanted, after=0, limit=_PAGE)
    pages = _pages(call, wanted, list(first))
    is_csv = query.format == "csv"
    return Reply(
        content=pieces(query.format, pages),
        content_type=b"text/csv; charset=utf-8" if is_csv else b"application/json",
        headers=((b"content-disposition", f'attachment; filename="consents.{query.format}"'.encode()),),
    )


async def _pages(
    call: Call[Any, Any], wanted: ConsentFilter, page: list[ConsentEntry]
) -> AsyncIterator[list[ConsentEntry]]:
    while page:
        yield page
        if len(page) < _PAGE:
            return
        page = list(await call.uses.store.consents.page(wanted, after=page[-1].id, limit=_PAGE))


async def pieces(form: FileForm, pages: AsyncIterator[list[ConsentEntry]]) -> AsyncIterator[bytes]:
    """Write pages of the log as one file."""
    is_csv, comma = form == "csv", b""
    yield ("\ufeff" + heading_line()).encode() if is_csv else b"[\n"
    async for page in pages:
        yield csv_of(page).encode() if is_csv else comma + b",\n".join(map(_encode, map(log_item, page)))
        comma = b",\n"
    yield b"" if is_csv else b"\n]\n"


async def _import(call: Call[NoQuery, NewConsents]) -> Reply:
    body = call.body
    default = await find_scope(call, body.from_)
    visible = await call.uses.lines.visible(call.key)
    names = {name: line for line in visible for name in (line.handle, id_text(Prefix.LINE, line.id))}

    def find_line(text: str) -> Line | None:
        if text == ALL_LINES and call.key.line_ids is None:
            return None
        if text not in names:
            message = "'from' must be the handle or the id of a line that the key may use."
            raise InvalidRequest("line_not_found", message, param="from")
        return names[text]

    importer = ConsentImport(
        call.uses.consents,
        find_line=find_line,
        read_handle=read_handle,
        default_line=default,
        api_key_id=call.key.id,
    )
    report = await importer.run(_rows(body), is_dry_run=body.dry_run)
    content = ImportReply(
        changed=report.changed,
        unchanged=report.unchanged,
        failed=report.failed,
        errors=[ImportProblem(**asdict(each)) for each in report.errors],
        dry_run=body.dry_run,
        request_id=call.request_id,
    )
    return Reply(content=content)


def _rows(body: NewConsents) -> Iterable[tuple[int, Mapping[str, Any]]]:
    if (body.rows is None) == (body.csv is None):
        raise InvalidRequest("missing_required_parameter", "Give either 'rows' or 'csv'.", param="rows")
    if body.rows is not None:
        return enumerate(body.rows, start=1)
    try:
        rows = list(read_csv(body.csv or ""))
    except ValueError as error:
        raise InvalidRequest(
            "invalid_parameter_value", f"'csv' cannot be read: {error}.", param="csv"
        ) from None
    if len(rows) > MOST_ROWS:
        message = f"'csv' has {len(rows)} rows; send at most {MOST_ROWS} at a time."
        raise InvalidRequest("invalid_parameter_value", message, param="csv")
    return rows


_FILE: Final = {"schema": {"type": "string", "format": "binary"}}
_LIST: Final = {"schema": {"type": "array", "items": {"type": "object"}}}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/consents/export",
        name="export_consents",
        summary="Give the whole log of consent as a file, oldest first.",
        tag="consents",
        scope="consents:read",
        query=ExportQuery,
        body=NoBody,
        reply=bytes,
        reply_content={"text/csv": _FILE, "application/json": _LIST},
        errors=("line_not_found", "line_not_accessible"),
        handle=_export,
    ),
    Endpoint(
        method="POST",
        path="/v1/consents/import",
        name="import_consents",
        summary="Take in a list of consents that was kept elsewhere.",
        description=(
            "Rows that are wrong are told by their number and leave the others alone. An opt-in needs its time, so "
            "that it cannot undo a later STOP. A row that was imported before, with its time, adds nothing; up to "
            "5000 rows at a time."
        ),
        tag="consents",
        scope="consents:write",
        query=NoQuery,
        body=NewConsents,
        reply=ImportReply,
        errors=("line_not_found", "line_not_accessible"),
        example={
            "from": "*",
            "rows": [{"handle": "+15550100001", "state": "opted_out", "said_at": 1780315200000}],
        },
        handle=_import,
    ),
)
