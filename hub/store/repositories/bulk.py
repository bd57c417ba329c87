"""Bulk sends in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from hub.model.bulk import BULK_MOVES, BulkJob, BulkOutcome, BulkRecipient, BulkState, RecipientState
from hub.rules.message_status import MessageStatus
from hub.store.database import Database
from hub.store.repositories.message_filters import has_status
from hub.store.schema import bulk_jobs, bulk_recipients, messages, outbox

_jobs, _recipients = bulk_jobs.c, bulk_recipients.c
_RECIPIENT: Final = [_recipients[name] for name in BulkRecipient.__dataclass_fields__]
_UNFINISHED: Final = 3
#: Rows in one INSERT: some databases take no more than 32,766 values at once.
_CHUNK: Final = 2_000

#: A recipient's status: the message's as soon as there is one.
_STATUS: Final = case(
    (_recipients.state == RecipientState.WAITING, "waiting"),
    (_recipients.state == RecipientState.SKIPPED, "skipped"),
    (_recipients.state == RecipientState.CANCELLED, "cancelled"),
    *((has_status(each), each.value) for each in MessageStatus if each is not MessageStatus.RECEIVED),
    else_="expired",
)
#: What was asked for after the end is a message of the job that somebody tries again. Literals, or neither database
#: would recognise its partial index.
_CUT_OFF: Final = (
    select(bulk_jobs)
    .distinct()
    .join(outbox, outbox.c.job_id == _jobs.id)
    .where(text("outbox.state < 3 AND outbox.job_id IS NOT NULL AND outbox.state = 0"))
    .where(_jobs.state == BulkState.CANCELLED, outbox.c.created_at <= _jobs.finished_at)
    .order_by(_jobs.id)
)
_JOINED: Final = bulk_recipients.outerjoin(messages, messages.c.id == _recipients.message_id)


class SqlBulk:
    """hub.flow.bulk_store.Bulk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, job: BulkJob, recipients: Sequence[BulkRecipient]) -> None:
        rows = [asdict(each) | {"job_id": job.id} for each in recipients]

        def work(connection: Connection) -> None:
            connection.execute(insert(bulk_jobs).values(asdict(job)))
            for start in range(0, len(rows), _CHUNK):
                connection.execute(insert(bulk_recipients), rows[start : start + _CHUNK])

        await self._database.write(work)

    async def get(self, job_id: int) -> BulkJob | None:
        found = await self._many(select(bulk_jobs).where(_jobs.id == job_id))
        return found[0] if found else None

    async def running(self) -> list[BulkJob]:
        return await self._many(select(bulk_jobs).where(_jobs.state == BulkState.RUNNING).order_by(_jobs.id))

    async def cut_off(self) -> list[BulkJob]:
        return await self._many(_CUT_OFF)

    async def _many(self, query: Select[Any]) -> list[BulkJob]:
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_job(row) for row in rows]

    async def count(self, *, line_ids: frozenset[int] | None) -> int:
        query = _on_lines(select(func.count()).select_from(bulk_jobs), line_ids)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def page(
        self, *, line_ids: frozenset[int] | None, after: int | None, offset: int | None = None, limit: int
    ) -> list[BulkJob]:
        query = _on_lines(select(bulk_jobs), line_ids)
        query = query.order_by(_jobs.id.desc()).limit(limit).offset(offset)
        return await self._many(query if after is None else query.where(_jobs.id < after))

    async def move(self, job_id: int, state: BulkState, *, now: int) -> BulkJob | None:
        origins = [origin for origin, ends in BULK_MOVES.items() if state in ends]
        is_over = not BULK_MOVES[state]
        change = update(bulk_jobs).where(_jobs.id == job_id, _jobs.state.in_(origins))

        def work(connection: Connection) -> BulkJob | None:
            if not connection.execute(
                change.values(state=state, finished_at=now if is_over else None)
            ).rowcount:
                return None
            if state is BulkState.CANCELLED:
                connection.execute(_forget_waiting(job_id))
            row = connection.execute(select(bulk_jobs).where(_jobs.id == job_id)).one()
            return _job(row)

        return await self._database.write(work)

    async def look_again(self, line_id: int, *, rate_rest_ms: int, now: int) -> int:
        rests = or_(_jobs.rate_per_minute.is_(None), _jobs.next_feed_at > now + rate_rest_ms)
        resting = (
            _jobs.state == BulkState.RUNNING,
            _jobs.line_id == line_id,
            _jobs.next_feed_at > now,
            or_(_jobs.send_at.is_(None), _jobs.send_at <= now),
            rests,
        )
        query = update(bulk_jobs).where(*resting).values(next_feed_at=now)
        return await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def waiting(self, job: BulkJob, limit: int) -> list[BulkRecipient]:
        query = (
            select(*_RECIPIENT)
            .where(_recipients.job_id == job.id, _recipients.position >= job.fed_count)
            .where(_recipients.state == RecipientState.WAITING)
            .order_by(_recipients.position)
            .limit(limit)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_recipient(row) for row in rows]

    async def fed(
        self, job_id: int, recipients: Sequence[BulkRecipient], *, fed_count: int, next_feed_at: int
    ) -> BulkState | None:
        change = update(bulk_jobs).where(_jobs.id == job_id)

        def work(connection: Connection) -> BulkState | None:
            for each in recipients:
                here = and_(_recipients.job_id == job_id, _recipients.position == each.position)
                connection.execute(update(bulk_recipients).where(here).values(asdict(each)))
            connection.execute(
                change.values(
                    fed_count=case((_jobs.fed_count > fed_count, _jobs.fed_count), else_=fed_count),
                    next_feed_at=next_feed_at,
                )
            )
            state = connection.execute(select(_jobs.state).where(_jobs.id == job_id)).scalar()
            return None if state is None else BulkState(state)

        return await self._database.write(work)

    async def unfinished(self, job_id: int, limit: int) -> list[int]:
        columns = outbox.c
        query = (
            select(columns.id)
            .where(columns.job_id == job_id, columns.state < _UNFINISHED, columns.job_id.is_not(None))
            .order_by(columns.id)
            .limit(limit)
        )
        return await self._database.read(lambda connection: list(connection.execute(query).scalars()))

    async def tally(self, job_ids: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
        query = (
            select(_recipients.job_id, _STATUS.label("status"), func.count().label("number"))
            .select_from(_JOINED)
            .where(_recipients.job_id.in_(job_ids))
            .group_by(_recipients.job_id, _STATUS)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        found: dict[int, dict[str, int]] = {job_id: {} for job_id in job_ids}
        for job_id, status, number in rows:
            found[job_id][status] = number
        return found

    async def results(
        self,
        job_id: int,
        *,
        status: str | None,
        after: int | None,
        offset: int | None = None,
        limit: int,
    ) -> list[BulkOutcome]:
        told: list[ColumnElement[Any]] = [
            _STATUS.label("status"),
            messages.c.accepted_at.label("sent_at"),
            messages.c.delivered_at,
            messages.c.read_at,
            messages.c.failed_at,
            messages.c.error.label("message_error"),
        ]
        query = (
            select(*_RECIPIENT, *told)
            .select_from(_JOINED)
            .where(_recipients.job_id == job_id, _recipients.position > (-1 if after is None else after))
            .order_by(_recipients.position)
            .limit(limit)
            .offset(offset)
        )
        if status is not None:
            query = query.where(_STATUS.in_([status]))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_outcome(row) for row in rows]


def _on_lines(query: Select[Any], line_ids: frozenset[int] | None) -> Select[Any]:
    return query if line_ids is None else query.where(_jobs.line_id.in_(line_ids))


def _forget_waiting(job_id: int) -> Any:
    here = and_(_recipients.job_id == job_id, _recipients.state == RecipientState.WAITING)
    return update(bulk_recipients).where(here).values(state=RecipientState.CANCELLED)


def _job(row: Row[Any]) -> BulkJob:
    values = dict(row._mapping)
    return BulkJob(**values | {"state": BulkState(row.state)})


def _recipient(row: Row[Any]) -> BulkRecipient:
    values = {name: getattr(row, name) for name in BulkRecipient.__dataclass_fields__}
    return BulkRecipient(**values | {"state": RecipientState(row.state)})


def _outcome(row: Row[Any]) -> BulkOutcome:
    return BulkOutcome(
        recipient=_recipient(row),
        status=row.status,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        failed_at=row.failed_at,
        message_error=row.message_error,
    )
