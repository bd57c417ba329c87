"""/v1/contacts/import and /export: whole files of contacts, streamed in both directions.

A body comes raw or as the `file` of a form, and is put aside until it is whole: a file that cannot be read to its end
is refused before anything of it is taken in. Not here: what stands in it (hub.flow.contact_reading).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, BinaryIO, Final, Literal, cast

import msgspec
from msgspec import Meta
from multipart import (  # type: ignore[import-untyped]  # multipart ships no types
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, Reply, StreamBody
from hub.api.contact_shapes import ContactChoice, contact_fields, read_choice
from hub.api.phone_numbers import Region
from hub.api.reading import Disconnected, missing
from hub.flow.contact_import import MOST_ERRORS, MOST_ROWS, ImportWish
from hub.flow.contact_reading import Sheet, open_sheet
from hub.flow.contact_store import ContactFilter, ContactPage
from hub.flow.contacts import REFUSED, require_unrestricted
from hub.model.contact import Contact
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.rules.contact_export import HEADINGS, cells_of, csv_lines
from hub.rules.contact_files import Encoding
from hub.rules.contact_rows import Regions, sentence
from hub.rules.phone_numbers import check_region
from hub.rules.problems import Problem

#: Contacts read at a time for an export.
_PAGE: Final = 500
#: A file below this size never touches the disk.
_IN_MEMORY: Final = 1_048_576
_FORM: Final = "multipart/form-data"
_encode: Final = msgspec.json.Encoder().encode

FileForm = Literal["csv", "json"]

#: How a file begins and ends. Spreadsheets take UTF-8 for what it is only with its mark.
HEAD: Final[Mapping[FileForm, bytes]] = {"csv": ("\ufeff" + csv_lines([HEADINGS])).encode(), "json": b"[\n"}
TAIL: Final[Mapping[FileForm, bytes]] = {"csv": b"", "json": b"\n]\n"}


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to take a file in."""

    #: Found out, if not given.
    format: FileForm | None = None
    #: `create` leaves contacts alone that exist; `upsert` adds to them.
    mode: Literal["create", "upsert"] = "upsert"
    #: Tell what would happen, and do nothing.
    dry_run: bool = False
    region: Region | None = None
    #: UTF-8, or UTF-16 with its byte order mark, is found out; anything else must be said.
    encoding: Encoding | None = None


