"""Read the bytes of uploads off the wire: raw, or as the `file` parts of a form; each within its time.

Never more than a piece in memory. Not here: what becomes of the bytes (hub.flow.files).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from multipart import (  # type: ignore[import-untyped]  # it has types, but does not say so
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from hub.api.calls import Call
from hub.api.reading import Disconnected, missing
from hub.flow.file_intake import too_large
from hub.model.errors import InvalidRequest

MOST_FILES: Final = 10
#: The name of a form's parts that are files.
FIELD: Final = "file"
#: Parts, headers and delimiters of a form may take so much beside the bytes of its files.
_FRAMING_BYTES: Final = 65_536
_BOUNDARY: Final = re.compile(r'(?i);\s*boundary\s*=\s*(?:"([^"\r\n]{1,70})"|([^";\s]{1,70}))')


@dataclass(frozen=True, kw_only=True, slots=True)
class FormFile:
    """One file of a form; its bytes must be read before the next one is asked for."""

    filename: str | None
    mime_type: str | None
    chunks: AsyncIterator[bytes]


@contextlib.contextmanager
def told(call: Call[Any, Any]) -> Iterator[None]:
    """Tell what becomes of a request to keep a file.

    `stored`, the code of the refusal, `disconnected` when the caller went away, `failed` when the fault is ours.
    """
    outcome = "failed"
    try:
        yield
        outcome = "stored"
    except InvalidRequest as error:
        outcome = error.code
        raise
    except Disconnected:
        outcome = "disconnected"
        raise
    finally:
        call.uses.parts.on_upload(outcome)


def is_form(headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether the body is a form with files."""
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower() == b"multipart/form-data"


async def body_chunks(call: Call[Any, Any], *, most_bytes: int) -> AsyncIterator[bytes]:
    """Give the body as it arrives, within `files.upload_seconds`, and never waiting longer than `files.idle_seconds`.

    Raises:
        InvalidRequest: payload_too_large, upload_timeout or unsupported_media_type.
        Disconnected: The caller went away, or sent less than it announced.
    """
    _check_head(call.headers, most_bytes)
    settings = call.uses.settings
    loop = asyncio.get_running_loop()
    ends_at, count = loop.time() + settings.upload_seconds, 0
    while True:
        deadline = min(ends_at, loop.time() + settings.idle_seconds)
        try:
            async with asyncio.timeout_at(deadline):
                message = await call.receive()
        except TimeoutError:
            raise _too_slow(call) from None
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        count += len(chunk)
        if count > most_bytes:
            raise too_large(most_bytes)
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return


def _check_head(headers: Mapping[bytes, bytes], most_bytes: int) -> None:
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        message = "Send the bytes as they are, without a Content-Encoding."
        raise InvalidRequest("unsupported_media_type", message, param="Content-Encoding")
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and (len(announced) > 18 or int(announced) > most_bytes):
        raise too_large(most_bytes)


def _too_slow(call: Call[Any, Any]) -> InvalidRequest:
    settings = call.uses.settings
    return InvalidRequest(
        "upload_timeout",
        f"The upload stood still for {settings.idle_seconds:g} s, or took longer than {settings.upload_seconds:g} s; "
        "send it again.",
    )


async def form_files(call: Call[Any, Any], *, most_bytes: int, field: str = FIELD) -> AsyncIterator[FormFile]:
    """Give the files of a form, one after the other.

    Args:
        most_bytes: The largest file; the form may hold `MOST_FILES` of them.
        field: The name of the parts.

    Raises:
        InvalidRequest: invalid_multipart, missing_required_parameter, or as `body_chunks`.
    """
    body = body_chunks(call, most_bytes=most_bytes * MOST_FILES + _FRAMING_BYTES)
    count = 0
    events = _events(body, _boundary(call.headers))
    async for segment in events:
        if not isinstance(segment, MultipartSegment):
            raise _broken("it does not begin with a part")
        count += 1
        _check_part(segment, count, field)
        yield FormFile(
            filename=segment.filename,
            mime_type=segment.header("Content-Type"),
            chunks=_content(events),
        )
    if not count:
        raise missing(field, kind="part")


def _check_part(segment: MultipartSegment, count: int, field: str) -> None:
    if segment.name != field:
        message = f"The form has a part '{segment.name[:100]}'; only '{field}' is known here."
        raise InvalidRequest("invalid_parameter_value", message, param=segment.name[:100] or None)
    if count > MOST_FILES:
        message = f"The form has more than {MOST_FILES} files; send them in several requests."
        raise InvalidRequest("invalid_parameter_value", message, param=field)


async def _events(
    body: AsyncIterator[bytes], boundary: str
) -> AsyncIterator[MultipartSegment | bytes | None]:
    """Give what the parser finds: the head of a part, pieces of its content, None at its end."""
    try:
        with PushMultipartParser(boundary, max_header_size=8192) as parser:
            async for chunk in body:
                for event in parser.parse(chunk):
                    yield bytes(event) if isinstance(event, bytearray) else event
    except MultipartError as error:
        raise _broken(str(error)) from None


async def _content(events: AsyncIterator[MultipartSegment | bytes | None]) -> AsyncIterator[bytes]:
    async for event in events:
        if not isinstance(event, bytes):
            return
        yield event


def find_boundary(headers: Mapping[bytes, bytes]) -> str | None:
    """Read what separates the parts of a form; None where the headers do not say."""
    found = _BOUNDARY.search(headers.get(b"content-type", b"").decode("latin-1"))
    return None if found is None else found[1] or found[2]


def _boundary(headers: Mapping[bytes, bytes]) -> str:
    found = find_boundary(headers)
    if found is None:
        raise _broken("its Content-Type names no boundary")
    return found


def _broken(why: str) -> InvalidRequest:
    message = f"The body is not well-formed multipart/form-data: {why.rstrip('.')}."
    return InvalidRequest("invalid_multipart", message, param="Content-Type")
