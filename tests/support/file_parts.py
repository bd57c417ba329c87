"""What files are made of, for tests: real parts on a folder, small limits."""

from __future__ import annotations

from typing import Any

from hub.files.sniffing import look_at
from hub.flow.file_intake import Intake
from hub.flow.file_links import HOUR_MS, FileLinks
from hub.flow.file_store import BlobStore
from hub.flow.files import FileParts
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.ids import IdFactory
from hub.rules.links import link_key

MOST_BYTES = 1_000_000
BASE_URL = "http://127.0.0.1:8080"


def file_links(clock: Clock) -> FileLinks:
    """Addresses that work for a day."""
    return FileLinks(key=link_key(bytes(32)), base_url=BASE_URL, lasts_ms=24 * HOUR_MS, clock=clock)


def intake(store: Store, blobs: BlobStore, clock: Clock, new_id: IdFactory, **limits: Any) -> Intake:
    """Takes in at most `MOST_BYTES` a file."""
    limits = {"most_bytes": MOST_BYTES, "quota_bytes": 0} | limits
    return Intake(files=store.files, blobs=blobs, clock=clock, new_id=new_id, look_at=look_at, **limits)


def file_parts(store: Store, blobs: BlobStore, clock: Clock, new_id: IdFactory) -> FileParts:
    """An hour for announced uploads, a week for unused files."""
    return FileParts(
        intake=intake(store, blobs, clock, new_id),
        blobs=blobs,
        links=file_links(clock),
        presign_ms=HOUR_MS,
        unused_ms=7 * 24 * HOUR_MS,
    )
