"""/v1/files: upload, announce, fetch, show and delete files (contracts: messages.dev §2; msgbubbles; blooio).

Not here: the bytes at their signed addresses (hub.api.file_contents) and how uploads are read (hub.api.uploads).
"""

from __future__ import annotations

import contextlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, StreamBody, path_id
from hub.api.file_shapes import (
    FileData,
    FileDeleted,
    FileReply,
    OneFile,
    PresignedReply,
    file_data,
    file_reply,
)
from hub.api.uploads import body_chunks, form_files, is_form, told
from hub.flow.downloads import DownloadFailed
from hub.flow.file_intake import Claims
from hub.flow.files import read_file_id
from hub.model.errors import InvalidRequest
from hub.model.file import File, FileState
from hub.model.ids import Prefix, id_text
from hub.rules.file_names import clean_name, read_name_header

_UPLOAD_ERRORS: Final = (
    "empty_file",
    "payload_too_large",
    "storage_quota_exceeded",
    "unsupported_media_type",
    "upload_timeout",
)
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_FORM: Final = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array", "minItems": 1, "maxItems": 10, "items": {"type": "string", "format": "binary"}
            }
        },
    }
}  # fmt: skip

MediaType = Annotated[str, Meta(min_length=1, max_length=255, description="For instance `image/png`.")]
FileName = Annotated[str, Meta(min_length=1, max_length=1024)]


class FileQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which file."""

    id: Annotated[str, Meta(max_length=128)]


class PresignBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file to be uploaded later, by somebody without a key."""

    filename: FileName
    content_type: MediaType
    #: In bytes; if given, exactly so many must come.
    size: Annotated[int, Meta(ge=0, le=2**53)] | None = None


class FetchBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file to be fetched from an address."""

    url: Annotated[str, Meta(min_length=1, max_length=4096)]
    filename: FileName | None = None


async def _upload(call: Call[NoQuery, StreamBody]) -> Reply:
    with told(call):
        return await _uploaded(call)


async def _uploaded(call: Call[NoQuery, StreamBody]) -> Reply:
    desk = call.uses.files
    if is_form(call.headers):
        data = [file_data(file, desk.links) for file in await _upload_form(call)]
        return Reply(content=Listed(data=data, request_id=call.request_id), status=201)
    name, kind = call.headers.get(b"x-filename"), call.headers.get(b"content-type")
    claims = Claims(
        filename=None if name is None else read_name_header(name),
        mime_type=None if kind is None else kind.decode("latin-1"),
    )
    file = await desk.upload(call.key, body_chunks(call, most_bytes=desk.most_bytes), claims)
    return Reply(content=file_reply(file, desk.links, call.request_id), status=201)


async def _upload_form(call: Call[NoQuery, StreamBody]) -> list[File]:
    """Store all files of a form, or none."""
    desk, stored = call.uses.files, list[File]()
    try:
        async for part in form_files(call, most_bytes=desk.most_bytes):
            claims = Claims(filename=clean_name(part.filename), mime_type=part.mime_type)
            stored.append(await desk.upload(call.key, part.chunks, claims))
    except BaseException:
        for file in stored:
            with contextlib.suppress(InvalidRequest):
                await desk.delete(call.key, file.id)
        raise
    return stored


async def _presign(call: Call[NoQuery, PresignBody]) -> Reply:
    body, desk = call.body, call.uses.files
    claims = Claims(filename=body.filename, mime_type=body.content_type, size=body.size)
    file = await desk.announce(call.key, claims)
    expires_at = file.expires_at or 0
    content = PresignedReply(
        id=id_text(Prefix.FILE, file.id),
        upload_url=desk.links.upload_url(file.id, expires_at=expires_at),
        method="PUT",
        headers={"content-type": file.mime_type},
        expires_at=expires_at,
        request_id=call.request_id,
    )
    return Reply(content=content, status=201)


async def _fetch(call: Call[NoQuery, FetchBody]) -> Reply:
    with told(call):
        return await _fetched(call)


async def _fetched(call: Call[NoQuery, FetchBody]) -> Reply:
    desk, body = call.uses.files, call.body
    try:
        async with call.uses.parts.downloads.open(
            body.url, most_bytes=desk.most_bytes, timeout_seconds=call.uses.settings.fetch_seconds
        ) as download:
            claims = Claims(
                filename=clean_name(body.filename) or clean_name(download.filename),
                mime_type=download.mime_type,
            )
            file = await desk.upload(call.key, download.pieces, claims)
    except DownloadFailed as error:
        code = "url_refused" if error.is_refused else "fetch_failed"
        raise InvalidRequest(code, f"The address gave no file: {error}.", param="url") from None
    return Reply(content=file_reply(file, desk.links, call.request_id), status=201)


async def _locate(call: Call[FileQuery, NoBody]) -> Reply:
    desk = call.uses.files
    file = await desk.find(call.key, read_file_id(call.query.id, param="id"), param="id")
    if file.state is FileState.PENDING:
        await desk.hasten(file)
    else:
        desk.require_ready(file, param="id")
    location = desk.links.read_url(file.id).encode("ascii")
    return Reply(content=b"", content_type=b"", status=302, headers=((b"location", location),))


async def _show(call: Call[NoQuery, NoBody]) -> Reply:
    desk = call.uses.files
    file = await desk.find(call.key, path_id(call, Prefix.FILE, "file"))
    message_id = await call.uses.store.files.message_of(file.id)
    shown = msgspec.structs.asdict(file_reply(file, desk.links, call.request_id))
    return Reply(
        content=OneFile(
            **shown, message_id=None if message_id is None else id_text(Prefix.MESSAGE, message_id)
        )
    )


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    file_id = path_id(call, Prefix.FILE, "file")
    await call.uses.files.delete(call.key, file_id)
    content = FileDeleted(id=id_text(Prefix.FILE, file_id), deleted=True, request_id=call.request_id)
    return Reply(content=content)


_UPLOAD_DESCRIPTION: Final = (
    "Raw: the bytes as the body, their type as `Content-Type`, their name as `X-Filename` (Latin-1, UTF-8, "
    "percent-encoded UTF-8 or as RFC 5987 has it). As `multipart/form-data`: 1 to 10 parts named `file`, all or none "
    "stored; the answer is then a list, in the order of the parts.\n\n"
    "The type is kept as far as the first bytes do not contradict it. A file that nothing uses goes after "
    "`files.unused_days`. A JSON document is a file like any other: to have an address fetched, use "
    "POST /v1/files/fetch."
)

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/files",
        name="upload_file",
        summary="Upload a file, or several.",
        description=_UPLOAD_DESCRIPTION,
        tag="files",
        scope="files:write",
        query=NoQuery,
        body=StreamBody,
        request_content={"application/octet-stream": _BINARY, "multipart/form-data": _FORM},
        reply=FileReply | Listed[FileData],
        status=201,
        errors=(*_UPLOAD_ERRORS, "invalid_multipart", "missing_required_parameter"),
        headers=("X-Filename",),
        handle=_upload,
    ),
    Endpoint(
        method="GET",
        path="/v1/files",
        name="locate_file",
        summary="Find where a file's bytes can be read.",
        description=(
            "Answers 302 with an absolute `Location` that works without a key for `files.link_hours`. An attachment "
            "that is still being fetched from its bridge is waited for there."
        ),
        tag="files",
        scope="files:read",
        query=FileQuery,
        body=NoBody,
        reply=None,
        status=302,
        errors=("file_not_found", "file_not_ready", "file_unavailable", "line_not_accessible"),
        handle=_locate,
    ),
    Endpoint(
        method="POST",
        path="/v1/files/fetch",
        name="fetch_file",
        summary="Have a file fetched from an address.",
        description=(
            "Answers when the file is stored. The address is vetted like a webhook's, and so is each redirect, five "
            "at the most."
        ),
        tag="files",
        scope="files:write",
        query=NoQuery,
        body=FetchBody,
        reply=FileReply,
        status=201,
        errors=("empty_file", "fetch_failed", "storage_quota_exceeded", "url_refused"),
        example={"url": "https://files.example.com/cat.png", "filename": "cat.png"},
        handle=_fetch,
    ),
    Endpoint(
        method="POST",
        path="/v1/files/presign",
        name="presign_file",
        summary="Announce a file, and get an address to upload its bytes to.",
        description=(
            "PUT the bytes to `upload_url` with `headers`, no key needed, before `expires_at` "
            "(`files.presign_minutes`). The file can be sent once they are there; if they do not come, it goes."
        ),
        tag="files",
        scope="files:write",
        query=NoQuery,
        body=PresignBody,
        reply=PresignedReply,
        status=201,
        errors=("empty_file",),
        example={"filename": "cat.png", "content_type": "image/png"},
        handle=_presign,
    ),
    Endpoint(
        method="GET",
        path="/v1/files/{id}",
        name="get_file",
        summary="Show a file, with a fresh address to read it at.",
        tag="files",
        scope="files:read",
        query=NoQuery,
        body=NoBody,
        reply=OneFile,
        errors=("file_not_found", "line_not_accessible"),
        handle=_show,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/files/{id}",
        name="delete_file",
        summary="Delete a file that nothing uses.",
        tag="files",
        scope="files:write",
        query=NoQuery,
        body=NoBody,
        reply=FileDeleted,
        errors=("file_in_use", "file_not_found", "line_not_accessible"),
        handle=_delete,
    ),
)
