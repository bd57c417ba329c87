"""A file: a name for bytes that were uploaded, announced, or came with a message; and the blob that holds the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hub.model.ids import id_text


class FileState(IntEnum):
    """Where a file's bytes are."""

    #: Announced: somebody has an address to upload them to.
    AWAITED = 0
    STORED = 1
    #: A bridge has them; they are being fetched.
    PENDING = 2
    #: They could not be fetched; `error` says why.
    FAILED = 3


#: The states of the wire.
WIRE_STATE: dict[FileState, str] = {
    FileState.AWAITED: "awaited",
    FileState.STORED: "stored",
    FileState.PENDING: "pending",
    FileState.FAILED: "failed",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """Bytes under their digest."""

    id: int
    #: SHA-256.
    digest: bytes
    size: int

    @property
    def name(self) -> str:
        """Where the blob store keeps it: never used again for other bytes, nor for the same ones later."""
        return f"{self.digest.hex()}-{id_text('blob', self.id)[5:]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSource:
    """Where the bytes of an inbound attachment are fetched."""

    bridge_id: int
    #: Our handle.
    line: str
    #: The bridge's own name for them.
    ref: str | None
    url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """One file."""

    id: int
    state: FileState
    blob: Blob | None
    #: The line whose message brought it.
    line_id: int | None
    #: Who uploaded it.
    api_key_id: int | None
    filename: str | None
    mime_type: str
    size: int | None
    created_at: int
    touched_at: int
    #: Until when an announced upload may come.
    expires_at: int | None = None
    source: FileSource | None = None
    attempt_count: int = 0
    next_attempt_at: int | None = None
    error: str | None = None
