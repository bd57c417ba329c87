"""/api/v1/contacts/import and /export: files of contacts (contracts: coop §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, StreamBody
from hub.api.contact_files import ImportReply
from hub.api.contact_shapes import ContactReply
from hub.dialects.coop.contact_shapes import FIELDS, contact_shown
from hub.dialects.coop.contacts import choice
from hub.dialects.coop.errors import in_their_words
from hub.dialects.coop.paging import read
from hub.dialects.native import ask, ask_raw
from hub.model.errors import InvalidRequest

_PAGE: Final = 100
_FORM: Final = b"multipart/form-data"
_BINARY: Final = {"type": "string", "format": "binary"}
_encode: Final = msgspec.json.Encoder().encode


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which contacts, and as what."""

    format: Literal["json", "csv"] = "json"
    search: Annotated[str, Meta(max_length=200)] | None = None
    tags: Annotated[str, Meta(max_length=400)] | None = None


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one row."""

    row: int
    error: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the file."""

    created: int
    #: Contacts that were there, whether or not the file said anything new of them.
    updated: int
    failed: int
    errors: list[RowError]


async def _import(call: Call[NoQuery, StreamBody]) -> Reply:
    if not call.headers.get(b"content-type", b"").lower().startswith(_FORM):
        message = "Send the file as the field 'file' of multipart/form-data."
        raise InvalidRequest("unsupported_media_type", message, param="Content-Type")
    with in_their_words(FIELDS):
        report = read((await ask_raw(call, "import_contacts")).content, ImportReply)
    content = Imported(
        created=report.created,
        updated=report.updated + report.unchanged,
        failed=report.failed,
        errors=[RowError(row=each.row, error=each.error) for each in report.errors],
    )
    return Reply(content=content)


async def _export(call: Call[ExportQuery, NoBody]) -> Reply:
    query = call.query
    wanted = choice(query.search, query.tags)
    with in_their_words(FIELDS):
        if query.format == "csv":
            given = {name: value for name, value in wanted.items() if value is not None}
            return await ask_raw(call, "export_contacts", query={**given, "format": "csv"})
        # Before the answer begins: from then on a refusal could only cut it off.
        first = await _page(call, wanted, None)
    headers = ((b"content-disposition", b'attachment; filename="contacts.json"'),)
    return Reply(content=_pieces(call, wanted, first), headers=headers)


async def _page(call: Call[Any, Any], wanted: dict[str, Any], cursor: str | None) -> Listed[Any]:
    query = {**wanted, "limit": _PAGE, "cursor": cursor}
    return (await ask(call, "list_contacts", Listed, query=query)).content


async def _pieces(call: Call[Any, Any], wanted: dict[str, Any], page: Listed[Any]) -> AsyncIterator[bytes]:
    yield b"["
    comma = b""
    while True:
        contacts = [_encode(contact_shown(read(each, ContactReply))) for each in page.data]
        if contacts:
            yield comma + b",".join(contacts)
            comma = b","
        if page.next_cursor is None:
            break
        page = await _page(call, wanted, page.next_cursor)
    yield b"]"


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/api/v1/contacts/import",
        name="coop_import_contacts",
        summary="Take in a file of contacts.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=StreamBody,
        request_content={
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY}}
            }
        },
        reply=Imported,
        handle=_import,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/contacts/export",
        name="coop_export_contacts",
        summary="Give all contacts, or those chosen, as a file.",
        tag="contacts",
        scope="contacts:read",
        query=ExportQuery,
        body=NoBody,
        reply=bytes,
        reply_content={"text/csv": {"schema": {"type": "string"}}},
        handle=_export,
    ),
)
