"""/v1/attachments: stage files, at once or by an address to upload to, and show them (contracts: msgbubbles §2)."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply, StreamBody
from hub.api.file_shapes import FileData, OneFile, PresignedReply
from hub.api.uploads import is_form
from hub.dialects.msgbubbles.errors import Refused
from hub.dialects.msgbubbles.identifiers import native_named, uuid_of
from hub.dialects.msgbubbles.rendering import staged
from hub.dialects.msgbubbles.shapes import Attachment, One, Strict, Upload
from hub.dialects.native import ask, ask_raw, endpoint
from hub.model.ids import Prefix

_FORM: Final = {"multipart/form-data": endpoint("upload_file").request_content["multipart/form-data"]}


class NewUpload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file whose bytes come later."""

    filename: Annotated[str, Meta(min_length=1, max_length=1024)]
    content_type: Annotated[str, Meta(min_length=1, max_length=255)]


async def _upload(call: Call[Strict, StreamBody]) -> Reply:
    if not is_form(call.headers):
        raise Refused("invalid_request", "Send the files as multipart/form-data, 1 to 10 parts named 'file'.")
    content: Any = (await ask_raw(call, "upload_file")).content
    assert isinstance(content, Listed), "a form is answered with a list"
    files: list[FileData] = content.data
    data = [staged(each) for each in files]
    return Reply(content=One(data=data, request_id=call.request_id), status=201)


async def _presign(call: Call[Strict, NewUpload]) -> Reply:
    wanted = {"filename": call.body.filename, "content_type": call.body.content_type}
    made = (await ask(call, "presign_file", PresignedReply, body=wanted)).content
    data = Upload(id=uuid_of(made.id), upload_url=made.upload_url, method=made.method, headers=made.headers)
    return Reply(content=One(data=data, request_id=call.request_id), status=201)


async def _get(call: Call[Strict, NoBody]) -> Reply:
    file_id = native_named(Prefix.FILE, call.path["id"], param="id")
    found = (await ask(call, "get_file", OneFile, path={"id": file_id})).content
    data = staged(found, message_id=found.message_id)
    return Reply(content=One(data=data, request_id=call.request_id))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/attachments",
        name="msgbubbles_upload_attachments",
        summary="Stage 1 to 10 files.",
        tag="msgbubbles",
        scope="files:write",
        query=Strict,
        body=StreamBody,
        request_content=_FORM,
        reply=One[list[Attachment]],
        status=201,
        replayed_status=200,
        handle=_upload,
    ),
    Endpoint(
        method="POST",
        path="/v1/attachments/presign",
        name="msgbubbles_presign_attachment",
        summary="Announce a file, and get an address to upload it to.",
        tag="msgbubbles",
        scope="files:write",
        query=Strict,
        body=NewUpload,
        example={"filename": "photo.png", "content_type": "image/png"},
        reply=One[Upload],
        status=201,
        replayed_status=200,
        handle=_presign,
    ),
    Endpoint(
        method="GET",
        path="/v1/attachments/{id}",
        name="msgbubbles_get_attachment",
        summary="Show a file, with a fresh address.",
        tag="msgbubbles",
        scope="files:read",
        query=Strict,
        body=NoBody,
        reply=One[Attachment],
        handle=_get,
    ),
)
