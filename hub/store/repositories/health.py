"""How lines fare: what a look needs to count, and what it has found.

Counting is bounded: one day of one line, and its latest chats; each is a range of an index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, update

from hub.flow.safety_repositories import DayRecord, HealthRecord
from hub.flow.safety_rows import CountKey
from hub.model.ids import first_id_at
from hub.model.outbox import OutboxState
from hub.rules.budget import MESSAGES
from hub.rules.line_health import Figures
from hub.rules.local_time import Window
from hub.store.database import Database
from hub.store.safety_merging import SEEN
from hub.store.schema import chats, line_counts, line_days, line_health, messages, openings, outbox

_RECORD = [line_health.c[field.name] for field in fields(HealthRecord)]
_FIGURES = [field.name for field in fields(Figures)]
_BRIDGE = ("bridge_status", "bridge_reason", "bridge_at")

_IS_SEEN = messages.c.is_known == SEEN
_IS_SENT = and_(
    messages.c.is_from_me == 1,
    or_(_IS_SEEN, and_(messages.c.is_known == 1, messages.c.accepted_at.is_not(None))),
)
_HAS_ARRIVED = or_(messages.c.delivered_at.is_not(None), messages.c.read_at.is_not(None))


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


class SqlHealth:
    """hub.flow.safety_repositories.Health."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, line_id: int) -> HealthRecord | None:
        query = select(*_RECORD).where(line_health.c.line_id == line_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else HealthRecord(**row._mapping)

    async def all(self) -> list[HealthRecord]:
        query = select(*_RECORD).order_by(line_health.c.line_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [HealthRecord(**row._mapping) for row in rows]

    async def looked(self, record: HealthRecord, *, was_since: int | None) -> bool:
        values = {name: value for name, value in asdict(record).items() if name not in _BRIDGE}

        def work(connection: Connection) -> bool:
            mine = line_health.c.line_id == record.line_id
            if was_since is not None:
                change = update(line_health).where(mine, line_health.c.since == was_since).values(values)
                return connection.execute(change).rowcount > 0
            if connection.execute(select(line_health.c.line_id).where(mine)).first() is not None:
                return False
            connection.execute(insert(line_health).values(values))
            return True

        return await self._database.write(work)

    async def days(self, line_id: int, *, since: int) -> list[DayRecord]:
        query = select(line_days).where(line_days.c.line_id == line_id, line_days.c.day_start >= since)
        query = query.order_by(line_days.c.day_start)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [
            DayRecord(
                day_start=row.day_start,
                counted_at=row.counted_at,
                figures=Figures(**{name: getattr(row, name) for name in _FIGURES}),
            )
            for row in rows
        ]

    async def save_day(self, line_id: int, day: DayRecord) -> None:
        key = {"line_id": line_id, "day_start": day.day_start}
        values = asdict(day.figures) | {"counted_at": day.counted_at}

        def work(connection: Connection) -> None:
            mine = and_(line_days.c.line_id == line_id, line_days.c.day_start == day.day_start)
            if connection.execute(update(line_days).where(mine).values(values)).rowcount == 0:
                connection.execute(insert(line_days).values(key | values))

        await self._database.write(work)

    async def count(self, line_id: int, window: Window, *, now: int, undelivered_before: int) -> Figures:
        is_silent = and_(~_HAS_ARRIVED, messages.c.failed_at.is_(None))
        seen = select(
            _count(_IS_SENT),
            _count(and_(_IS_SENT, _HAS_ARRIVED)),
            _count(and_(_IS_SENT, messages.c.failed_at.is_not(None), ~_HAS_ARRIVED)),
            _count(and_(messages.c.is_from_me == 0, _IS_SEEN)),
            _count(and_(_IS_SENT, is_silent, messages.c.sent_at < undelivered_before)),
        ).where(
            messages.c.line_id == line_id,
            messages.c.sent_at >= window.start_ms,
            messages.c.sent_at < min(window.end_ms, now + 1),
        )
        refused = select(func.count()).where(
            outbox.c.line_id == line_id,
            outbox.c.state == OutboxState.FAILED.value,
            outbox.c.id >= first_id_at(window.start_ms),
            outbox.c.id < first_id_at(window.end_ms),
            outbox.c.kind.in_(sorted(MESSAGES)),
            outbox.c.attempt_count > 0,
        )

        opened = select(func.count()).where(
            openings.c.line_id == line_id,
            openings.c.opened_at >= window.start_ms,
            openings.c.opened_at < window.end_ms,
        )

        def work(connection: Connection) -> Figures:
            sent, delivered, failed, received, undelivered = connection.execute(seen).one()
            never_sent = connection.execute(refused).scalar_one()
            return Figures(
                sent=int(sent),
                delivered=int(delivered),
                failed=int(failed) + int(never_sent),
                received=int(received),
                new_conversations=int(connection.execute(opened).scalar_one()),
                undelivered=int(undelivered),
            )

        return await self._database.read(work)

    async def unanswered(self, line_id: int, *, since: int, most_chats: int) -> int:
        latest = (
            select(chats.c.id)
            .where(chats.c.line_id == line_id, chats.c.last_message_at >= since)
            .order_by(chats.c.last_message_at.desc(), chats.c.id.desc())
            .limit(most_chats)
            .subquery()
        )
        mine = and_(messages.c.chat_id == latest.c.id, messages.c.sent_at >= since, _IS_SEEN)
        answered_at = (
            select(messages.c.sent_at)
            .where(mine, messages.c.is_from_me == 0)
            .order_by(messages.c.sent_at.desc(), messages.c.id.desc())
            .limit(1)
            .correlate(latest)
            .scalar_subquery()
        )
        answers = select(latest.c.id, func.coalesce(answered_at, since - 1).label("at")).subquery()
        streak = (
            select(func.count())
            .where(
                messages.c.chat_id == answers.c.id,
                messages.c.sent_at > answers.c.at,
                messages.c.is_from_me == 1,
                _IS_SEEN,
            )
            .correlate(answers)
            .scalar_subquery()
        )
        query = select(func.max(streak)).select_from(answers)
        found = await self._database.read(lambda connection: connection.execute(query).scalar())
        return int(found or 0)

    async def used(self, keys: Sequence[CountKey]) -> Mapping[CountKey, int]:
        def work(connection: Connection) -> dict[CountKey, int]:
            found = {}
            for key in keys:
                query = select(line_counts.c.count).where(
                    *(line_counts.c[name] == value for name, value in key._asdict().items())
                )
                if (count := connection.execute(query).scalar()) is not None:
                    found[key] = int(count)
            return found

        return await self._database.read(work)

    async def forget(self, *, before: int) -> None:
        def work(connection: Connection) -> None:
            connection.execute(delete(line_counts).where(line_counts.c.window_start < before))
            connection.execute(delete(line_days).where(line_days.c.day_start < before))

        await self._database.write(work)
