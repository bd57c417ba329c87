"""What files need of the world: the store of their rows, and the store of their bytes.

The order that makes it safe, whoever dies where: a blob is claimed (a row) before its bytes are put, and a file
points to it in a transaction that finds the blob alive. A blob is doomed in a transaction that finds no file
pointing to it, then its bytes go, then its row. A doomed blob never lives again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from hub.model.file import Blob, File


class Filling(Enum):
    """What became of putting bytes under a file that was waiting for them."""

    DONE = "done"
    #: The file is gone, or somebody else filled it.
    TAKEN = "taken"
    #: The blob was doomed meanwhile; claim it again.
    BLOB_GONE = "blob_gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What is known of a file's bytes once they are all there."""

    blob: Blob
    filename: str | None
    mime_type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """How much is stored, the same bytes counted once."""

    #: Blobs.
    count: int
    #: Bytes.
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FileUse:
    """Somebody who needs a file: `message`, `chat_icon`, `contact_card` or `background`, and its id."""

    file_id: int
    kind: str
    user_id: int
    line_id: int | None


class Files(Protocol):
    """The rows of files, blobs and uses."""

    async def add(self, file: File) -> None:
        """Insert a file without bytes: announced, or to be fetched."""
        ...

    async def claim_blob(self, blob: Blob, *, now: int) -> Blob:
        """Give the live blob of this digest, touched; the one given, inserted, if there is none."""
        ...

    async def add_stored(self, file: File, *, now: int) -> bool:
        """Insert a file that points to its blob; False if the blob was doomed meanwhile."""
        ...

    async def fill(self, file_id: int, content: Content, *, now: int) -> Filling:
        """Point an announced or pending file to its bytes."""
        ...

    async def get(self, file_id: int) -> File | None: ...
    async def many(self, file_ids: Iterable[int]) -> dict[int, File]: ...
    async def lines_of(self, file_id: int) -> frozenset[int]:
        """The lines of those who use it."""
        ...

    async def message_of(self, file_id: int) -> int | None:
        """The first message that uses it."""
        ...

    async def use(self, uses: Sequence[FileUse]) -> frozenset[int]:
        """Note uses of stored files; give the ids of files that are not there."""
        ...

    async def release(self, kind: str, user_id: int, *, now: int) -> int:
        """Drop all uses of one user; give how many."""
        ...

    async def delete_unused(self, file_id: int) -> bool:
        """False if somebody uses it; True if it is gone now, or was."""
        ...

    async def stored(self) -> Stored:
        """What the live blobs hold."""
        ...

    async def due(self, *, now: int, limit: int) -> list[File]:
        """Pending files whose next attempt is due, the longest waiting first."""
        ...

    async def lease(self, file_id: int, *, attempt_count: int, next_attempt_at: int) -> bool:
        """Begin an attempt, unless another worker did: a crash makes it due again at `next_attempt_at`."""
        ...

    async def postpone(self, file_id: int, *, next_attempt_at: int | None, error: str, now: int) -> None:
        """Note why an attempt failed; without a next one the file has failed for good."""
        ...

    async def hasten(self, file_id: int, *, now: int) -> None:
        """Make a pending file due now, unless its attempt is under way."""
        ...

    async def expire_page(self, *, unused_before: int, now: int, limit: int) -> int:
        """Delete files that nobody uses: untouched since, or announced and not uploaded in time."""
        ...

    async def release_orphans(self, *, limit: int, now: int) -> int:
        """Drop uses whose message is gone; give how many."""
        ...

    async def doom_page(self, *, untouched_since: int, limit: int) -> list[Blob]:
        """Doom blobs without a file; give all that are doomed, those of an earlier run included."""
        ...

    async def forget_blob(self, blob_id: int) -> None:
        """Delete the row of a doomed blob, after its bytes."""
        ...

    async def known_blobs(self, blob_ids: Iterable[int]) -> frozenset[int]: ...


class Draft(Protocol):
    """Bytes on their way in; gone when its block ends, unless kept."""

    async def write(self, chunk: bytes) -> None: ...
    async def keep(self, name: str) -> None:
        """Put the bytes at a name, whole and durable when this returns; the same bytes may be there already."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class BlobEntry:
    """One blob as the blob store lists it."""

    name: str
    size: int
    #: Unix ms.
    modified_at: int


class BlobStore(Protocol):
    """Where bytes are kept under names. One suite holds every kind to it."""

    def draft(self) -> AbstractAsyncContextManager[Draft]: ...
    def read(self, name: str, *, first: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        """Give the bytes from `first` on, `size` of them or all, in pieces.

        Raises:
            BlobMissing: There is no such blob; raised before the first piece.
        """
        ...

    async def delete(self, name: str) -> None:
        """Remove a blob; no matter if there is none."""
        ...

    def list(self) -> AsyncIterator[Sequence[BlobEntry]]:
        """All blobs, a page at a time."""
        ...

    async def sweep(self, *, before: int) -> int:
        """Remove drafts that a crash left, untouched since; give how many."""
        ...

    async def check(self) -> str | None:
        """Put a few bytes, read them back, list and delete: what of it fails, why, and what to do; or None."""
        ...
