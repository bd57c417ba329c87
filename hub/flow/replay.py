"""Run long work page by page: replay events to a webhook, requeue dead letters, purge them.

Each page is done and then noted; a crash between the two repeats a page, which adds nothing. A replayed event
keeps its id and its delivery's id, so that a receiver's dedupe holds; its attempts go on counting.
Not here: asking for such work (hub.flow.jobs).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.event_store import Event
from hub.flow.jobs import FilterArguments, ReplayArguments
from hub.flow.ports import Clock, WakeUps
from hub.flow.record import TakeIds
from hub.flow.repositories import DeliveryFilter, Store
from hub.flow.rows import DeliveryRow
from hub.model.delivery import DeliveryState
from hub.model.errors import StoreError
from hub.model.ids import Prefix, id_text
from hub.model.job import Job
from hub.model.webhook import Webhook
from hub.rules.conditions import Condition, compile_condition
from hub.rules.event_types import expand_pattern
from hub.rules.lanes import shard_of
from hub.rules.matching import MatchTable, Subscription

log = structlog.get_logger("jobs")

#: Rows of one page: bounds how long a transaction holds the store, and how much a crash repeats.
PAGE_SIZE: Final = 500
#: Some seconds of work, so that a worker that is told to stop soon can.
PAGES_IN_A_SLICE: Final = 20
#: Events addressed to one webhook; they mean nothing to another one.
_ADDRESSED: Final = frozenset({"webhook.test"})


class JobFailed(Exception):
    """The job cannot be done; the message says why."""


class Page(NamedTuple):
    """What one step of a job did."""

    #: Where the next one goes on.
    cursor: int
    #: How many rows it looked at.
    row_count: int
    #: Webhooks whose lanes now have something due.
    webhook_ids: frozenset[int]
    is_last: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tools:
    """What the steps work with."""

    store: Store
    directory: DirectoryHolder
    take_ids: TakeIds
    wake_ups: WakeUps
    clock: Clock


class ReplayJobs:
    """Runs what was asked for. Two workers with one job do no harm: the later one's progress is refused."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        take_ids: TakeIds,
        wake_ups: WakeUps,
        clock: Clock,
    ) -> None:
        self._tools = _Tools(
            store=store, directory=directory, take_ids=take_ids, wake_ups=wake_ups, clock=clock
        )

    async def run_slice(self, *, most_pages: int = PAGES_IN_A_SLICE) -> None:
        """Move every unfinished job on by a bounded number of pages, and ask to be called again if any is left.

        Raises:
            StoreError: The store is away; jobs go on from their cursors another time.
        """
        is_any_left = False
        for job in await self._tools.store.jobs.running():
            is_any_left |= (await self.run(job, most_pages=most_pages)).state == "running"
        if is_any_left:
            self._tools.wake_ups.job_added()

    async def run(self, job: Job, *, most_pages: int | None = None) -> Job:
        """Run a job from its cursor to its end, to the page given, or until it is cancelled.

        Returns:
            The job as it was left.
        """
        pages = 0
        while job.state == "running" and (most_pages is None or pages < most_pages):
            moved = await self._run_page(job)
            if moved is None:
                return await self._tools.store.jobs.get(job.id) or job
            job, pages = moved, pages + 1
        if job.state != "running":
            job_id = id_text(Prefix.JOB, job.id)
            log.info("job.finished", job_id=job_id, kind=job.kind, state=job.state, done_count=job.done_count)
        return job

    async def _run_page(self, job: Job) -> Job | None:
        """Do a page and note it; None when another worker, or a person, had the job meanwhile."""
        now = self._tools.clock.now_ms()
        webhook_ids: frozenset[int] = frozenset()
        try:
            page = await _STEPS[job.kind](job, self._tools)
            moved, webhook_ids = _after(job, page, now), page.webhook_ids
        except StoreError:
            raise
        except JobFailed as error:
            moved = replace(job, state="failed", error=str(error), finished_at=now)
        except Exception as error:
            log.exception("job.failed", job_id=id_text(Prefix.JOB, job.id), kind=job.kind)
            reason = f"A mistake of ours: {type(error).__name__}."
            moved = replace(job, state="failed", error=reason, finished_at=now)
        is_ours = await self._tools.store.replays.advance(moved, from_cursor=job.cursor)
        for webhook_id in webhook_ids:
            self._tools.wake_ups.lane_due(webhook_id, now)
        return moved if is_ours else None


def _after(job: Job, page: Page, now: int) -> Job:
    done = job.done_count + page.row_count
    moved = replace(job, cursor=page.cursor, done_count=done, total_count=max(job.total_count, done))
    return replace(moved, state="succeeded", finished_at=now) if page.is_last else moved


