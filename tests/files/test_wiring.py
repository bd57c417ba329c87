"""The settings decide where bytes are kept, and nothing secret is shown when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app.files import NoBucketSecret, blob_store
from hub.config.settings import Settings, load_settings
from hub.files.bucket import BucketBlobs
from hub.files.folder import FolderBlobs
from tests.support.bucket import ACCESS_KEY, BUCKET, SECRET_KEY, running_s3

S3 = {"HUB_FILES__STORAGE": "s3", "HUB_FILES__S3_BUCKET": BUCKET, "HUB_FILES__S3_ACCESS_KEY": ACCESS_KEY}


def settings(folder: Path, **more: str) -> Settings:
    return load_settings(None, {"HUB_DATA_FOLDER": str(folder / "data"), **more})


async def test_untouched_the_bytes_lie_in_the_data_folder(tmp_path: Path) -> None:
    blobs = blob_store(settings(tmp_path))
    async with blobs.draft() as draft:
        await draft.write(b"x")
        await draft.keep("aa-1")

    assert isinstance(blobs, FolderBlobs)
    assert (tmp_path / "data" / "files" / "blobs" / "aa" / "aa-1").read_bytes() == b"x"


@pytest.mark.slow
async def test_a_bucket_is_opened_with_a_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET_KEY}\n")
    with running_s3() as server:
        more = {
            "HUB_FILES__S3_ENDPOINT": server.endpoint,
            "HUB_FILES__S3_SECRET_KEY_FILE": str(tmp_path / "secret"),
        }
        blobs = blob_store(settings(tmp_path, **S3, **more))
        async with blobs.draft() as draft:
            await draft.write(b"x")
            await draft.keep("aa-1")

        assert isinstance(blobs, BucketBlobs)
        assert (server.folder / BUCKET / "hub" / "aa-1").read_bytes() == b"x"


def test_a_secret_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    wrong = settings(tmp_path, **S3, HUB_FILES__S3_SECRET_KEY_FILE=str(tmp_path / "nowhere"))

    with pytest.raises(NoBucketSecret, match="nowhere cannot be read"):
        blob_store(wrong)


def test_settings_never_show_the_secret(tmp_path: Path) -> None:
    assert SECRET_KEY not in repr(settings(tmp_path, **S3, HUB_FILES__S3_SECRET_KEY=SECRET_KEY))
