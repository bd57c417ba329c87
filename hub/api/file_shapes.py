"""How files look on the wire (contracts: messages.dev §3 File, and what is ours)."""

from __future__ import annotations

from typing import Literal

import msgspec

from hub.flow.file_links import FileLinks
from hub.model.file import WIRE_STATE, File, FileState
from hub.model.ids import Prefix, id_text

FileStateName = Literal["awaited", "stored", "pending", "failed"]


class FileData(msgspec.Struct, frozen=True, kw_only=True):
    """A file."""

    id: str
    #: Where anybody can read it, without a key, until the address expires; null while it has no bytes.
    url: str | None
    filename: str | None
    mime_type: str
    #: In bytes; null while nobody has said.
    size: int | None
    #: `awaited`: announced, not uploaded yet · `stored` · `pending`: being fetched from a bridge · `failed`: it could
    #: not be fetched, `error` says why.
    state: FileStateName
    #: Hexadecimal; null while it has no bytes.
    sha256: str | None
    created_at: int
    #: Until when an awaited file may be uploaded.
    expires_at: int | None
    error: str | None


class FileReply(FileData, frozen=True, kw_only=True):
    """A file."""

    request_id: str


class OneFile(FileReply, frozen=True, kw_only=True):
    """A file, asked for by its id."""

    #: The first message that it went, or came, with.
    message_id: str | None


class PresignedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A promised file, and where its bytes go."""

    id: str
    #: Takes the bytes without a key, once, until `expires_at`.
    upload_url: str
    method: Literal["PUT"]
    #: To be sent with the bytes.
    headers: dict[str, str]
    expires_at: int
    request_id: str


class FileDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """The file is gone."""

    id: str
    deleted: bool
    request_id: str


def file_data(file: File, links: FileLinks) -> FileData:
    """Show a file."""
    can_be_read = file.state in (FileState.STORED, FileState.PENDING)
    return FileData(
        id=id_text(Prefix.FILE, file.id),
        url=links.read_url(file.id) if can_be_read else None,
        filename=file.filename,
        mime_type=file.mime_type,
        size=file.size,
        state=WIRE_STATE[file.state],  # type: ignore[arg-type]  # the table's values are the names
        sha256=None if file.blob is None else file.blob.digest.hex(),
        created_at=file.created_at,
        expires_at=file.expires_at,
        error=file.error,
    )


def file_reply(file: File, links: FileLinks, request_id: str) -> FileReply:
    """Show a file as an answer."""
    return FileReply(**msgspec.structs.asdict(file_data(file, links)), request_id=request_id)
