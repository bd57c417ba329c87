"""The bytes of what bridges are to send: hub.flow.ports.OutgoingFiles. Handed to adapters by whoever builds them."""

from __future__ import annotations

from hub.flow.file_store import BlobStore
from hub.flow.ports import OutgoingFile
from hub.flow.repositories import Store
from hub.model.errors import AttachmentGone
from hub.model.ids import InvalidId, Prefix, parse_id


class StoredFiles:
    """Opens stored files."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self._store = store
        self._blobs = blobs

    async def open_file(self, file_id: str) -> OutgoingFile:
        try:
            file = await self._store.files.get(parse_id(Prefix.FILE, file_id))
        except InvalidId:
            file = None
        if file is None or file.blob is None:
            raise AttachmentGone(f"{file_id} is not among the hub's files")
        return OutgoingFile(
            filename=file.filename,
            mime_type=file.mime_type,
            size=file.blob.size,
            chunks=self._blobs.read(file.blob.name),
        )