class ExportQuery(ContactChoice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which contacts, and as what."""

    format: FileForm = "json"


class ImportProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one row."""

    #: As a spreadsheet counts: the headings are row 1. In JSON, the contact's place from 1.
    row: int
    field: str | None
    error: str
    #: The value, masked.
    value: str | None


class ImportReply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the file."""

    created: int
    updated: int
    #: Contacts of which the file said nothing new.
    unchanged: int
    failed: int
    #: The first 1000; `failed` counts all rows.
    errors: Annotated[list[ImportProblem], Meta(max_length=MOST_ERRORS)]
    #: Headings that mean nothing here.
    ignored_columns: list[str]
    dry_run: bool
    request_id: str


async def _import(call: Call[ImportQuery, StreamBody]) -> Reply:
    require_unrestricted(call.key)
    query = call.query
    regions = Regions(completing=_region(query.region), hinted=call.uses.settings.contacts_region)
    wish = ImportWish(mode=query.mode, is_dry_run=query.dry_run)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        file = cast(BinaryIO, spooled)
        await _receive(call, file)

        def look_through() -> Sheet:
            return open_sheet(file, form=query.format, encoding=query.encoding, regions=regions)

        sheet = await asyncio.to_thread(look_through)
        report = await call.uses.contact_import.run(sheet.rows, wish)
    content = ImportReply(
        created=report.created,
        updated=report.updated,
        unchanged=report.unchanged,
        failed=report.failed,
        errors=[ImportProblem(**asdict(each)) for each in report.errors],
        ignored_columns=list(sheet.ignored),
        dry_run=query.dry_run,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _receive(call: Call[Any, Any], file: BinaryIO) -> None:
    """Put the body aside; of a form, its first file.

    Raises:
        InvalidRequest: payload_too_large, or a form without a file.
        Disconnected: The caller went away.
    """
    if call.headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        message = "Send the file uncompressed."
        raise InvalidRequest("unsupported_media_type", message, param="Content-Encoding")
    kind, options = parse_options_header(call.headers.get(b"content-type", b"").decode("latin-1"))
    picker = _FormPicker(options.get("boundary", "")) if kind == _FORM else None
    try:
        async for chunk in _chunks(call):
            data = chunk if picker is None else b"".join(picker.take(chunk))
            if data:
                await asyncio.to_thread(file.write, data)
        if picker is not None:
            picker.finish()
    except (MultipartError, ValueError) as error:
        message = f"The form cannot be read: {error}. Send it as curl -F file=@contacts.csv does."
        raise InvalidRequest(REFUSED, message, param="file") from None


async def _chunks(call: Call[Any, Any]) -> AsyncIterator[bytes]:
    size, most = 0, call.uses.settings.contacts_file_bytes
    while True:
        message = await call.receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            text = f"The file is larger than {most} bytes; cut it into several (contacts.import_max_bytes)."
            raise InvalidRequest("payload_too_large", text)
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return


class _FormPicker:
    """Picks the bytes of the field `file` out of a form."""

    def __init__(self, boundary: str) -> None:
        if not 1 <= len(boundary) <= 70:
            raise InvalidRequest(REFUSED, "The form's Content-Type names no boundary.", param="Content-Type")
        self._parser = PushMultipartParser(boundary, max_segment_count=20)
        self._is_picking = False
        self._has_picked = False

    def take(self, chunk: bytes) -> Iterator[bytes]:
        for event in self._parser.parse(chunk):
            if isinstance(event, MultipartSegment):
                self._is_picking = event.name == "file" and not self._has_picked
                self._has_picked |= self._is_picking
            elif event is not None and self._is_picking:
                yield bytes(event)

    def finish(self) -> None:
        """Look whether the form was whole and had a file."""
        self._parser.close()
        if not self._has_picked:
            raise missing("file")


def _region(text: str | None) -> str:
    region = "" if text is None else check_region(text)
    if isinstance(region, Problem):
        raise InvalidRequest(REFUSED, sentence(region), param="region")
    return region


async def _export(call: Call[ExportQuery, NoBody]) -> Reply:
    wanted = read_choice(call, call.query)
    # Before the answer begins: from then on a refusal could only cut it off.
    first = await call.uses.contacts.page(call.key, wanted, after=None, limit=_PAGE)
    is_csv = call.query.format == "csv"
    pages = _pages(call, wanted, first)
    name = f'attachment; filename="contacts.{call.query.format}"'
    return Reply(
        content=_pieces(call, call.query.format, pages),
        content_type=b"text/csv; charset=utf-8" if is_csv else b"application/json",
        headers=((b"content-disposition", name.encode()),),
    )


async def _pages(
    call: Call[Any, Any], wanted: ContactFilter, first: ContactPage
) -> AsyncIterator[ContactPage]:
    page, place = first, first.next
    yield page
    while place is not None:
        page = await call.uses.contacts.page(call.key, wanted, after=place, limit=_PAGE)
        place = page.next
        yield page


async def _pieces(
    call: Call[Any, Any], form: FileForm, pages: AsyncIterator[ContactPage]
) -> AsyncIterator[bytes]:
    yield HEAD[form]
    is_first = True
    async for page in pages:
        last = await call.uses.contacts.last_messages(call.key, [each.id for each in page.contacts])
        yield written(form, page.contacts, last, is_first=is_first)
        is_first = is_first and not page.contacts
    yield TAIL[form]


def written(
    form: FileForm, contacts: Sequence[Contact], last_messages: Mapping[int, int], *, is_first: bool
) -> bytes:
    """Write some contacts of a file; whether they are its first counts in JSON, for the commas."""
    if form == "csv":
        return csv_lines(cells_of(each, id_text(Prefix.CONTACT, each.id)) for each in contacts).encode()
    shown = [_encode(contact_fields(each, last_messages.get(each.id))) for each in contacts]
    return b"" if not shown else (b"" if is_first else b",\n") + b",\n".join(shown)


_TABLE: Final = {"schema": {"type": "string", "format": "binary"}}
_LIST: Final = {"schema": {"type": "array", "items": {"type": "object"}}}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/contacts/import",
        name="import_contacts",
        summary=f"Take in a file of up to {MOST_ROWS} contacts; rows that are wrong are told and passed over.",
        description=(
            "The body is the file, CSV or JSON, or a form with a field `file`. CSV begins with a row of headings such "
            "as `First Name,Phone,Email,Tags`; comma, semicolon and tab are told apart. JSON is a list of contacts, or "
            "one after the other. A contact is known again by any of its handles; what the file says is added, empty "
            "cells say nothing. Numbers without a country code are refused unless `region` says whose they are. A "
            "file that cannot be read to its end is refused whole."
        ),
        tag="contacts",
        scope="contacts:write",
        query=ImportQuery,
        body=StreamBody,
        reply=ImportReply,
        request_content={
            "text/csv": _TABLE,
            "application/json": _LIST,
            _FORM: {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _TABLE["schema"]}}
            },
        },
        errors=("line_not_accessible",),
        handle=_import,
    ),
    Endpoint(
        method="GET",
        path="/v1/contacts/export",
        name="export_contacts",
        summary="Give all contacts, or those chosen, as CSV or JSON.",
        description=(
            "CSV is UTF-8 with a byte order mark. A cell that a spreadsheet could run as a formula has an apostrophe "
            "before it, which an import takes off again; phone numbers stay as they are. Labels of handles stand only "
            "in JSON."
        ),
        tag="contacts",
        scope="contacts:read",
        query=ExportQuery,
        body=NoBody,
        reply=bytes,
        reply_content={"application/json": _LIST, "text/csv": {"schema": {"type": "string"}}},
        errors=("line_not_accessible",),
        handle=_export,
    ),
)
