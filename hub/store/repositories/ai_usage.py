"""What language models took, in the database: reserved before, settled after, within limits that hold exactly."""

from __future__ import annotations

from sqlalchemy import Connection, Update, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.draft import AiLimit, AiLimits, AiTally, Spending
from hub.store.database import Database
from hub.store.schema import ai_usage

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class SqlAiUsage:
    """hub.flow.repositories.AiUsage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, wanted: Spending, *, limits: AiLimits, now: int) -> AiLimit | None:
        def work(connection: Connection) -> AiLimit | None:
            _ensure_day(connection, now)
            if connection.execute(_taking(wanted, limits, now)).rowcount:
                return None
            return _met(_tally(connection, now), wanted, limits)

        return await self._database.write(work)

    async def settle(self, reserved: Spending, *, spent: Spending, reserved_at: int) -> None:
        query = (
            update(ai_usage)
            .where(ai_usage.c.day == reserved_at // DAY_MS)
            .values(
                token_count=ai_usage.c.token_count + (spent.tokens - reserved.tokens),
                cost_micros=ai_usage.c.cost_micros + (spent.cost_micros - reserved.cost_micros),
            )
        )
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def tally(self, *, now: int) -> AiTally:
        return await self._database.read(lambda connection: _tally(connection, now))


def _ensure_day(connection: Connection, now: int) -> None:
    values = {
        "day": now // DAY_MS,
        "request_count": 0,
        "token_count": 0,
        "cost_micros": 0,
        "hour": now // HOUR_MS,
        "hour_request_count": 0,
        "updated_at": now,
    }
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(ai_usage).values(values).on_conflict_do_nothing())


def _taking(wanted: Spending, limits: AiLimits, now: int) -> Update:
    """Count one request and its reservation, unless a limit would be passed."""
    columns, hour = ai_usage.c, now // HOUR_MS
    hour_requests = case((columns.hour == hour, columns.hour_request_count), else_=0) + 1
    query = (
        update(ai_usage)
        .where(columns.day == now // DAY_MS)
        .values(
            request_count=columns.request_count + 1,
            token_count=columns.token_count + wanted.tokens,
            cost_micros=columns.cost_micros + wanted.cost_micros,
            hour=hour,
            hour_request_count=hour_requests,
            updated_at=now,
        )
    )
    if limits.requests_per_hour:
        query = query.where(hour_requests <= limits.requests_per_hour)
    if limits.tokens_per_day:
        query = query.where(columns.token_count + wanted.tokens <= limits.tokens_per_day)
    if limits.cost_micros_per_day:
        query = query.where(columns.cost_micros + wanted.cost_micros <= limits.cost_micros_per_day)
    return query


def _met(tally: AiTally, wanted: Spending, limits: AiLimits) -> AiLimit:
    """Say which limit stood in the way."""
    if limits.requests_per_hour and tally.hour_requests >= limits.requests_per_hour:
        return AiLimit.REQUESTS
    if limits.tokens_per_day and tally.day_tokens + wanted.tokens > limits.tokens_per_day:
        return AiLimit.TOKENS
    return AiLimit.COST


def _tally(connection: Connection, now: int) -> AiTally:
    row = connection.execute(select(ai_usage).where(ai_usage.c.day == now // DAY_MS)).first()
    if row is None:
        return AiTally(hour_requests=0, day_requests=0, day_tokens=0, day_cost_micros=0)
    return AiTally(
        hour_requests=row.hour_request_count if row.hour == now // HOUR_MS else 0,
        day_requests=row.request_count,
        day_tokens=row.token_count,
        day_cost_micros=row.cost_micros,
    )
