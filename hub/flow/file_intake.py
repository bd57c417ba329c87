"""Take bytes in: count, hash and look while they pass, then give them to a file; never more than a piece in memory.

    draft → claim the blob → keep the bytes under its name → point the file to it

Why this order loses nothing and leaves nothing: hub.flow.file_store.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hub.flow.file_store import BlobStore, Content, Draft, Files, Filling
from hub.flow.ports import Clock
from hub.model.errors import InvalidRequest
from hub.model.file import Blob
from hub.model.ids import IdFactory
from hub.rules.media_types import Look, settle_type

HEAD_BYTES: Final = 4_096
#: The sum of all blobs is asked for at most this often; what this process adds is counted in between.
QUOTA_MS: Final = 10_000

#: What the first bytes and the name look like (hub.files.sniffing).
LookAt = Callable[[bytes, str | None], Look]
#: Points a file to its content.
Settle = Callable[[Content], Awaitable[Filling]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What a sender says of the bytes."""

    filename: str | None = None
    #: As declared; kept as far as the bytes do not contradict it.
    mime_type: str | None = None
    #: How many there must be, where that was agreed.
    size: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Received:
    digest: bytes
    size: int
    head: bytes


class Intake:
    """Takes bytes in."""

    def __init__(
        self,
        *,
        files: Files,
        blobs: BlobStore,
        clock: Clock,
        new_id: IdFactory,
        look_at: LookAt,
        most_bytes: int,
        quota_bytes: int,
    ) -> None:
        self._files = files
        self._blobs = blobs
        self._clock = clock
        self._new_id = new_id
        self._look_at = look_at
        self.most_bytes = most_bytes
        #: 0 sets no limit.
        self._quota_bytes = quota_bytes
        self._stored_bytes = 0
        #: What this process is taking in just now.
        self._arriving_bytes = 0
        self._asked_at = -QUOTA_MS

    async def take(self, chunks: AsyncIterator[bytes], claims: Claims, settle: Settle) -> Filling:
        """Take all bytes and give them to a file; nothing stays if this raises.

        Raises:
            InvalidRequest: empty_file, payload_too_large, storage_quota_exceeded, or another size than agreed.
        """
        await self._ask_for_stored()
        with self._counting() as count:
            filled, size = await self._take(chunks, claims, settle, count)
        if filled is Filling.DONE:
            self._stored_bytes += size
        return filled

    async def _take(
        self, chunks: AsyncIterator[bytes], claims: Claims, settle: Settle, count: Callable[[int], None]
    ) -> tuple[Filling, int]:
        async with self._blobs.draft() as draft:
            received = await self._receive(chunks, draft, count)
            self._check(received, claims)
            mime_type = settle_type(claims.mime_type, self._look_at(received.head, claims.filename))
            while True:
                wanted = Blob(id=self._new_id(), digest=received.digest, size=received.size)
                blob = await self._files.claim_blob(wanted, now=self._clock.now_ms())
                await draft.keep(blob.name)
                filled = await settle(Content(blob=blob, filename=claims.filename, mime_type=mime_type))
                if filled is not Filling.BLOB_GONE:
                    return filled, received.size

    def require_size(self, size: int | None) -> None:
        """Refuse an announced size before a byte of it is read.

        Raises:
            InvalidRequest: payload_too_large.
        """
        if size is not None and size > self.most_bytes:
            raise too_large(self.most_bytes)

    async def _receive(
        self, chunks: AsyncIterator[bytes], draft: Draft, count: Callable[[int], None]
    ) -> _Received:
        digest, size, head = hashlib.sha256(), 0, b""
        async for chunk in chunks:
            size += len(chunk)
            if size > self.most_bytes:
                raise too_large(self.most_bytes)
            count(len(chunk))
            if len(head) < HEAD_BYTES:
                head += chunk[: HEAD_BYTES - len(head)]
            digest.update(chunk)
            await draft.write(chunk)
        return _Received(digest=digest.digest(), size=size, head=head)

    def _check(self, received: _Received, claims: Claims) -> None:
        if not received.size:
            raise InvalidRequest("empty_file", "The file is empty; send its bytes as the body.")
        if claims.size is not None and claims.size != received.size:
            raise InvalidRequest(
                "invalid_parameter_value",
                f"The file was announced with {claims.size} bytes, and {received.size} came.",
                param="size",
            )

    async def _ask_for_stored(self) -> None:
        if not self._quota_bytes:
            return
        now = self._clock.now_ms()
        if now - self._asked_at >= QUOTA_MS:
            self._asked_at = now
            self._stored_bytes = (await self._files.stored()).size
        self._require_room(1)

    @contextlib.contextmanager
    def _counting(self) -> Iterator[Callable[[int], None]]:
        """Count bytes as they arrive, beside those that others bring at the same time, until they are stored."""
        total = 0

        def count(arrived: int) -> None:
            nonlocal total
            self._require_room(arrived)
            total += arrived
            self._arriving_bytes += arrived

        try:
            yield count
        finally:
            self._arriving_bytes -= total

    def _require_room(self, wanted: int) -> None:
        taken = self._stored_bytes + self._arriving_bytes
        if self._quota_bytes and taken + wanted > self._quota_bytes:
            raise InvalidRequest(
                "storage_quota_exceeded",
                f"The hub keeps {taken} bytes of files, with those that arrive now, and may keep {self._quota_bytes}. "
                "Delete files that are not needed, or let the operator raise files.quota_bytes.",
            )


def too_large(most_bytes: int) -> InvalidRequest:
    """Say that a file is too large."""
    return InvalidRequest(
        "payload_too_large", f"The file is larger than {most_bytes} bytes (files.max_bytes in hub.yaml)."
    )
