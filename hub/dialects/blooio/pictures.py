"""Take a picture out of a form and give it to the native surface as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import msgspec

from hub.api.calls import Call
from hub.api.file_shapes import FileReply
from hub.api.parts import Receive
from hub.api.reading import missing
from hub.api.uploads import FormFile, form_files, is_form
from hub.dialects.blooio.errors import Refusal, naming
from hub.dialects.native import ask_raw

MOST_BYTES: Final = 10 * 1024 * 1024


async def upload_picture(call: Call[Any, Any], field: str) -> str:
    """Store the picture that a form holds; give its native id.

    Args:
        call: A request whose body was not read yet.
        field: The name of the form's part.

    Raises:
        InvalidRequest: It is no form, has not exactly this part, or the picture is empty or too large.
    """
    if not is_form(call.headers):
        raise Refusal(400, f"Send the picture as multipart/form-data, as '{field}'.", field=field)
    found: str | None = None
    with naming(file=field):
        async for part in form_files(call, most_bytes=MOST_BYTES, field=field):
            if found is not None:
                raise Refusal(400, f"Send one '{field}'.", field=field)
            found = await _stored(call, part)
    if found is None:
        raise missing(field)
    return found


async def store_picture(call: Call[Any, Any], content: bytes) -> str:
    """Store a picture that came in JSON; give its native id.

    Raises:
        InvalidRequest: It is empty or too large.
    """
    headers = {b"content-type": b"application/octet-stream", b"content-length": b"%d" % len(content)}
    return await _put(call, _receiving(_whole(content)), headers)


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _stored(call: Call[Any, Any], part: FormFile) -> str:
    headers = {
        b"content-type": (part.mime_type or "application/octet-stream").encode("latin-1", "replace"),
        b"content-length": b"",
    }
    if part.filename is not None:
        headers[b"x-filename"] = part.filename.encode("utf-8", "replace")
    return await _put(call, _receiving(part.chunks), headers)


async def _put(call: Call[Any, Any], receive: Receive, headers: dict[bytes, bytes]) -> str:
    reply = await ask_raw(replace(call, receive=receive), "upload_file", headers=headers)
    content = reply.content
    assert isinstance(content, FileReply | bytes)
    return content.id if isinstance(content, FileReply) else msgspec.json.decode(content, type=FileReply).id


def _receiving(chunks: AsyncIterator[bytes]) -> Receive:
    """Give a part's bytes as a server would give those of a body."""

    async def receive() -> dict[str, Any]:
        async for chunk in chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive
