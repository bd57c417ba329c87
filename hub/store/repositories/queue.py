"""What waits, counted. Every query walks one partial index of what waits, whatever history there is beside it.

The conditions of those indexes are spelled here as literals: neither database recognises them in parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, func, select, text

from hub.flow.event_store import LaneStanding
from hub.model.delivery import DeliveryState
from hub.model.outbox import OutboxState
from hub.store.database import Database
from hub.store.repositories.pending import IS_PENDING, IS_WAITING_FOR_A_PERSON
from hub.store.schema import deliveries, outbox

_IS_UNTRIED = text("outbox.state < 3 AND outbox.attempt_count = 0")
_IS_STARTED = text("outbox.state < 3 AND outbox.attempt_count > 0")
_HAS_FAILED = text("outbox.state = 4")


class _Counted(NamedTuple):
    """One group of a query."""

    lane_id: int
    state: int
    number: int
    later: int
    oldest_id: int
    is_retry: int = 0


class SqlQueue:
    """hub.flow.repositories.Queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliveries(self, *, now: int) -> list[LaneStanding]:
        return await self._standings(DeliveryState.PENDING, delivery_queries(now))

    async def outbox(self, *, now: int) -> list[LaneStanding]:
        return await self._standings(OutboxState.PENDING, outbox_queries(now))

    async def _standings(self, pending: int, queries: Iterable[Select[Any]]) -> list[LaneStanding]:
        def work(connection: Connection) -> list[_Counted]:
            return [_Counted(*row) for query in queries for row in connection.execute(query)]

        return _summed(await self._database.read(work), pending)


def delivery_queries(now: int) -> list[Select[Any]]:
    """Deliveries that are pending, and those that wait for a person."""
    table, state = deliveries.c, deliveries.c.state
    pending = _counting(table.webhook_id, 0, table.next_attempt_at > now, table.id).where(IS_PENDING)
    waiting = _counting(table.webhook_id, state, None, table.id).where(IS_WAITING_FOR_A_PERSON)
    return [pending.group_by(table.shard, table.webhook_id), waiting.group_by(table.webhook_id, state)]


def outbox_queries(now: int) -> list[Select[Any]]:
    """Items that were never tried, those under way, and those that failed."""
    table, state = outbox.c, outbox.c.state
    is_later = table.next_attempt_at > now
    untried = _counting(table.line_id, 0, is_later, table.id).where(_IS_UNTRIED)
    started = _counting(table.line_id, state, is_later, table.id).add_columns(text("1")).where(_IS_STARTED)
    failed = _counting(table.line_id, int(OutboxState.FAILED), None, table.id).where(_HAS_FAILED)
    return [
        untried.group_by(table.shard, table.line_id),
        started.group_by(table.shard, table.line_id, state),
        failed.group_by(table.line_id),
    ]


def _counting(lane: Any, state: Any, is_later: Any, id: Any) -> Select[Any]:
    later = text("0") if is_later is None else func.sum(case((is_later, 1), else_=0))
    shown = text(str(state)) if isinstance(state, int) else state
    return select(lane, shown, func.count(), later, func.min(id))


def _summed(counted: Iterable[_Counted], pending: int) -> list[LaneStanding]:
    """Put the groups of each lane together; a lane is in one shard, but in several queries."""
    by_lane: dict[int, list[_Counted]] = {}
    for each in counted:
        by_lane.setdefault(each.lane_id, []).append(each)
    return [_standing(lane_id, groups, pending) for lane_id, groups in sorted(by_lane.items())]


def _standing(lane_id: int, groups: list[_Counted], pending: int) -> LaneStanding:
    waiting = [each for each in groups if each.state == pending]
    later = sum(each.later for each in waiting)
    others: dict[int, int] = {}
    for each in groups:
        if each.state != pending:
            others[each.state] = others.get(each.state, 0) + each.number
    return LaneStanding(
        lane_id=lane_id,
        due=sum(each.number for each in waiting) - later,
        scheduled=later,
        oldest_id=min((each.oldest_id for each in waiting), default=None),
        others=others,
        retrying=sum(each.number for each in waiting if each.is_retry),
    )
