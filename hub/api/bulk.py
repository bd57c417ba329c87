"""/v1/bulk: one send to many recipients, with progress, pause, resume and cancel (contracts: Coop §2, made whole)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta

from hub.api.bulk_shapes import (
    BulkReply,
    OneBulk,
    bulk_fields,
)
from hub.api.calls import (
    AnyEndpoint,
    Call,
    Endpoint,
    Listed,
    NoBody,
    NoQuery,
    Reply,
    StreamBody,
    field_id,
    path_id,
)
from hub.api.paging import (
    DEFAULT_LIMIT,
    CursorText,
    IncludeTotal,
    Limit,
    Offset,
    read_id_cursor,
    read_offset,
    split_page,
    write_cursor,
)
from hub.api.reading import missing, read_body
from hub.api.sends import FromOrAuto, sending_line
from hub.api.sent_files import FILE_ERRORS, find_files
from hub.flow.bulk import BulkWish
from hub.flow.bulk_reading import MOST_RECIPIENTS, MOST_TEXT, Addressee, contacts_of, table_of
from hub.flow.contact_store import ContactFilter
from hub.model.bulk import BulkJob, BulkState
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix
from hub.model.line import Line
from hub.model.template import Template

Text = Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Rate = Annotated[int, Meta(ge=1, le=6_000, description="At most so many recipients a minute.")]
Priority = Annotated[int, Meta(ge=0, le=100, description="Higher goes first on the line.")]
Instant = Annotated[int, Meta(ge=0, le=32_503_680_000_000)]


class NewRecipient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One recipient."""

    to: Annotated[str, Meta(min_length=1, max_length=320)]
    #: Instead of the job's text.
    text: Text | None = None
    #: For the gaps in the text: {"first_name": "Ada"}.
    values: Annotated[dict[str, str], Meta(max_length=50)] = {}


class NewBulk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to send, and to whom: exactly one of recipients, contact_group and tag."""

    from_: FromOrAuto = msgspec.field(name="from")
    name: Name | None = None
    #: For all; gaps such as {{first_name}} or {{first_name|there}} are filled for each.
    text: Text | None = None
    #: In the place of `text`: what fills its blanks may have gaps, too. Without `values` those of each recipient by the
    #: names "1", "2", … fill them.
    template: Template | None = None
    recipients: Annotated[tuple[NewRecipient, ...], Meta(max_length=MOST_RECIPIENTS)] = ()
    contact_group: Annotated[str, Meta(max_length=64)] | None = None
    tag: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    priority: Priority = 0
    send_at: Instant | None = None
    rate_per_minute: Rate | None = None
    metadata: Annotated[dict[str, Any], Meta(max_length=50)] | None = None
    skip_invalid: Annotated[bool, Meta(description="Send to the good ones, and leave the others out.")] = (
        False
    )
    literal: Annotated[bool, Meta(description="Take texts as they stand: {{…}} is no gap.")] = False
    allow_duplicates: Annotated[
        bool, Meta(description="Who is named several times gets as many messages, instead of the first one.")
    ] = False
    dry_run: Annotated[bool, Meta(description="Check everything; send nothing, keep nothing.")] = False


class TableQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As in the JSON form."""

    from_: FromOrAuto = msgspec.field(name="from")
    name: Name | None = None
    text: Text | None = None
    #: JSON, as in the JSON form. Without `values` the columns `1`, `2`, … fill its blanks.
    template: Annotated[str, Meta(max_length=16_384)] | None = None
    priority: Priority = 0
    send_at: Instant | None = None
    rate_per_minute: Rate | None = None
    skip_invalid: bool = False
    dry_run: bool = False


class BulkQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False


async def _make(call: Call[NoQuery, NewBulk]) -> Reply:
    body = call.body
    metadata = None if body.metadata is None else msgspec.json.encode(body.metadata).decode()
    if metadata is not None and len(metadata) > 1024:
        raise InvalidRequest(
            "invalid_parameter_value", "'metadata' is longer than 1,024 bytes of JSON.", param="metadata"
        )
    line = await sending_line(call, body.from_, None)
    await _require_file(call, body.template)
    recipients = await _recipients(call)
    wish = BulkWish(
        line=line,
        name=body.name,
        text=body.text,
        template=body.template,
        recipients=recipients,
        priority=body.priority,
        send_at=body.send_at,
        rate_per_minute=body.rate_per_minute,
        metadata=metadata,
        is_skipping_invalid=body.skip_invalid,
        is_literal=body.literal,
        is_allowing_duplicates=body.allow_duplicates,
        is_dry_run=body.dry_run,
    )
    return await _made(call, wish)


