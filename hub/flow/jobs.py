"""Ask for long work: replay, requeue, purge. Asking is one row; a worker runs it (hub.flow.replay)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from hub.flow.ports import Clock, WakeUps
from hub.flow.repositories import DeliveryFilter, Store
from hub.flow.webhooks import require_active
from hub.model.delivery import DeliveryState
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory, first_id_at
from hub.model.job import Job
from hub.model.webhook import Webhook

MISSING = "missing_required_parameter"
REFUSED = "invalid_parameter_value"


class ReplayArguments(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay job replays: one event, a range of events, or what was held."""

    webhook_id: int
    event_id: int | None = None
    #: Event ids, both ends included.
    first_id: int = 0
    last_id: int = 0
    is_held_only: bool = False
    #: Patterns; empty for all that the webhook wants.
    event_types: tuple[str, ...] = ()


class FilterArguments(msgspec.Struct, frozen=True, kw_only=True):
    """Which dead letters a requeue or purge job is about."""

    webhook_id: int | None = None
    event_type: str | None = None
    #: Delivery ids, both ends included.
    first_id: int | None = None
    last_id: int | None = None

    def wanted(self) -> DeliveryFilter:
        return DeliveryFilter(
            webhook_id=self.webhook_id,
            event_type=self.event_type,
            states=frozenset({DeliveryState.DEAD}),
            first_id=self.first_id,
            last_id=self.last_id,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayWish:
    """What a caller wants replayed: exactly one of an event, a range or what was missed."""

    event_id: int | None = None
    #: Unix ms.
    since: int | None = None
    until: int | None = None
    is_missed_only: bool = False
    event_types: tuple[str, ...] = ()


class JobDesk:
    """Takes orders for long work."""

    def __init__(self, *, store: Store, clock: Clock, new_id: IdFactory, wake_ups: WakeUps) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups

    async def replay(self, webhook: Webhook, wish: ReplayWish) -> Job:
        """Order a replay to one webhook: events it had, and events that it wants and never had.

        Raises:
            InvalidRequest: webhook_disabled, event_not_found, or a wish that is not one of the three.
        """
        require_active(webhook)
        if sum((wish.event_id is not None, wish.since is not None, wish.is_missed_only)) != 1:
            raise InvalidRequest(
                MISSING,
                "Give one of 'event_id', 'since' (with or without 'until') or 'missed_while_disabled'.",
            )
        if wish.event_id is not None:
            await self._require_event(webhook, wish.event_id)
            arguments = ReplayArguments(webhook_id=webhook.id, event_id=wish.event_id)
            return await self._add("replay", arguments, 1)
        if wish.is_missed_only:
            arguments = ReplayArguments(
                webhook_id=webhook.id, is_held_only=True, event_types=wish.event_types
            )
            held = DeliveryFilter(webhook_id=webhook.id, states=frozenset({DeliveryState.HELD}))
            return await self._add("replay", arguments, await self._store.deliveries.count(held))
        first_id, last_id = self._range(wish.since, wish.until)
        arguments = ReplayArguments(
            webhook_id=webhook.id, first_id=first_id, last_id=last_id, event_types=wish.event_types
        )
        total = await self._store.replays.count_events(first_id=first_id, last_id=last_id)
        return await self._add("replay", arguments, total)

    async def requeue(self, arguments: FilterArguments) -> Job:
        """Order that dead letters become due again."""
        return await self._add("requeue", arguments, await self._count(arguments))

    async def purge(self, arguments: FilterArguments) -> Job:
        """Order that dead letters are deleted with their attempts."""
        return await self._add("purge", arguments, await self._count(arguments))

    async def get(self, job_id: int) -> Job:
        job = await self._store.jobs.get(job_id)
        if job is None:
            raise InvalidRequest("job_not_found", "Job not found.")
        return job

    async def cancel(self, job_id: int) -> Job:
        """Stop a running job after its present page; what it did stays done.

        Raises:
            InvalidRequest: job_not_found or job_finished.
        """
        job = await self.get(job_id)
        if not await self._store.replays.cancel(job_id, at=self._clock.now_ms()):
            raise InvalidRequest(
                "job_finished", f"The job is over ({job.state}); there is nothing to cancel."
            )
        return await self.get(job_id)

    async def _count(self, arguments: FilterArguments) -> int:
        return await self._store.deliveries.count(arguments.wanted())

    async def _require_event(self, webhook: Webhook, event_id: int) -> None:
        event = await self._store.events.get(event_id)
        if event is None:
            raise InvalidRequest("event_not_found", "Event not found.", param="event_id")
        if webhook.line_id is not None and event.line_id != webhook.line_id:
            message = "The event belongs to another line than the webhook."
            raise InvalidRequest(REFUSED, message, param="event_id")

    def _range(self, since: int | None, until: int | None) -> tuple[int, int]:
        now = self._clock.now_ms()
        last = now if until is None else min(until, now)
        first = 0 if since is None else since
        if first > last:
            raise InvalidRequest(REFUSED, "'since' must not be later than 'until' or now.", param="since")
        return id_range(first, last)

    async def _add(self, kind: str, arguments: msgspec.Struct, total: int) -> Job:
        job = Job(
            id=self._new_id(),
            kind=kind,
            state="running",
            arguments=msgspec.json.encode(arguments).decode(),
            cursor=0,
            done_count=0,
            total_count=total,
            error=None,
            created_at=self._clock.now_ms(),
            finished_at=None,
        )
        await self._store.jobs.add(job)
        self._wake_ups.job_added()
        return job


def id_range(first_ms: int, last_ms: int) -> tuple[int, int]:
    """Turn a range of instants, both ends included, into the range of ids made in it, as far as ids go."""
    return first_id_at(first_ms), first_id_at(last_ms + 1) - 1
