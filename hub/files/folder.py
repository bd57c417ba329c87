"""Bytes in a folder of this machine, or of a file system that all machines share.

A blob appears whole or not at all: it is written as a draft in the same file system, synced, then given its name, and
the name is synced too. Two who keep the same bytes at the same name do no harm. Blobs are spread over 256 folders.
Work on the disk happens in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from hub.files.faults import BlobMissing, BlobStoreAway
from hub.files.probing import folder_advice, probe
from hub.flow.file_store import BlobEntry

T = TypeVar("T")

#: Bytes gathered before a thread writes them, and read by one at a time.
PIECE_BYTES: Final = 262_144
_DRAFTS: Final = "drafts"
#: Where finished bytes lie, within the folder of files.
BLOBS: Final = "blobs"
_SPREAD: Final = 2
_PAGE: Final = 500
_PRIVATE: Final = 0o700


class FolderBlobs:
    """hub.flow.file_store.BlobStore in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drafts = folder / _DRAFTS
        self._blobs = folder / BLOBS

    @contextlib.asynccontextmanager
    async def draft(self) -> AsyncIterator[FolderDraft]:
        path, file = await _in_thread(self._new_draft)
        try:
            yield FolderDraft(path, file, place=self._made_path)
        finally:
            await _in_thread(lambda: _discard(path, file))

    async def read(self, name: str, *, first: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        path = self._path(name)
        file = await _in_thread(lambda: _open(path, first))
        left = size
        try:
            while left is None or left > 0:
                wanted = PIECE_BYTES if left is None else min(PIECE_BYTES, left)
                piece = await _in_thread(lambda wanted=wanted: file.read(wanted))  # type: ignore[misc]  # bound now
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece
        finally:
            file.close()

    async def delete(self, name: str) -> None:
        path = self._path(name)
        await _in_thread(lambda: path.unlink(missing_ok=True))

    async def list(self) -> AsyncIterator[Sequence[BlobEntry]]:
        entries = _entries(self._blobs)
        while page := await _in_thread(lambda: _take(entries, _PAGE)):
            yield page

    async def sweep(self, *, before: int) -> int:
        return await _in_thread(lambda: _sweep(self._drafts, before))

    async def check(self) -> str | None:
        return await probe(self, folder_advice)

    def _path(self, name: str) -> Path:
        return self._blobs / name[:_SPREAD] / name

    def _made_path(self, name: str) -> Path:
        path = self._path(name)
        _make(path.parent, below=self._folder)
        return path

    def _new_draft(self) -> tuple[Path, BinaryIO]:
        _make(self._drafts, below=self._folder)
        path = self._drafts / os.urandom(16).hex()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return path, os.fdopen(descriptor, "wb", buffering=0)


class FolderDraft:
    """hub.flow.file_store.Draft: a file that only this block knows."""

    def __init__(self, path: Path, file: BinaryIO, *, place: Callable[[str], Path]) -> None:
        self._path = path
        self._file = file
        #: Gives the place of a name, within a folder that is there.
        self._place = place
        self._waiting = bytearray()

    async def write(self, chunk: bytes) -> None:
        self._waiting += chunk
        if len(self._waiting) >= PIECE_BYTES:
            await _in_thread(self._flush)

    async def keep(self, name: str) -> None:
        await _in_thread(lambda: self._keep(name))

    def _flush(self) -> None:
        piece, self._waiting = self._waiting, bytearray()
        view = memoryview(piece)
        while view:
            view = view[self._file.write(view) :]

    def _keep(self, name: str) -> None:
        target = self._place(name)
        self._flush()
        os.fsync(self._file.fileno())
        # Linked and not renamed: a draft may have to be kept once more, at another name.
        _place(self._path, target)
        _sync(target.parent)


async def _in_thread(work: Callable[[], T]) -> T:
    """Run in a thread; whatever the disk says becomes our words.

    A cancelled caller waits for the thread: it must not go on with what the caller then closes and removes.
    """
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await running
        raise
    except FileNotFoundError as error:
        raise BlobMissing(f"{error.filename} is missing") from error
    except OSError as error:
        raise BlobStoreAway(
            f"The folder of files cannot be used: {error.strerror}{f' ({error.filename})' if error.filename else ''}"
        ) from error


def _make(folder: Path, *, below: Path) -> None:
    """Make a folder and those above it up to `below`, private, each name durable."""
    if folder.is_dir():
        return
    if folder != below:
        _make(folder.parent, below=below)
    folder.mkdir(mode=_PRIVATE, parents=folder == below, exist_ok=True)
    _sync(folder.parent)


def _open(path: Path, first: int) -> BinaryIO:
    file = path.open("rb", buffering=0)
    file.seek(first)
    return file


def _place(draft: Path, target: Path) -> None:
    """Give finished bytes their name; bytes that have it already are the same."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        copy = draft.with_name(f"{draft.name}.copy")
        shutil.copyfile(draft, copy)
        descriptor = os.open(copy, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        copy.replace(target)


def _discard(path: Path, file: BinaryIO) -> None:
    file.close()
    path.unlink(missing_ok=True)


def _entries(folder: Path) -> Iterator[BlobEntry]:
    for spread in sorted(_inside(folder)):
        for entry in os.scandir(spread):
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                found = entry.stat()
                yield BlobEntry(
                    name=entry.name, size=found.st_size, modified_at=found.st_mtime_ns // 1_000_000
                )


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def _take(entries: Iterator[BlobEntry], count: int) -> list[BlobEntry]:
    return [entry for entry, _ in zip(entries, range(count), strict=False)]


def _sweep(drafts: Path, before: int) -> int:
    count = 0
    for path in _inside(drafts):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime_ns // 1_000_000 < before:
                path.unlink()
                count += 1
    return count


def _sync(folder: Path) -> None:
    """Make names durable: bytes whose name a power cut takes away are lost."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
