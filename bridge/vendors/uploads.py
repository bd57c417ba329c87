"""The bytes of a file that a vendor takes from us in one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.http_api import put_off, rejected
from hub.flow.bridge_kinds import Surroundings
from hub.model.errors import AttachmentGone, StoreUnavailable
from hub.model.outbox import OperationOutcome

#: One request holds the whole file, so it is held in memory as long as that lasts.
MOST_BYTES: Final = 33_554_432


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file, whole."""

    name: str | None
    mime_type: str
    content: bytes


async def read_file(surroundings: Surroundings, file_id: str) -> Upload | OperationOutcome:
    """Read a file that is sent, or say why it cannot be."""
    try:
        file = await surroundings.files.open_file(file_id)
        content = bytearray()
        async for chunk in file.chunks:
            content += chunk
            if len(content) > MOST_BYTES:
                return rejected("too_large", f"A file to this vendor has {MOST_BYTES} bytes at the most.")
    except AttachmentGone as error:
        return rejected("file_gone", str(error))
    except StoreUnavailable:
        return not_uploaded("The hub's store of files is away.")
    mime_type = file.mime_type or "application/octet-stream"
    return Upload(name=file.filename, mime_type=mime_type, content=bytes(content))


def not_uploaded(detail: str) -> OperationOutcome:
    """Say that a file did not get there: nothing was sent yet."""
    return put_off("upload_failed", detail, wait_ms=None)
