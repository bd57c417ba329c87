"""Copy the folder of files while the hub runs, and put a copy back. A bucket has means of its own.

Bytes under a name never change, so nothing is torn. The database is copied before: what it names is in the folder,
unless it was removed in between because nothing used it any more.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from hub.files.faults import BlobStoreAway
from hub.files.folder import BLOBS

_PRIVATE = 0o700


def copy_files(source: Path, target: Path) -> int:
    """Copy all blobs of one folder of files into another, durably; give how many. Drafts are left out.

    Raises:
        BlobStoreAway: The disk is full, or one of the folders cannot be used.
    """
    count = 0
    try:
        for folder in sorted((source / BLOBS).iterdir()) if (source / BLOBS).exists() else []:
            place = target / BLOBS / folder.name
            for each in (target, target / BLOBS, place):
                each.mkdir(mode=_PRIVATE, exist_ok=True)
            for blob in folder.iterdir():
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    _copy(blob, place / blob.name)
                    count += 1
            _sync(place)
    except OSError as error:
        raise BlobStoreAway(f"The files could not be copied: {error}.") from error
    return count


def _copy(source: Path, target: Path) -> None:
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        shutil.copyfile(source, unfinished)
        unfinished.chmod(0o600)
        _sync(unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
