"""Turn the recipients of bulk sends into messages, a few at a time, each exactly once.

Few are under way at a time, so that pausing and cancelling bite at once and other sends of the line pass by. Each
recipient is accepted under an idempotency key of their own: whoever feeds the same recipient again, after a crash or
beside another worker, adds nothing. Not here: when to feed (hub.worker.bulk).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import msgspec
import structlog

from hub.flow.bulk import MOST_UNDER_WAY, cancel_unfinished
from hub.flow.bulk_payloads import bulk_completed_data
from hub.flow.directory import DirectoryHolder
from hub.flow.outgoing import Order, Outgoing
from hub.flow.ports import Clock
from hub.flow.recipients import find_recipient, require_contact
from hub.flow.record import Recorder
from hub.flow.repeating import Accepted, Answer, Repeatable
from hub.flow.repositories import Store
from hub.flow.rows import EventRow
from hub.flow.second_thoughts import SecondThoughts
from hub.flow.wishes import Wish
from hub.model.bulk import BulkJob, BulkRecipient, BulkState, RecipientState
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import direct_chat_key
from hub.rules.facts import dedupe_key

log = structlog.get_logger("bulk")

MINUTE_MS = 60_000
#: The slowest rate of a job, after the most that begin at once.
LONGEST_RATE_REST_MS = MOST_UNDER_WAY * MINUTE_MS
#: Refusals that a later try may not meet.
_PASSING = frozenset({"message_limit_reached", "new_conversation_limit_reached", "rate_limit_exceeded"})
#: A line that is gone or switched off is looked at again this late.
_REST_MS = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedingParts:
    """What feeding needs."""

    store: Store
    directory: DirectoryHolder
    outgoing: Outgoing
    second_thoughts: SecondThoughts
    recorder: Recorder
    clock: Clock


class BulkFeeding:
    """Feeds jobs."""

    def __init__(self, parts: FeedingParts) -> None:
        self._parts = parts

    async def feed(self, job: BulkJob) -> int | None:
        """Begin the next few of a running job, or end it when everybody has been dealt with.

        Of one that was cancelled, cancel what is queued still: whoever cancelled it was cut off.

        Returns:
            Unix ms at which to look again; None when the job is over.
        """
        parts, now = self._parts, self._parts.clock.now_ms()
        if job.state is BulkState.CANCELLED:
            await self._cancel_rest(job)
            return None
        if job.next_feed_at > now:
            return job.next_feed_at
        line = parts.directory.current.lines_by_id.get(job.line_id)
        if line is None or not line.is_active:
            return now + _REST_MS
        under_way = len(await parts.store.bulk.unfinished(job.id, MOST_UNDER_WAY))
        room = MOST_UNDER_WAY - under_way
        if job.rate_per_minute is not None:
            room = min(room, _due_by_rate(job, now))
        waiting = await parts.store.bulk.waiting(job, room) if room > 0 else []
        if not waiting:
            if room > 0 and under_way == 0:
                await self._complete(job, line)
                return None
            return now
        return await self._begin(job, line, waiting)

    async def _begin(self, job: BulkJob, line: Line, waiting: Sequence[BulkRecipient]) -> int | None:
        """Accept these recipients, and write down what became of each."""
        parts, now = self._parts, self._parts.clock.now_ms()
        able: list[BulkRecipient] = []
        done: list[BulkRecipient] = []
        for recipient in waiting:
            refusal = await self._refusal(line, recipient)
            if refusal is None:
                able.append(recipient)
            else:
                done.append(_skipped(recipient, refusal))
        answers = await parts.outgoing.accept_many(
            line, [_order(job, line, each) for each in able], api_key_id=job.api_key_id
        )
        rests_until = None
        for recipient, answer in zip(able, answers, strict=True):
            if isinstance(answer, InvalidRequest) and answer.code in _PASSING:
                rests_until = now + 1000 * (answer.retry_after or 60)
                break  # the others have met the same limit; they wait
            done.append(_dealt_with(recipient, answer))
        fed_count = min((each.position for each in waiting if each not in _originals(done, waiting)),
                        default=waiting[-1].position + 1)  # fmt: skip
        next_feed_at = rests_until or _next_by_rate(job, now, len(done))
        state = await parts.store.bulk.fed(job.id, done, fed_count=fed_count, next_feed_at=next_feed_at)
        if state is BulkState.CANCELLED:
            await self._cancel_rest(job)
            return None
        return next_feed_at if state is BulkState.RUNNING else None

    async def _cancel_rest(self, job: BulkJob) -> None:
        parts, line = self._parts, self._parts.directory.current.lines_by_id.get(job.line_id)
        if line is not None:
            await cancel_unfinished(parts.store, parts.recorder, parts.second_thoughts, job, line)

    async def _refusal(self, line: Line, recipient: BulkRecipient) -> InvalidRequest | None:
        """Contact-first, which is not the guard's."""
        try:
            require_contact(line, await find_recipient(self._parts.store, line, recipient.handle))
        except InvalidRequest as refusal:
            return refusal
        return None

    async def _complete(self, job: BulkJob, line: Line) -> None:
        """Tell that a job is over, once, and write it down; a crash in between tells nothing twice."""
        parts, now = self._parts, self._parts.clock.now_ms()
        tallies = await parts.store.bulk.tally([job.id])
        event = EventRow(
            0,
            "bulk.completed",
            line.id,
            None,
            dedupe_key(f"{line.id}:{job.id}:", "bulk.completed:"),
            now,
            None,
            bulk_completed_data(job, line, tallies[job.id], finished_at=now),
        )

        async def tell(_: object) -> tuple[None, list[EventRow]]:
            return None, [event]

        await parts.recorder.write(tell)
        await parts.store.bulk.move(job.id, BulkState.COMPLETED, now=now)
        log.info("bulk.completed", job_id=id_text(Prefix.BULK, job.id), total=job.total_count)