def _read_template(text: str) -> Template:
    try:
        return msgspec.json.decode(text, type=Template)
    except msgspec.MsgspecError as error:
        raise InvalidRequest(
            "invalid_parameter_value",
            f"'template' is JSON, as POST /v1/bulk takes it: {error}".replace("`", "'"),
            param="template",
        ) from None


async def _require_file(call: Call[Any, Any], template: Template | None) -> None:
    """Refuse a header's file that is not there, or not ready."""
    if template is not None and template.header_file_id is not None:
        await find_files(call, [(template.header_file_id, "template.header_file_id")])


async def _recipients(call: Call[NoQuery, NewBulk]) -> Iterable[Addressee]:
    body = call.body
    if sum((bool(body.recipients), body.contact_group is not None, body.tag is not None)) != 1:
        raise InvalidRequest(
            "missing_required_parameter",
            "Give exactly one of 'recipients', 'contact_group' and 'tag'.",
            param="recipients",
        )
    if body.recipients:
        return _listed(body.recipients)
    if call.key.line_ids is not None:
        raise InvalidRequest(
            "line_not_accessible",
            "A key that is restricted to lines may not send to contacts at large; list the recipients.",
            param="contact_group" if body.contact_group is not None else "tag",
        )
    wanted = ContactFilter(tags=(body.tag,)) if body.tag is not None else await _group(call)
    return [each async for each in contacts_of(call.uses.store, wanted)]


async def _group(call: Call[NoQuery, NewBulk]) -> ContactFilter:
    group_id = field_id(
        call.body.contact_group or "", Prefix.CONTACT_GROUP, "contact_group", param="contact_group"
    )
    await call.uses.contact_groups.get(group_id)
    return ContactFilter(group_id=group_id)


def _listed(recipients: Iterable[NewRecipient]) -> Iterator[Addressee]:
    for number, each in enumerate(recipients):
        yield Addressee(to=each.to, text=each.text, values=each.values, place=f"recipients[{number}]")


async def _make_of_table(call: Call[TableQuery, StreamBody]) -> Reply:
    query = call.query
    line = await sending_line(call, query.from_, None)
    raw = await read_body(call.receive, call.headers, most_bytes=call.uses.settings.max_body_bytes)
    try:
        table = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            "invalid_parameter_value", f"The table is not UTF-8: byte {error.start} cannot be read."
        ) from None
    if not table.strip():
        raise missing("to", kind="column")
    template = None if query.template is None else _read_template(query.template)
    await _require_file(call, template)
    wish = BulkWish(
        line=line,
        name=query.name,
        text=query.text,
        template=template,
        recipients=table_of(table),
        priority=query.priority,
        send_at=query.send_at,
        rate_per_minute=query.rate_per_minute,
        is_skipping_invalid=query.skip_invalid,
        is_dry_run=query.dry_run,
    )
    return await _made(call, wish)


async def _made(call: Call[Any, Any], wish: BulkWish) -> Reply:
    job, checked = await call.uses.bulk.make(wish, api_key_id=call.key.id)
    tally = {"waiting": job.total_count}
    fields = bulk_fields(job, tally, wish.line, checked=checked, is_dry_run=wish.is_dry_run)
    content = msgspec.convert({**fields, "request_id": call.request_id}, OneBulk)
    return Reply(content=content, status=200 if wish.is_dry_run else 201)


