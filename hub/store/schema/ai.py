"""What language models took, a day at a time."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table

from hub.store.schema.columns import instant, metadata

#: One row a day (UTC), so that limits are held by one statement, whichever process asks.
ai_usage = Table(
    "ai_usage",
    metadata,
    #: Days since 1970.
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("request_count", BigInteger, nullable=False),
    #: Reserved before a request, and settled after it.
    Column("token_count", BigInteger, nullable=False),
    #: Millionths of the operator's currency.
    Column("cost_micros", BigInteger, nullable=False),
    #: The hour (since 1970) of the newest request, and how many there were within it.
    Column("hour", BigInteger, nullable=False),
    Column("hour_request_count", BigInteger, nullable=False),
    instant("updated_at", nullable=False),
)