def _originals(done: Sequence[BulkRecipient], waiting: Sequence[BulkRecipient]) -> list[BulkRecipient]:
    """Those of `waiting` that are in `done`, whatever their state is there."""
    positions = {each.position for each in done}
    return [each for each in waiting if each.position in positions]


def _order(job: BulkJob, line: Line, recipient: BulkRecipient) -> Order:
    said: dict[str, object] = {"text": recipient.text}
    if recipient.template is not None:
        said = {"template": msgspec.json.decode(recipient.template)}
    payload = {
        "from": line.handle,
        "to": recipient.handle,
        **said,
        "chat_key": direct_chat_key(recipient.handle),
    }
    wish = Wish(
        kind=OperationKind.SEND,
        payload=payload,
        priority=job.priority,
        metadata=job.metadata,
        job_id=job.id,
    )
    content = f"{recipient.handle}\0{recipient.template or recipient.text}".encode()
    request_hash = blake2b(content, digest_size=32).digest()
    return Order(
        wish,
        Repeatable(scope=f"bulk:{job.id}", key=str(recipient.position), request_hash=request_hash),
    )


def _dealt_with(recipient: BulkRecipient, answer: Answer) -> BulkRecipient:
    if isinstance(answer, Accepted):
        return replace(
            recipient,
            state=RecipientState.QUEUED,
            outbox_id=answer.outbox_id,
            message_id=answer.message_id,
        )
    return _skipped(recipient, answer)


def _skipped(recipient: BulkRecipient, refusal: InvalidRequest) -> BulkRecipient:
    return replace(recipient, state=RecipientState.SKIPPED, code=refusal.code, error=refusal.message)


def _due_by_rate(job: BulkJob, now: int) -> int:
    """How many may begin now: one a turn of the rate, never a burst to catch up."""
    assert job.rate_per_minute is not None
    return max(1, min(MOST_UNDER_WAY, job.rate_per_minute // 60)) if now >= job.next_feed_at else 0


def _next_by_rate(job: BulkJob, now: int, begun: int) -> int:
    if job.rate_per_minute is None:
        return now
    return now + begun * MINUTE_MS // job.rate_per_minute
