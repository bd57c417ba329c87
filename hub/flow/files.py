"""Files as clients ask for them: upload, announce, find, read, delete, and name in a send.

Who may see a file: every key that is not restricted to lines; else the key that uploaded it, and keys that may use
the line it came from or one that uses it.
Not here: how bytes are taken in (hub.flow.file_intake), and attachments that bridges hold (hub.flow.attachments).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from hub.flow.file_intake import Claims, Intake
from hub.flow.file_links import FileLinks
from hub.flow.file_store import BlobStore, Content, Filling
from hub.flow.ports import Clock, WakeUps
from hub.flow.repositories import Store
from hub.model.errors import InvalidRequest
from hub.model.file import Blob, File, FileState
from hub.model.ids import IdFactory, InvalidId, Prefix, id_text, parse_id
from hub.model.key import ApiKey
from hub.rules.byte_ranges import Span
from hub.rules.file_names import clean_name
from hub.rules.media_types import UNKNOWN, usual_type

_NOT_READY: Final = {
    FileState.AWAITED: "The file was announced and its bytes have not been uploaded yet.",
    FileState.PENDING: "The file is still being fetched from its bridge; ask again in a moment.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FileParts:
    """What files are made of, beside the store."""

    intake: Intake
    blobs: BlobStore
    links: FileLinks
    #: How long an announced upload may take to come.
    presign_ms: int
    #: How long a file stays that nobody uses.
    unused_ms: int


class FileDesk:
    """All files."""

    def __init__(
        self, *, store: Store, parts: FileParts, clock: Clock, new_id: IdFactory, wake_ups: WakeUps
    ) -> None:
        self._store = store
        self._parts = parts
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups
        self.links = parts.links

    @property
    def most_bytes(self) -> int:
        """The largest file."""
        return self._parts.intake.most_bytes

    async def upload(self, key: ApiKey | None, chunks: AsyncIterator[bytes], claims: Claims) -> File:
        """Store a file; it is durable when this returns.

        Args:
            key: Who brings it; None: the hub itself.
            chunks: Its bytes.
            claims: What is said of them.

        Raises:
            InvalidRequest: As `Intake.take`.
        """
        now = self._clock.now_ms()
        file = File(
            id=self._new_id(),
            state=FileState.STORED,
            blob=None,
            line_id=None,
            api_key_id=None if key is None else key.id,
            filename=clean_name(claims.filename),
            mime_type=UNKNOWN,
            size=None,
            created_at=now,
            touched_at=now,
        )

        async def settle(content: Content) -> Filling:
            nonlocal file
            blob, now = content.blob, self._clock.now_ms()
            file = replace(file, blob=blob, size=blob.size, mime_type=content.mime_type, touched_at=now)
            is_added = await self._store.files.add_stored(file, now=now)
            return Filling.DONE if is_added else Filling.BLOB_GONE

        await self._parts.intake.take(chunks, replace(claims, filename=file.filename), settle)
        return file

    async def announce(self, key: ApiKey, claims: Claims) -> File:
        """Promise a file whose bytes will be put to an address that needs no key.

        Raises:
            InvalidRequest: payload_too_large or empty_file, by the size that is announced.
        """
        if claims.size == 0:
            raise InvalidRequest("empty_file", "An empty file cannot be uploaded.", param="size")
        self._parts.intake.require_size(claims.size)
        now = self._clock.now_ms()
        file = File(
            id=self._new_id(),
            state=FileState.AWAITED,
            blob=None,
            line_id=None,
            api_key_id=key.id,
            filename=clean_name(claims.filename),
            mime_type=usual_type(claims.mime_type) or UNKNOWN,
            size=claims.size,
            created_at=now,
            touched_at=now,
            expires_at=now + self._parts.presign_ms,
        )
        await self._store.files.add(file)
        return file

    async def fill(self, file_id: int, chunks: AsyncIterator[bytes]) -> File:
        """Take the bytes of an announced file.

        Raises:
            InvalidRequest: file_not_found, file_already_uploaded, or as `Intake.take`.
        """
        file = await self.get(file_id)
        if file.state is not FileState.AWAITED:
            raise _uploaded_already()
        claims = Claims(filename=file.filename, mime_type=file.mime_type, size=file.size)
        settle = partial(self._fill_row, file_id)
        if await self._parts.intake.take(chunks, claims, settle) is Filling.TAKEN:
            raise _uploaded_already()
        return await self.get(file_id)

    async def _fill_row(self, file_id: int, content: Content) -> Filling:
        return await self._store.files.fill(file_id, content, now=self._clock.now_ms())

    async def get(self, file_id: int, *, param: str | None = None) -> File:
        """Give a file, whoever asks.

        Raises:
            InvalidRequest: file_not_found.
        """
        file = await self._store.files.get(file_id)
        if file is None:
            raise InvalidRequest("file_not_found", "File not found.", param=param)
        return file

    async def find(self, key: ApiKey, file_id: int, *, param: str | None = None) -> File:
        """Give a file that the key may see.

        Raises:
            InvalidRequest: file_not_found or line_not_accessible.
        """
        file = await self.get(file_id, param=param)
        await self._require_access(key, file, param=param)
        return file

    async def require(self, key: ApiKey, file_ids: Sequence[tuple[str, str]]) -> list[File]:
        """Give the files that a send names, if all of them can be sent.

        Args:
            key: Who sends.
            file_ids: Each id as the client gave it, with the field it stood in.

        Raises:
            InvalidRequest: invalid_parameter_value, file_not_found, line_not_accessible or file_not_ready, with the
                field.
        """
        found = []
        for text, param in file_ids:
            file = await self.find(key, read_file_id(text, param=param), param=param)
            self.require_ready(file, param=param)
            found.append(file)
        return found

    async def delete(self, key: ApiKey, file_id: int) -> None:
        """Delete a file that nobody uses; its bytes go when no other file shares them.

        Raises:
            InvalidRequest: file_not_found, line_not_accessible or file_in_use.
        """
        await self.find(key, file_id)
        if not await self._store.files.delete_unused(file_id):
            raise InvalidRequest(
                "file_in_use",
                "The file belongs to a message, a group or a card, and stays as long as that does.",
            )

    async def read(self, file: File, span: Span | None = None) -> AsyncIterator[bytes]:
        """Give a stored file's bytes; what stands against it is raised before the first piece is asked for.

        Raises:
            InvalidRequest: file_not_ready or file_unavailable.
            BlobMissing: The bytes are gone.
        """
        blob = self.require_ready(file)
        whole = Span(first=0, size=blob.size) if span is None else span
        pieces = self._parts.blobs.read(blob.name, first=whole.first, size=whole.size)
        first = await anext(pieces, b"")
        return _joined(first, pieces)

    async def hasten(self, file: File) -> None:
        """Have a file fetched now that somebody waits for it."""
        if file.state is FileState.PENDING:
            await self._store.files.hasten(file.id, now=self._clock.now_ms())
            self._wake_ups.files_due()

    async def _require_access(self, key: ApiKey, file: File, *, param: str | None) -> None:
        if key.line_ids is None or file.api_key_id == key.id or file.line_id in key.line_ids:
            return
        if key.line_ids & await self._store.files.lines_of(file.id):
            return
        raise InvalidRequest(
            "line_not_accessible", "This API key may not see this file: it is of another line.", param=param
        )

    @staticmethod
    def require_ready(file: File, *, param: str | None = None) -> Blob:
        """Give where the bytes of a file are.

        Raises:
            InvalidRequest: file_not_ready or file_unavailable.
        """
        if file.state is FileState.STORED and file.blob is not None:
            return file.blob
        if file.state is FileState.FAILED:
            raise InvalidRequest(
                "file_unavailable",
                f"The file could not be fetched from its bridge: {file.error}.",
                param=param,
            )
        raise InvalidRequest("file_not_ready", _NOT_READY[file.state], param=param, retry_after=2)


def read_file_id(text: str, *, param: str | None = None) -> int:
    """Read an id as clients give it.

    Raises:
        InvalidRequest: invalid_parameter_value for another kind of id, file_not_found for one that cannot exist.
    """
    if not text.startswith(f"{Prefix.FILE}_"):
        raise InvalidRequest(
            "invalid_parameter_value", "A file is named by an id that begins with 'file_'.", param=param
        )
    try:
        return parse_id(Prefix.FILE, text)
    except InvalidId:
        raise InvalidRequest("file_not_found", "File not found.", param=param) from None


def file_id_text(file: File) -> str:
    """Give the id of a file as clients see it."""
    return id_text(Prefix.FILE, file.id)


def _uploaded_already() -> InvalidRequest:
    return InvalidRequest(
        "file_already_uploaded", "The bytes of this file are there already; announce another file for others."
    )


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        if first:
            yield first
        async for piece in rest:
            yield piece
    finally:
        if isinstance(rest, AsyncGenerator):
            await rest.aclose()
