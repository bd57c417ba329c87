"""Files of the hub on their way to a network: opened, and what it means for a send when they cannot be read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bridge.http_api import put_off, rejected
from hub.flow.ports import OutgoingFile, OutgoingFiles
from hub.model.errors import AttachmentGone, BlobMissing, StoreUnavailable
from hub.model.outbox import OperationOutcome


class NotSent(Exception):
    """It ended before anything was sent."""

    def __init__(self, outcome: OperationOutcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


async def open_outgoing(files: OutgoingFiles, file_id: str | None, *, most_bytes: int) -> OutgoingFile:
    """Open a file that is to be sent; its bytes are still to be read, within `reading`.

    Raises:
        NotSent: It is gone, empty or too large, or the hub's files are away.
    """
    with reading():
        file = await files.open_file(file_id or "")
    if file.size > most_bytes:
        told = f"the bridge sends files of up to {most_bytes} bytes, and this one has {file.size}"
        raise NotSent(rejected("file_too_large", told))
    if not file.size:
        raise NotSent(rejected("file_unavailable", "the file is empty"))
    return file


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Say what it means when a file cannot be read within the block.

    Raises:
        NotSent: It is gone, or the hub's files are away.
    """
    try:
        yield
    except (AttachmentGone, BlobMissing) as error:
        raise NotSent(rejected("file_unavailable", str(error))) from None
    except StoreUnavailable as error:
        raise NotSent(put_off("files_away", str(error), wait_ms=None)) from None