async def _list(call: Call[BulkQuery, NoBody]) -> Reply:
    after, limit = read_id_cursor(call.query.cursor), call.query.limit
    lines = await call.uses.lines.visible(call.key)
    line_ids, offset = [line.id for line in lines], read_offset(call.query)
    found = await call.uses.bulk.page(line_ids, after=after, offset=offset, limit=limit + 1)
    jobs, has_more = split_page(found, limit)
    watched = await call.uses.bulk.watch(jobs)
    data = [
        msgspec.convert(bulk_fields(each.job, each.tally, _line(call, each.job)), BulkReply)
        for each in watched
    ]
    content = Listed(
        data=data,
        has_more=has_more,
        next_cursor=write_cursor(jobs[-1].id) if has_more else None,
        total=await call.uses.bulk.count(line_ids) if call.query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


def _line(call: Call[Any, Any], job: BulkJob) -> Line | None:
    return call.uses.parts.directory.current.lines_by_id.get(job.line_id)


async def find_bulk(call: Call[Any, Any]) -> BulkJob:
    """Find the bulk send that the path names.

    Raises:
        InvalidRequest: bulk_not_found or line_not_accessible.
    """
    job = await call.uses.bulk.get(path_id(call, Prefix.BULK, "bulk"))
    call.uses.lines.require(call.key, job.line_id)
    return job


async def _shown(call: Call[Any, Any], job: BulkJob) -> Reply:
    (watched,) = await call.uses.bulk.watch([job])
    fields = bulk_fields(watched.job, watched.tally, _line(call, job))
    return Reply(content=msgspec.convert({**fields, "request_id": call.request_id}, OneBulk))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return await _shown(call, await find_bulk(call))


async def _pause(call: Call[NoQuery, NoBody]) -> Reply:
    return await _shown(call, await call.uses.bulk.pause((await find_bulk(call)).id))


async def _resume(call: Call[NoQuery, NoBody]) -> Reply:
    return await _shown(call, await call.uses.bulk.resume((await find_bulk(call)).id))


async def _cancel(call: Call[NoQuery, NoBody]) -> Reply:
    job = await find_bulk(call)
    return await _shown(call, await call.uses.bulk.cancel(job.id, _line(call, job)))


BULK_ERRORS: Final = ("bulk_not_found", "line_not_accessible")
_MAKE_ERRORS: Final = (
    *FILE_ERRORS,
    "advanced_features_required",
    "contact_group_not_found",
    "line_inactive",
    "line_not_accessible",
    "line_not_found",
)


def _change(name: str, summary: str, handle: Any, end: BulkState) -> AnyEndpoint:
    return Endpoint(
        method="POST",
        path=f"/v1/bulk/{{id}}/{name}",
        name=f"{name}_bulk",
        summary=summary,
        description=f"Afterwards its `status` is `{end}`.",
        tag="bulk",
        scope="messages:write",
        query=NoQuery,
        body=NoBody,
        reply=OneBulk,
        errors=(*BULK_ERRORS, "bulk_state_conflict"),
        handle=handle,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/bulk",
        name="list_bulk",
        summary="List bulk sends, newest first.",
        tag="bulk",
        scope="messages:read",
        query=BulkQuery,
        body=NoBody,
        reply=Listed[BulkReply],
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/bulk",
        name="make_bulk",
        summary="Send to many recipients.",
        description=(
            "Everything is checked before anything is kept; with `dry_run` nothing is kept at all. Recipients become "
            "messages a few at a time, at the line's pace; consent, budgets and quiet hours hold for each."
        ),
        tag="bulk",
        scope="messages:write",
        query=NoQuery,
        body=NewBulk,
        reply=OneBulk,
        status=201,
        other_statuses={200: "A dry run: what would be sent."},
        errors=_MAKE_ERRORS,
        example={
            "from": "+15550100000",
            "text": "Hello {{first_name|there}}",
            "recipients": [{"to": "+15550100001", "values": {"first_name": "Ada"}}],
        },
        handle=_make,
    ),
    Endpoint(
        method="POST",
        path="/v1/bulk/table",
        name="make_bulk_of_table",
        summary="Send to the recipients of a CSV table.",
        description=(
            "A column `to` (or phone, number, handle, email), perhaps one `text` (or body, message) of the row's own; "
            "the other columns are values for gaps in the text. Comma, semicolon and tab are told apart. A row with a "
            "cell under no heading is wrong: a text that holds the delimiter stands in quotes."
        ),
        tag="bulk",
        scope="messages:write",
        query=TableQuery,
        body=StreamBody,
        request_content={"text/csv": {"schema": {"type": "string"}}},
        reply=OneBulk,
        status=201,
        other_statuses={200: "A dry run: what would be sent."},
        errors=(*_MAKE_ERRORS, "payload_too_large"),
        handle=_make_of_table,
    ),
    Endpoint(
        method="GET",
        path="/v1/bulk/{id}",
        name="get_bulk",
        summary="Show a bulk send and how far it is.",
        tag="bulk",
        scope="messages:read",
        query=NoQuery,
        body=NoBody,
        reply=OneBulk,
        errors=BULK_ERRORS,
        handle=_get,
    ),
    _change("cancel", "Send nothing more.", _cancel, BulkState.CANCELLED),
    _change("pause", "Begin nothing more for now.", _pause, BulkState.PAUSED),
    _change("resume", "Go on.", _resume, BulkState.RUNNING),
)
