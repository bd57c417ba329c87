"""/v1/files/{id}/content: a file's bytes at their signed address, to read and to upload; no API key.

What is read can run nothing: the browser is told to trust the type, to sandbox the page, and to save what it need not
show. Not here: who gets such an address (hub.api.files, events).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import structlog

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, Reply, StreamBody, path_id
from hub.api.error_replies import error_reply
from hub.api.file_shapes import FileReply, file_reply
from hub.api.uploads import body_chunks, told
from hub.model.errors import BlobMissing, InvalidRequest
from hub.model.file import Blob, File, FileState
from hub.model.ids import Prefix
from hub.rules.byte_ranges import Span, Unsatisfiable, read_range
from hub.rules.file_names import content_disposition
from hub.rules.links import LinkAction, Verdict
from hub.rules.media_types import may_be_shown

Headers = tuple[tuple[bytes, bytes], ...]

log = structlog.get_logger("files")

#: How long a reader waits for an attachment that is being fetched, and how often it is looked for.
MOST_WAIT_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 0.25
_SAFE: Final = (
    (b"accept-ranges", b"bytes"),
    # The bytes under one address never change.
    (b"cache-control", b"private, max-age=86400, immutable"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_REFUSALS: Final = {
    Verdict.EXPIRED: "The address has expired; ask for a fresh one with GET /v1/files/{id}.",
    Verdict.FORGED: "The address was changed, or is none of this hub's.",
}


class LinkQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the address valid."""

    expires: int
    signature: str


async def _read(call: Call[LinkQuery, NoBody]) -> Reply:
    file_id = _vetted(call, LinkAction.READ)
    desk = call.uses.files
    file = await _ready(call, await desk.get(file_id))
    blob = desk.require_ready(file)
    etag = f'"{blob.digest.hex()}"'
    headers: Headers = (*_SAFE, (b"etag", etag.encode()), (b"content-disposition", _disposition(file)))
    if _matches(call.headers.get(b"if-none-match"), etag):
        return Reply(content=b"", content_type=b"", status=304, headers=headers)
    try:
        span = _span(call, blob, etag)
    except Unsatisfiable:
        return _unsatisfiable(call, blob)
    try:
        pieces = await desk.read(file, span)
    except BlobMissing:
        log.error("file.bytes_missing", file_id=file.id, blob=blob.name)
        raise InvalidRequest("file_unavailable", "The bytes of this file are lost.") from None
    kind = file.mime_type + ("; charset=utf-8" if file.mime_type.startswith("text/") else "")
    size = blob.size if span is None else span.size
    if span is not None:
        place = f"bytes {span.first}-{span.first + span.size - 1}/{blob.size}".encode()
        headers += ((b"content-range", place),)
    status = 200 if span is None else 206
    return Reply(
        content=pieces, length=size, content_type=kind.encode("ascii"), status=status, headers=headers
    )


async def _write(call: Call[LinkQuery, StreamBody]) -> Reply:
    desk = call.uses.files
    with told(call):
        file_id = _vetted(call, LinkAction.UPLOAD)
        file = await desk.fill(file_id, body_chunks(call, most_bytes=desk.most_bytes))
    return Reply(content=file_reply(file, desk.links, call.request_id), status=201)


def _vetted(call: Call[LinkQuery, Any], action: LinkAction) -> int:
    """Give the file whose address this is.

    Raises:
        InvalidRequest: file_not_found for what is no id, link_refused for a wrong or expired signature.
    """
    file_id, query = path_id(call, Prefix.FILE, "file"), call.query
    verdict = call.uses.files.links.judge(
        action, file_id, expires_at=query.expires, signature=query.signature
    )
    if verdict is not Verdict.GOOD:
        raise InvalidRequest("link_refused", _REFUSALS[verdict], param="signature")
    return file_id


async def _ready(call: Call[LinkQuery, NoBody], file: File) -> File:
    """Wait a little for an attachment that is being fetched: its address is out before its bytes are in."""
    if file.state is not FileState.PENDING:
        return file
    desk, parts = call.uses.files, call.uses.parts
    await desk.hasten(file)
    ends_at = parts.monotonic() + MOST_WAIT_SECONDS
    while file.state is FileState.PENDING and parts.monotonic() < ends_at:
        await parts.sleep(LOOK_SECONDS)
        file = await desk.get(file.id)
    return file


def _span(call: Call[LinkQuery, NoBody], blob: Blob, etag: str) -> Span | None:
    wanted = call.headers.get(b"range")
    condition = call.headers.get(b"if-range")
    if wanted is None or (condition is not None and condition.decode("latin-1") != etag):
        return None
    return read_range(wanted.decode("latin-1"), size=blob.size)


def _unsatisfiable(call: Call[LinkQuery, NoBody], blob: Blob) -> Reply:
    error = InvalidRequest(
        "range_not_satisfiable", f"The file has {blob.size} bytes; the range lies behind them.", param="Range"
    )
    place = (b"content-range", b"bytes */%d" % blob.size)
    return Reply(content=error_reply(error, call.request_id), status=416, headers=(place,))


def _matches(header: bytes | None, etag: str) -> bool:
    tags = [] if header is None else [each.strip() for each in header.decode("latin-1").split(",")]
    return any(tag.removeprefix("W/") in (etag, "*") for tag in tags)


def _disposition(file: File) -> bytes:
    kind = "inline" if may_be_shown(file.mime_type) else "attachment"
    return content_disposition(kind, file.filename).encode("ascii")


_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/files/{id}/content",
        name="read_file",
        summary="Read a file's bytes at the address that the hub gave.",
        description=(
            "One `Range`, `If-Range`, `If-None-Match` and HEAD work. An attachment that is still being fetched from "
            "its bridge is waited for, up to 20 seconds."
        ),
        tag="files",
        scope=None,
        query=LinkQuery,
        body=NoBody,
        reply=bytes,
        reply_content={"*/*": _BYTES},
        other_statuses={206: "the part that `Range` asked for", 304: "not changed since `If-None-Match`"},
        errors=(
            "file_not_found",
            "file_not_ready",
            "file_unavailable",
            "link_refused",
            "range_not_satisfiable",
        ),
        headers=("Range", "If-Range", "If-None-Match"),
        handle=_read,
    ),
    Endpoint(
        method="PUT",
        path="/v1/files/{id}/content",
        name="write_file",
        summary="Upload the bytes of an announced file to the address that the hub gave.",
        tag="files",
        scope=None,
        query=LinkQuery,
        body=StreamBody,
        request_content={"*/*": _BYTES},
        reply=FileReply,
        status=201,
        errors=(
            "empty_file",
            "file_already_uploaded",
            "file_not_found",
            "link_refused",
            "payload_too_large",
            "storage_quota_exceeded",
            "upload_timeout",
        ),
        handle=_write,
    ),
)
