"""Bulk sends as the use cases keep and read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hub.model.bulk import BulkJob, BulkOutcome, BulkRecipient, BulkState


class Bulk(Protocol):
    """Jobs and their recipients."""

    async def add(self, job: BulkJob, recipients: Sequence[BulkRecipient]) -> None:
        """Keep a job with all its recipients, in one transaction."""
        ...

    async def get(self, job_id: int) -> BulkJob | None: ...
    async def running(self) -> list[BulkJob]: ...
    async def cut_off(self) -> list[BulkJob]:
        """Cancelled jobs of which something was queued before and waits still: whoever cancelled them was cut off."""
        ...

    async def page(
        self, *, line_ids: frozenset[int] | None, after: int | None, offset: int | None = None, limit: int
    ) -> list[BulkJob]: ...
    async def count(self, *, line_ids: frozenset[int] | None) -> int: ...
    async def look_again(self, line_id: int, *, rate_rest_ms: int, now: int) -> int:
        """Make due the jobs of a line that rest, because of a limit that they have met; give how many.

        Args:
            line_id: The line.
            rate_rest_ms: How long a rate of its own lets a job rest; such rests are left alone.
            now: Unix ms.
        """
        ...

    async def move(self, job_id: int, state: BulkState, *, now: int) -> BulkJob | None:
        """Move a job on if BULK_MOVES allows it, in one step; None if not.

        A job that is cancelled loses its waiting recipients at the same moment.
        """
        ...

    async def waiting(self, job: BulkJob, limit: int) -> list[BulkRecipient]:
        """Who is next."""
        ...

    async def fed(
        self, job_id: int, recipients: Sequence[BulkRecipient], *, fed_count: int, next_feed_at: int
    ) -> BulkState | None:
        """Write down what became of these recipients; give the job's state as it stands now."""
        ...

    async def unfinished(self, job_id: int, limit: int) -> list[int]:
        """Outbox items of the job that are not over."""
        ...

    async def tally(self, job_ids: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
        """For each job how many recipients have which status (BulkOutcome.status)."""
        ...

    async def results(
        self,
        job_id: int,
        *,
        status: str | None,
        after: int | None,
        offset: int | None = None,
        limit: int,
    ) -> list[BulkOutcome]:
        """Recipients by position, after one, or after so many, with what became of their messages."""
        ...
