"""Fetch the bytes of attachments that came in, from their bridge, after the event is out.

Ingest notes each attachment as a pending file, in its own transaction; this finds what is due, leases it, and fetches
it. A lease that runs out (a crash) makes the file due again. What fails is tried again on a schedule kept with the
file, and ends as stored or failed; nothing stays pending for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from hub.flow.closing import closing
from hub.flow.downloads import Download, DownloadFailed, Downloads
from hub.flow.file_intake import Claims, Intake
from hub.flow.file_store import Content, Filling
from hub.flow.ports import BridgeAdapter, Clock
from hub.flow.repositories import Store
from hub.model.delivery import Outcome
from hub.model.errors import AttachmentGone, InvalidRequest
from hub.model.file import File
from hub.rules.file_names import clean_name
from hub.rules.media_types import usual_type

log = structlog.get_logger("files")

#: Wait before each further attempt, in seconds: a phone that is away comes back within hours.
RETRY_SECONDS: Final = (5, 30, 120, 600, 1800, 7200, 21_600, 43_200)
#: Fetched at the same time by one worker.
MOST_AT_ONCE: Final = 4
#: Beside the time that one attempt may take.
_LEASE_SLACK_MS: Final = 30_000
#: A fault of ours, not of the bridge: the disk is full, the quota used up.
_PASSING: Final = frozenset({"storage_quota_exceeded"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Failure:
    """Why an attempt failed, and whether another may help."""

    why: str
    is_permanent: bool


class AttachmentFetching:
    """Fetches what is due."""

    def __init__(
        self,
        *,
        store: Store,
        intake: Intake,
        adapters: Mapping[int, BridgeAdapter],
        downloads: Downloads,
        clock: Clock,
        timeout_seconds: float,
    ) -> None:
        self._store = store
        self._intake = intake
        self._adapters = adapters
        self._downloads = downloads
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        #: Told what became of each attempt.
        self.on_tried: Callable[[Outcome], None] = lambda outcome: None

    async def run_due(self) -> int:
        """Fetch a page of what is due; give how many were tried."""
        due = await self._store.files.due(now=self._clock.now_ms(), limit=MOST_AT_ONCE)
        done = await asyncio.gather(*map(self.fetch, due))
        return sum(done)

    async def fetch(self, file: File) -> bool:
        """Try once; False if another worker does."""
        number = file.attempt_count + 1
        lease_ms = int(self._timeout_seconds * 1000) + _LEASE_SLACK_MS
        until = self._clock.now_ms() + lease_ms
        if not await self._store.files.lease(file.id, attempt_count=number, next_attempt_at=until):
            return False
        failure, outcome = await self._try(file), Outcome.SUCCESS
        if failure is not None:
            outcome = await self._postpone(file, number, failure)
        self.on_tried(outcome)
        log.info(
            "file.fetched" if failure is None else "file.unfetched",
            file_id=file.id,
            attempt_number=number,
            reason=None if failure is None else failure.why,
        )
        return True

    async def _try(self, file: File) -> _Failure | None:
        try:
            async with asyncio.timeout(self._timeout_seconds), self._opened(file) as (chunks, claims):
                await self._intake.take(chunks, claims, partial(self._fill, file.id))
        except TimeoutError:
            return _Failure(why=f"it did not come within {self._timeout_seconds:g} s", is_permanent=False)
        except AttachmentGone as error:
            return _Failure(why=str(error) or "the bridge does not have it", is_permanent=True)
        except DownloadFailed as error:
            return _Failure(why=str(error), is_permanent=error.is_permanent)
        except InvalidRequest as error:
            return _Failure(why=error.message.rstrip("."), is_permanent=error.code not in _PASSING)
        except Exception as error:  # an adapter may raise anything
            log.warning("file.fetch_broke", file_id=file.id, exc_info=True)
            return _Failure(why=f"the bridge failed ({type(error).__name__})", is_permanent=False)
        return None

    async def _fill(self, file_id: int, content: Content) -> Filling:
        return await self._store.files.fill(file_id, content, now=self._clock.now_ms())

    @contextlib.asynccontextmanager
    async def _opened(self, file: File) -> AsyncIterator[tuple[AsyncIterator[bytes], Claims]]:
        """Open where the bytes come from: the bridge by its own name for them, or an address."""
        source, claims = file.source, Claims(filename=file.filename, mime_type=file.mime_type)
        if source is None:
            raise AttachmentGone("nothing says where it is")
        adapter = self._adapters.get(source.bridge_id)
        if source.ref is not None and adapter is not None:
            async with closing(adapter.open_attachment(source.ref)) as chunks:
                yield chunks, claims
        elif source.url is not None:
            async with self._download(source.url) as download:
                name = claims.filename or clean_name(download.filename)
                yield (
                    download.pieces,
                    Claims(filename=name, mime_type=usual_type(file.mime_type) or download.mime_type),
                )
        else:
            raise AttachmentGone("its bridge runs elsewhere and gave no address for it")

    def _download(self, url: str) -> contextlib.AbstractAsyncContextManager[Download]:
        return self._downloads.open(
            url, most_bytes=self._intake.most_bytes, timeout_seconds=self._timeout_seconds
        )

    async def _postpone(self, file: File, number: int, failure: _Failure) -> Outcome:
        now, next_at = self._clock.now_ms(), None
        if not failure.is_permanent and number <= len(RETRY_SECONDS):
            next_at = now + RETRY_SECONDS[number - 1] * 1000
        await self._store.files.postpone(file.id, next_attempt_at=next_at, error=failure.why, now=now)
        return Outcome.PERMANENT if next_at is None else Outcome.RETRYABLE
