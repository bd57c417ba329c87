"""Bulk sends as clients ask for them: make a job, watch it, pause, resume and cancel it.

A job is durable with all its recipients when its maker is answered. Not here: who turns recipients into messages
(hub.flow.bulk_feeding), and reading files of recipients (hub.flow.bulk_reading).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.flow.bulk_reading import Addressee, Checked, RowProblem, check
from hub.flow.outgoing import Outgoing
from hub.flow.ports import Clock, WakeUps
from hub.flow.record import Recorder
from hub.flow.repositories import Store
from hub.flow.second_thoughts import SecondThoughts
from hub.flow.wishes import Wish
from hub.model.bulk import BulkJob, BulkOutcome, BulkState
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.model.template import Template

#: Of one job that may be under way when it is cancelled (hub.flow.bulk_feeding keeps to it).
MOST_UNDER_WAY = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkWish:
    """What a client wants sent to many."""

    line: Line
    name: str | None
    #: For recipients without a text of their own; may have gaps (hub.rules.placeholders).
    text: str | None
    recipients: Iterable[Addressee | RowProblem]
    #: In the place of all texts; what fills it may have gaps.
    template: Template | None = None
    priority: int = 0
    send_at: int | None = None
    rate_per_minute: int | None = None
    metadata: str | None = None
    #: Send to the good ones, and leave the others out.
    is_skipping_invalid: bool = False
    #: Texts are taken as they stand, without gaps.
    is_literal: bool = False
    #: Who is named several times gets as many messages.
    is_allowing_duplicates: bool = False
    #: Check everything, keep nothing.
    is_dry_run: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """A job, and how far it is."""

    job: BulkJob
    #: Recipients by status.
    tally: Mapping[str, int] = field(default_factory=dict)


class BulkDesk:
    """All bulk sends."""

    def __init__(
        self,
        *,
        store: Store,
        outgoing: Outgoing,
        second_thoughts: SecondThoughts,
        recorder: Recorder,
        clock: Clock,
        new_id: IdFactory,
        wake_ups: WakeUps,
    ) -> None:
        self._store = store
        self._outgoing = outgoing
        self._second_thoughts = second_thoughts
        self._recorder = recorder
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups

    async def make(self, wish: BulkWish, *, api_key_id: int | None) -> tuple[BulkJob, Checked]:
        """Check a job and keep it.

        Raises:
            InvalidRequest: Nothing is kept: what the line cannot do, or what is wrong with the first recipient.
        """
        said = {"text": "…"} if wish.template is None else {"template": {"name": wish.template.name}}
        self._outgoing.check(wish.line, Wish(kind=OperationKind.SEND, payload=said))
        if wish.template is not None and wish.text is not None:
            raise InvalidRequest(
                "invalid_parameter_value", "'template' stands alone, without 'text'.", param="template"
            )
        checked = check(
            wish.recipients,
            text=wish.text,
            template=wish.template,
            is_literal=wish.is_literal,
            is_allowing_duplicates=wish.is_allowing_duplicates,
        )
        if checked.problems and not wish.is_skipping_invalid:
            raise checked.refusal()
        if not checked.recipients:
            raise InvalidRequest(
                "missing_required_parameter", "There is nobody to send to.", param="recipients"
            )
        now = self._clock.now_ms()
        job = BulkJob(
            id=self._new_id(),
            line_id=wish.line.id,
            api_key_id=api_key_id,
            name=wish.name,
            state=BulkState.RUNNING,
            priority=wish.priority,
            send_at=wish.send_at if wish.send_at is not None and wish.send_at > now else None,
            rate_per_minute=wish.rate_per_minute,
            metadata=wish.metadata,
            total_count=len(checked.recipients),
            duplicate_count=checked.duplicate_count,
            fed_count=0,
            next_feed_at=max(now, wish.send_at or 0),
            created_at=now,
            finished_at=None,
        )
        if not wish.is_dry_run:
            await self._store.bulk.add(job, checked.recipients)
            self._wake_ups.job_added()
        return job, checked

    async def get(self, job_id: int) -> BulkJob:
        job = await self._store.bulk.get(job_id)
        if job is None:
            raise InvalidRequest("bulk_not_found", "Bulk job not found.")
        return job

    async def watch(self, jobs: Sequence[BulkJob]) -> list[Watched]:
        """Tell how far jobs are."""
        tallies = await self._store.bulk.tally([job.id for job in jobs]) if jobs else {}
        return [Watched(job=job, tally=tallies[job.id]) for job in jobs]

    async def page(
        self, line_ids: Iterable[int], *, after: int | None, offset: int | None = None, limit: int
    ) -> Sequence[BulkJob]:
        """The jobs on these lines, newest first, after an id, or after so many."""
        return await self._store.bulk.page(
            line_ids=frozenset(line_ids), after=after, offset=offset, limit=limit
        )

    async def count(self, line_ids: Iterable[int]) -> int:
        """How many jobs there are on these lines."""
        return await self._store.bulk.count(line_ids=frozenset(line_ids))

    async def results(
        self,
        job: BulkJob,
        *,
        status: str | None,
        after: int | None,
        offset: int | None = None,
        limit: int,
    ) -> Sequence[BulkOutcome]:
        """Recipients in the order given, with what became of their messages."""
        return await self._store.bulk.results(job.id, status=status, after=after, offset=offset, limit=limit)

    async def pause(self, job_id: int) -> BulkJob:
        """Begin nothing more; what is under way already (MOST_UNDER_WAY at the most) still goes out."""
        return await self._move(job_id, BulkState.PAUSED)

    async def resume(self, job_id: int) -> BulkJob:
        """Go on."""
        job = await self._move(job_id, BulkState.RUNNING)
        self._wake_ups.job_added()
        return job

    async def cancel(self, job_id: int, line: Line | None) -> BulkJob:
        """Send nothing more, not even what is queued; what a bridge has cannot be called back."""
        job = await self._move(job_id, BulkState.CANCELLED)
        if line is not None:
            await cancel_unfinished(self._store, self._recorder, self._second_thoughts, job, line)
        return job

    async def _move(self, job_id: int, state: BulkState) -> BulkJob:
        job = await self._store.bulk.move(job_id, state, now=self._clock.now_ms())
        if job is None:
            current = await self.get(job_id)
            raise InvalidRequest(
                "bulk_state_conflict",
                f"The job is {current.state}; it cannot become {state}.",
            )
        return job


async def cancel_unfinished(
    store: Store, recorder: Recorder, second_thoughts: SecondThoughts, job: BulkJob, line: Line
) -> None:
    """Cancel what a job has queued and no bridge has yet."""
    ids = await store.bulk.unfinished(job.id, MOST_UNDER_WAY * 4)
    if ids:
        await recorder.write(lambda tx: second_thoughts.cancel_in(tx, line, ids))
