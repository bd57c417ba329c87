"""What is told of a store of files that takes bytes, and fails later; and the advice for each thing a store may say."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError

from hub.files.faults import BlobStoreAway
from hub.files.folder import FolderBlobs
from hub.files.probing import bucket_advice, folder_advice, probe
from hub.flow.file_store import BlobEntry


class Lossy(FolderBlobs):
    """Gives back less than it took."""

    async def read(self, name: str, *, first: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        yield b"?"


class Blind(FolderBlobs):
    """Does not let us list."""

    async def list(self) -> AsyncIterator[Sequence[BlobEntry]]:
        for error in (BlobStoreAway("No"),):
            raise error from PermissionError(errno.EACCES, "Permission denied")
        yield ()


class Greedy(FolderBlobs):
    """Gives nothing up."""

    async def delete(self, name: str) -> None:
        raise BlobStoreAway("No") from OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize(
    ("kind", "what", "helps", "left"),
    [
        (
            Lossy,
            "read. What came back is not what was written: 1 bytes of 32",
            "Check that the disk is there",
            0,
        ),
        (Blind, "listed. No", "Let the user that runs the hub write there.", 0),
        (Greedy, "deleted. No", "Mount it so that it can be written.", 1),
    ],
)
async def test_what_fails_after_the_write_is_told(
    tmp_path: Path, kind: type[FolderBlobs], what: str, helps: str, left: int
) -> None:
    told = str(await probe(kind(tmp_path), folder_advice))
    entries = [entry async for page in FolderBlobs(tmp_path).list() for entry in page]

    assert told.startswith(f"A trial file could not be {what}. {helps}")
    assert len(entries) == left


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("403 Forbidden: <Code>SignatureDoesNotMatch</Code>", "files.s3_secret_key"),
        ("403 Forbidden: <Code>InvalidAccessKeyId</Code>", "files.s3_access_key"),
        ("400 Bad Request: <Code>ExpiredToken</Code>", "has expired"),
        ("403 Forbidden: <Code>AccessDenied</Code>", "s3:PutObject, s3:GetObject, s3:DeleteObject"),
        ("403 Forbidden: <Code>RequestTimeTooSkewed</Code>", "clock"),
        ("404 Not Found: <Code>NoSuchBucket</Code>", "files.s3_bucket"),
        ("an incorrectly configured region", "files.s3_region"),
        ("Error performing PUT http://169.254.169.254/latest/api/token", "no role"),
        ("error sending request", "files.s3_endpoint"),
    ],
)
@pytest.mark.parametrize("kind", [GenericError, PermissionDeniedError])
def test_advice_on_buckets(kind: type[Exception], said: str, helps: str) -> None:
    assert helps in bucket_advice(kind(said))


@pytest.mark.parametrize(
    ("number", "helps"),
    [
        (errno.EACCES, "user that runs the hub"),
        (errno.EDQUOT, "quota"),
        (errno.ENOSPC, "Free some space"),
        (errno.EROFS, "Mount"),
        (errno.EIO, "disk"),
    ],
)
def test_advice_on_folders(number: int, helps: str) -> None:
    assert helps in folder_advice(OSError(number, os.strerror(number)))


def test_advice_on_what_is_no_fault_of_the_disk() -> None:
    assert folder_advice(BlobStoreAway("?")) == "Check that the disk is there and well."
