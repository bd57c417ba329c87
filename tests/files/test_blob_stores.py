"""Every kind of blob store keeps the same promises: a folder, a real S3-compatible server, and obstore's own memory.

The memory answers ranges as Amazon does; the server at hand answers them with a status that obstore refuses, which
proves the other way.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from hub.files.bucket import BucketBlobs
from hub.files.faults import BlobMissing, BlobStoreAway
from hub.files.folder import PIECE_BYTES, FolderBlobs
from hub.files.opening import BucketAddress, open_bucket
from hub.flow.file_store import BlobStore
from tests.support.bucket import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, running_s3

LONG_AGO, LATER = 0, 2**52


def address(server: S3Server, **more: str) -> BucketAddress:
    fields = {"bucket": BUCKET, "prefix": "hub", "access_key": ACCESS_KEY, "secret_key": SECRET_KEY} | more
    return BucketAddress(**fields, region="us-east-1", endpoint=server.endpoint, is_virtual_hosted=False)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with running_s3() as running:
        yield running


@pytest.fixture(params=["folder", "bucket", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """An empty store."""
    if request.param == "folder":
        return FolderBlobs(tmp_path / "files")
    if request.param == "memory":
        return BucketBlobs(MemoryStore())
    return open_bucket(address(request.getfixturevalue("server"), prefix=tmp_path.name))


async def put(blobs: BlobStore, name: str, *chunks: bytes) -> None:
    async with blobs.draft() as draft:
        for chunk in chunks:
            await draft.write(chunk)
        await draft.keep(name)


async def content(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def names(blobs: BlobStore) -> dict[str, int]:
    return {entry.name: entry.size async for page in blobs.list() for entry in page}


@pytest.mark.parametrize(
    "chunks", [(b"hello",), (b"", b"he", b"", b"llo"), (), (os.urandom(3 * PIECE_BYTES + 7),)],
    ids=["one", "several", "nothing", "long"],
)  # fmt: skip
async def test_bytes_come_back_as_they_went_in(blobs: BlobStore, chunks: tuple[bytes, ...]) -> None:
    await put(blobs, "aa-1", *chunks)

    assert await content(blobs.read("aa-1")) == b"".join(chunks)


@pytest.mark.parametrize(
    ("first", "size"),
    [(0, 5), (0, None), (3, None), (3, 4), (PIECE_BYTES - 1, 3), (PIECE_BYTES + 5, PIECE_BYTES), (9, 0)],
)
async def test_a_part_can_be_read(blobs: BlobStore, first: int, size: int | None) -> None:
    whole = os.urandom(2 * PIECE_BYTES + 9)
    await put(blobs, "aa-1", whole)

    expected = whole[first:] if size is None else whole[first : first + size]
    assert await content(blobs.read("aa-1", first=first, size=size)) == expected


async def test_a_read_may_end_early(blobs: BlobStore) -> None:
    await put(blobs, "aa-1", os.urandom(4 * PIECE_BYTES))

    pieces = blobs.read("aa-1")
    first = await anext(pieces)
    await pieces.aclose()  # type: ignore[attr-defined]  # the port promises no more than an iterator

    assert first


async def test_missing_bytes_are_told_before_the_first_piece(blobs: BlobStore) -> None:
    await put(blobs, "aa-1", b"x")

    with pytest.raises(BlobMissing):
        await content(blobs.read("aa-2"))
    with pytest.raises(BlobMissing):
        await content(blobs.read("aa-2", first=3, size=2))


async def test_what_is_not_kept_is_gone(blobs: BlobStore) -> None:
    async with blobs.draft() as draft:
        await draft.write(b"x" * PIECE_BYTES)

    assert await names(blobs) == {}
    assert await blobs.sweep(before=LATER) == 0


async def test_what_fails_on_its_way_is_gone(blobs: BlobStore) -> None:
    async def failing() -> None:
        async with blobs.draft() as draft:
            await draft.write(b"x" * PIECE_BYTES)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()

    assert await names(blobs) == {}
    assert await blobs.sweep(before=LATER) == 0


async def test_the_same_bytes_may_be_kept_again_at_once(blobs: BlobStore) -> None:
    await asyncio.gather(*(put(blobs, "aa-1", b"same") for _ in range(8)))

    assert await names(blobs) == {"aa-1": 4}
    assert await content(blobs.read("aa-1")) == b"same"


async def test_a_draft_may_be_kept_twice(blobs: BlobStore) -> None:
    async with blobs.draft() as draft:
        await draft.write(b"same")
        await draft.keep("aa-1")
        await blobs.delete("aa-1")
        await draft.keep("aa-2")

    assert await names(blobs) == {"aa-2": 4}
    assert await content(blobs.read("aa-2")) == b"same"


async def test_all_are_listed_and_deleted_once(blobs: BlobStore) -> None:
    assert await names(blobs) == {}
    for number in range(5):
        await put(blobs, f"{number}{number}-x", b"x" * number)
    assert await names(blobs) == {f"{number}{number}-x": number for number in range(5)}

    for name in ("11-x", "11-x", "never-there"):
        await blobs.delete(name)

    assert await names(blobs) == {f"{number}{number}-x": number for number in (0, 2, 3, 4)}


async def test_a_healthy_store_says_so(blobs: BlobStore) -> None:
    assert await blobs.check() is None
    assert await names(blobs) == {}


async def test_a_crash_leaves_drafts_that_are_swept(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    async with blobs.draft() as draft:
        await draft.write(b"half")
        left = next((tmp_path / "drafts").iterdir())
        (tmp_path / "kept").hardlink_to(left)
    (tmp_path / "kept").rename(tmp_path / "drafts" / "left")

    assert await blobs.sweep(before=LONG_AGO) == 0
    assert await blobs.sweep(before=LATER) == 1
    assert list((tmp_path / "drafts").iterdir()) == []


async def test_a_folder_is_private(tmp_path: Path) -> None:
    await put(FolderBlobs(tmp_path / "files"), "aa-1", b"x")

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "files").rglob("*")}
    assert modes == {"blobs": 0o700, "drafts": 0o700, "aa": 0o700, "aa-1": 0o600}


async def test_a_broken_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    blobs = FolderBlobs(tmp_path / "files")

    told = str(await blobs.check())
    assert told.startswith("A trial file could not be written. The folder of files cannot be used: ")
    assert told.endswith("Move away what stands there: it must be a folder.")
    with pytest.raises(BlobStoreAway):
        await put(blobs, "aa-1", b"x")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "code", "helps"),
    [
        ({"secret_key": "another"}, "SignatureDoesNotMatch", "correct files.s3_secret_key"),
        ({"access_key": "AKIDOTHER"}, "InvalidAccessKeyId", "correct it, and its secret"),
        ({"bucket": "no-such"}, "NoSuchBucket", "Make the bucket"),
    ],
    ids=["secret", "key", "bucket"],
)
async def test_a_bucket_that_refuses_us_is_told_without_our_secret(
    server: S3Server, wrong: dict[str, str], code: str, helps: str
) -> None:
    blobs = open_bucket(address(server, **wrong))

    with pytest.raises(BlobStoreAway) as raised:
        await put(blobs, "aa-1", b"x")
    told = str(await blobs.check())
    assert f"({code})" in str(raised.value)
    assert told.startswith("A trial file could not be written. The bucket of files cannot be used: ")
    assert f"({code})" in told
    assert helps in told
    assert SECRET_KEY not in told + str(raised.value) + repr(address(server))


@pytest.mark.slow
async def test_long_bytes_go_up_in_parts(server: S3Server) -> None:
    blobs = open_bucket(address(server, prefix="long"))
    whole = os.urandom(1024 * 1024) * 20
    await put(blobs, "aa-1", whole)

    assert await names(blobs) == {"aa-1": len(whole)}
    assert await content(blobs.read("aa-1")) == whole
