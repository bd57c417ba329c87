"""What keeps files, from the settings: where the bytes go, how they are taken in, and which addresses lead to them."""

from __future__ import annotations

from pathlib import Path

from hub.app.world import SystemClock
from hub.config.sections import Files as FileSettings
from hub.config.settings import Settings
from hub.embedded.datafolder import open_data_folder
from hub.files.folder import FolderBlobs
from hub.files.sniffing import look_at
from hub.flow.file_intake import Intake
from hub.flow.file_links import HOUR_MS, FileLinks
from hub.flow.file_store import BlobStore
from hub.flow.files import FileParts
from hub.flow.repositories import Store
from hub.model.errors import HubError
from hub.model.ids import IdFactory
from hub.rules.links import link_key

DAY_MS = 24 * HOUR_MS
MINUTE_MS = 60_000


class NoBucketSecret(HubError):
    """The secret of the bucket's access key cannot be read."""


def file_parts(
    settings: Settings, *, store: Store, clock: SystemClock, new_id: IdFactory, secret: bytes
) -> FileParts:
    """Wire what files are made of.

    Args:
        secret: The hub's secret key; what signs addresses is derived from it.

    Raises:
        NoBucketSecret: files.s3_secret_key_file names no readable file.
    """
    files, blobs = settings.files, blob_store(settings)
    return FileParts(
        intake=Intake(
            files=store.files,
            blobs=blobs,
            clock=clock,
            new_id=new_id,
            look_at=look_at,
            most_bytes=files.max_bytes,
            quota_bytes=files.quota_bytes,
        ),
        blobs=blobs,
        links=file_links(settings, clock=clock, secret=secret),
        presign_ms=files.presign_minutes * MINUTE_MS,
        unused_ms=files.unused_days * DAY_MS,
    )


def file_links(settings: Settings, *, clock: SystemClock, secret: bytes) -> FileLinks:
    """Wire the addresses of files."""
    return FileLinks(
        key=link_key(secret),
        base_url=settings.web.public_url,
        lasts_ms=settings.files.link_hours * HOUR_MS,
        clock=clock,
    )


def blob_store(settings: Settings) -> BlobStore:
    """Open where the bytes are kept; a bucket is not asked before it is used."""
    files = settings.files
    if files.storage == "folder":
        return FolderBlobs(open_data_folder(settings.data_folder).files_path)
    from hub.files.opening import BucketAddress, open_bucket  # noqa: PLC0415 - a folder does without its memory

    address = BucketAddress(
        bucket=files.s3_bucket,
        prefix=files.s3_prefix,
        region=files.s3_region,
        endpoint=files.s3_endpoint,
        access_key=files.s3_access_key,
        secret_key=_bucket_secret(files),
        is_virtual_hosted=files.s3_virtual_hosted,
    )
    return open_bucket(address, request_timeout_seconds=files.fetch_seconds)


def _bucket_secret(files: FileSettings) -> str:
    if not files.s3_secret_key_file:
        return files.s3_secret_key
    path = Path(files.s3_secret_key_file).expanduser()
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoBucketSecret(
            f"files.s3_secret_key_file: {path} cannot be read ({error}). Check the path and its permissions."
        ) from error
