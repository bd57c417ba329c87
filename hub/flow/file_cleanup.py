"""Remove files that nobody uses and bytes that no file holds; every step may be cut off, and is done again.

    uses whose message is gone → files unused for long, uploads that never came → blobs without files:
    doomed → their bytes deleted → forgotten · bytes without a row, drafts of crashes

Why nothing goes that a file holds: hub.flow.file_store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from hub.flow.file_store import BlobEntry, BlobStore
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.ids import InvalidId, parse_id

log = structlog.get_logger("files")

HOUR_MS: Final = 3_600_000
#: What was wanted so lately is left alone: somebody may be putting its bytes right now.
QUIET_MS: Final = HOUR_MS
#: Bytes without a row come from a database that was put back from a backup. They wait in case it is put back again.
ORPHAN_MS: Final = 7 * 24 * HOUR_MS
DRAFT_MS: Final = 24 * HOUR_MS
PAGE: Final = 200
#: Pages a run at the most; the next run goes on.
MOST_PAGES: Final = 100


class FileCleanup:
    """Keeps the store of files small."""

    def __init__(self, *, store: Store, blobs: BlobStore, clock: Clock, unused_ms: int) -> None:
        self._files = store.files
        self._blobs = blobs
        self._clock = clock
        self._unused_ms = unused_ms

    async def run(self) -> Mapping[str, int]:
        """Do all that is due, so far as one run may; give how much of what was removed."""
        counts = {
            "uses": await self._release_orphans(),
            "files": await self._expire(),
            "blobs": await self._remove_doomed(),
            "strays": await self._remove_strays(),
            "drafts": await self._blobs.sweep(before=self._clock.now_ms() - DRAFT_MS),
        }
        if any(counts.values()):
            log.info("storage.cleaned", **counts)
        return counts

    async def _release_orphans(self) -> int:
        total = 0
        for _ in range(MOST_PAGES):
            count = await self._files.release_orphans(limit=PAGE, now=self._clock.now_ms())
            total += count
            if count < PAGE:
                break
        return total

    async def _expire(self) -> int:
        total = 0
        for _ in range(MOST_PAGES):
            now = self._clock.now_ms()
            count = await self._files.expire_page(unused_before=now - self._unused_ms, now=now, limit=PAGE)
            total += count
            if count < PAGE:
                break
        return total

    async def _remove_doomed(self) -> int:
        total = 0
        for _ in range(MOST_PAGES):
            untouched_since = self._clock.now_ms() - QUIET_MS
            doomed = await self._files.doom_page(untouched_since=untouched_since, limit=PAGE)
            for blob in doomed:
                await self._blobs.delete(blob.name)
                await self._files.forget_blob(blob.id)
            total += len(doomed)
            if len(doomed) < PAGE:
                break
        return total

    async def _remove_strays(self) -> int:
        total, before = 0, self._clock.now_ms() - ORPHAN_MS
        async for page in self._blobs.list():
            for name in await self._strays([entry for entry in page if entry.modified_at < before]):
                await self._blobs.delete(name)
                total += 1
        return total

    async def _strays(self, entries: Sequence[BlobEntry]) -> list[str]:
        """Give the names of ours whose blob no row knows; what is named otherwise is not ours to remove."""
        ids = {entry.name: blob_id for entry in entries if (blob_id := _blob_id(entry.name)) is not None}
        known = await self._files.known_blobs(ids.values())
        return [name for name, blob_id in ids.items() if blob_id not in known]


def _blob_id(name: str) -> int | None:
    try:
        return parse_id("blob", f"blob_{name.rpartition('-')[2]}")
    except InvalidId:
        return None