async def _replay(job: Job, tools: _Tools) -> Page:
    arguments = msgspec.json.decode(job.arguments, type=ReplayArguments)
    webhook = (await tools.directory.refresh()).webhooks.get(arguments.webhook_id)
    if webhook is None:
        raise JobFailed("The webhook was deleted.")
    if arguments.is_held_only:
        return await _replay_held(job, arguments, tools)
    if arguments.event_id is not None:
        event = await tools.store.events.get(arguments.event_id)
        if event is None:
            raise JobFailed("The event is gone: its days of retention are over.")
        return await _make_due([event], webhook, tools, is_last=True)
    first_id = max(arguments.first_id, job.cursor + 1)
    events = await tools.store.events.page(first_id=first_id, last_id=arguments.last_id, limit=PAGE_SIZE)
    wanted = _wanted(events, webhook, arguments.event_types)
    page = await _make_due(wanted, webhook, tools, is_last=len(events) < PAGE_SIZE)
    return page._replace(cursor=events[-1].id if events else job.cursor, row_count=len(events))


def _wanted(events: Sequence[Event], webhook: Webhook, event_types: Sequence[str]) -> list[Event]:
    """Keep the events that the webhook asks for, as it stands today."""
    table = MatchTable([_subscription(webhook)])
    types = {name for pattern in event_types for name in expand_pattern(pattern)}
    return [
        event
        for event in events
        if event.type not in _ADDRESSED
        and (not types or event.type in types)
        and table.match(event.type, event.line_id, _payload(event))
    ]


def _payload(event: Event) -> Callable[[], dict[str, object]]:
    return lambda: {"event": event.type, "data": msgspec.json.decode(event.data)}


def _subscription(webhook: Webhook) -> Subscription:
    condition = None
    if webhook.condition is not None:
        compiled = compile_condition(msgspec.json.decode(webhook.condition))
        if not isinstance(compiled, Condition):
            raise JobFailed(f"The webhook's filter does not compile: {compiled[0]}")
        condition = compiled
    return Subscription(
        webhook_id=webhook.id,
        line_id=webhook.line_id,
        patterns=webhook.patterns,
        condition=condition,
        is_active=True,
    )


async def _make_due(events: Sequence[Event], webhook: Webhook, tools: _Tools, *, is_last: bool) -> Page:
    now = tools.clock.now_ms()
    shard = shard_of(webhook.id)
    ids = tools.take_ids(len(events))
    rows = [
        DeliveryRow(delivery_id, event.id, webhook.id, shard, DeliveryState.PENDING, now)
        for delivery_id, event in zip(ids, events, strict=True)
    ]
    await tools.store.replays.make_due(rows)
    woken = frozenset({webhook.id}) if rows else frozenset[int]()
    cursor = events[-1].id if events else 0
    return Page(cursor=cursor, row_count=len(rows), webhook_ids=woken, is_last=is_last)


async def _replay_held(job: Job, arguments: ReplayArguments, tools: _Tools) -> Page:
    """Release a page of what was held. Released rows are held no more, so it always begins at the start."""
    types = {name for pattern in arguments.event_types for name in expand_pattern(pattern)}
    every: list[str | None] = [None]
    for event_type in sorted(types) or every:
        held = DeliveryFilter(
            webhook_id=arguments.webhook_id, event_type=event_type, states=frozenset({DeliveryState.HELD})
        )
        ids = await tools.store.deliveries.requeue_page(
            held, after=0, limit=PAGE_SIZE, now=tools.clock.now_ms()
        )
        if ids:
            woken = frozenset({arguments.webhook_id})
            return Page(cursor=ids[-1], row_count=len(ids), webhook_ids=woken, is_last=False)
    return Page(cursor=job.cursor, row_count=0, webhook_ids=frozenset(), is_last=True)


async def _requeue(job: Job, tools: _Tools) -> Page:
    wanted = msgspec.json.decode(job.arguments, type=FilterArguments).wanted()
    now = tools.clock.now_ms()
    ids = await tools.store.deliveries.requeue_page(wanted, after=job.cursor, limit=PAGE_SIZE, now=now)
    webhook_ids = await _webhooks_of(ids, wanted, tools)
    return _filter_page(ids, job, webhook_ids)


async def _webhooks_of(ids: Sequence[int], wanted: DeliveryFilter, tools: _Tools) -> frozenset[int]:
    if not ids:
        return frozenset()
    if wanted.webhook_id is not None:
        return frozenset({wanted.webhook_id})
    due = DeliveryFilter(first_id=ids[0], last_id=ids[-1], states=frozenset({DeliveryState.PENDING}))
    found = await tools.store.deliveries.list(due, after=None, limit=PAGE_SIZE)
    return frozenset(delivery.webhook_id for delivery in found)


async def _purge(job: Job, tools: _Tools) -> Page:
    wanted = msgspec.json.decode(job.arguments, type=FilterArguments).wanted()
    ids = await tools.store.deliveries.purge_page(wanted, after=job.cursor, limit=PAGE_SIZE)
    return _filter_page(ids, job, frozenset())


def _filter_page(ids: Sequence[int], job: Job, webhook_ids: frozenset[int]) -> Page:
    cursor = ids[-1] if ids else job.cursor
    return Page(cursor=cursor, row_count=len(ids), webhook_ids=webhook_ids, is_last=len(ids) < PAGE_SIZE)


#: Each kind of job and its step.
_STEPS: Final[dict[str, Callable[[Job, _Tools], Awaitable[Page]]]] = {
    "purge": _purge,
    "replay": _replay,
    "requeue": _requeue,
}
