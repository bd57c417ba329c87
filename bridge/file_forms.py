"""A form with a file (RFC 7578), written while the file is read: nothing of the file is held."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from hub.flow.calling import StreamedBody
from hub.flow.closing import closing
from hub.flow.ports import OutgoingFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A form, ready to be sent once."""

    content_type: str
    body: StreamedBody


def file_form(
    file: OutgoingFile, *, field: str, filename: str, fields: Sequence[tuple[str, str]] = ()
) -> Form:
    """Write a form whose last part is a file.

    Args:
        file: Of the size that it says.
        field: The name of the file's part.
        filename: As the receiver is to see it.
        fields: What comes before, by name.
    """
    # Drawn by chance: whoever made the file cannot have put it in.
    boundary = f"hub-{secrets.token_hex(16)}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(field)}"; '
        f'filename="{_quoted(filename)}"\r\nContent-Type: {_quoted(file.mime_type)}\r\n\r\n'
    )
    head, tail = "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()
    return Form(
        content_type=f"multipart/form-data; boundary={boundary}",
        body=StreamedBody(size=len(head) + file.size + len(tail), pieces=_pieces(head, file, tail)),
    )


async def _pieces(head: bytes, file: OutgoingFile, tail: bytes) -> AsyncIterator[bytes]:
    yield head
    async with closing(file.chunks) as chunks:
        async for chunk in chunks:
            yield chunk
    yield tail


def _quoted(text: str) -> str:
    """As browsers write names in forms: nothing can end the line or the quotation."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
