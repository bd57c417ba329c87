"""Bytes in a bucket of an S3-compatible store, through obstore.

obstore's blocking calls run in threads. Its own asyncio calls end in threads that still knock at the interpreter
while it shuts down: with 0.12 one process in ten died of that (docs/decisions tells).
A draft waits in a nameless file of this machine until its digest, hence its name, is known; it then goes up in parts
of a few MiB. A store that answers a range with something else is read from the beginning.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

import obstore
from obstore.exceptions import BaseError, GenericError
from obstore.store import ObjectStore

from hub.files.faults import BlobMissing, BlobStoreAway
from hub.files.probing import bucket_advice, probe
from hub.flow.file_store import BlobEntry

if TYPE_CHECKING:
    from obstore import GetOptions

T = TypeVar("T")

PIECE_BYTES: Final = 262_144
#: S3 takes no parts below 5 MiB and no more than 10,000 of them.
PART_BYTES: Final = 8 * 1024 * 1024
#: Two parts are on their way while the third is read.
MOST_PARTS: Final = 2
_PAGE: Final = 500


class BucketBlobs:
    """hub.flow.file_store.BlobStore in a bucket."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @contextlib.asynccontextmanager
    async def draft(self) -> AsyncIterator[BucketDraft]:
        file = await _in_thread(_nameless)
        try:
            yield BucketDraft(file, self._store)
        finally:
            await _in_thread(file.close)

    async def read(self, name: str, *, first: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        if size == 0:
            return
        pieces = await _in_thread(lambda: _pieces(self._store, name, first, size))
        while piece := await _in_thread(lambda: next(pieces, b"")):
            yield piece

    async def delete(self, name: str) -> None:
        with contextlib.suppress(BlobMissing):
            await _in_thread(lambda: obstore.delete(self._store, name))

    async def list(self) -> AsyncIterator[Sequence[BlobEntry]]:
        pages = await _in_thread(lambda: iter(obstore.list(self._store, chunk_size=_PAGE)))
        while page := await _in_thread(lambda: next(pages, ())):
            yield [
                BlobEntry(
                    name=each["path"],
                    size=each["size"],
                    modified_at=int(each["last_modified"].timestamp() * 1000),
                )
                for each in page
            ]

    async def sweep(self, *, before: int) -> int:
        """Drafts have no name that could be left behind; half an upload is the bucket's to expire."""
        return 0

    async def check(self) -> str | None:
        return await probe(self, bucket_advice)


class BucketDraft:
    """hub.flow.file_store.Draft: a nameless file."""

    def __init__(self, file: BinaryIO, store: ObjectStore) -> None:
        self._file = file
        self._store = store
        self._waiting = bytearray()

    async def write(self, chunk: bytes) -> None:
        self._waiting += chunk
        if len(self._waiting) >= PIECE_BYTES:
            await _in_thread(self._flush)

    async def keep(self, name: str) -> None:
        try:
            await _in_thread(lambda: self._keep(name))
        except BlobMissing as error:
            # What is missing is the bucket.
            raise BlobStoreAway(f"The bucket of files cannot be used: {error}") from error.__cause__

    def _flush(self) -> None:
        piece, self._waiting = self._waiting, bytearray()
        self._file.write(piece)

    def _keep(self, name: str) -> None:
        self._flush()
        self._file.seek(0)
        obstore.put(self._store, name, self._file, chunk_size=PART_BYTES, max_concurrency=MOST_PARTS)


def _nameless() -> BinaryIO:
    return tempfile.TemporaryFile("w+b")


def _pieces(store: ObjectStore, name: str, first: int, size: int | None) -> Iterator[bytes]:
    if first == 0 and size is None:
        return _streamed(obstore.get(store, name))
    options: GetOptions = {"range": {"offset": first} if size is None else (first, first + size)}
    try:
        return _streamed(obstore.get(store, name, options=options))
    except GenericError as error:
        if "NotPartial" not in str(error):
            raise
    return _cut(_streamed(obstore.get(store, name)), first, size)


def _streamed(answer: obstore.GetResult) -> Iterator[bytes]:
    for piece in answer.stream(min_chunk_size=PIECE_BYTES):
        yield bytes(piece)


def _cut(pieces: Iterator[bytes], first: int, size: int | None) -> Iterator[bytes]:
    """Give the part of a whole that was asked for."""
    skip, left = first, size
    for piece in pieces:
        if skip >= len(piece):
            skip -= len(piece)
            continue
        wanted = piece[skip:] if left is None else piece[skip : skip + left]
        skip = 0
        if wanted:
            yield wanted
        if left is not None:
            left -= len(wanted)
            if left <= 0:
                return


async def _in_thread(work: Callable[[], T]) -> T:
    """Run in a thread; whatever the store says becomes our words. A cancelled caller waits for the thread."""
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError, BaseError):
            await running
        raise
    except FileNotFoundError as error:
        raise BlobMissing(_in_brief(error)) from error
    except (BaseError, OSError) as error:
        raise BlobStoreAway(f"The bucket of files cannot be used: {_in_brief(error)}") from error


def _in_brief(error: Exception) -> str:
    """Give the first line, with S3's own code for it in place of the document that begins there."""
    text = str(error)
    line = text.partition("\n")[0].partition(": <?xml")[0][:300]
    code = re.search(r"<Code>(\w{1,64})</Code>", text)
    return line if code is None else f"{line} ({code[1]})"
