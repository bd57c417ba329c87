"""Which webhooks have pending deliveries, by seeks into the index of the pending ones instead of a scan.

The conditions of partial indexes are spelled here as literals: neither database recognises them in parameters.
"""

from __future__ import annotations

from sqlalchemy import Connection, case, select, text

from hub.store.schema import deliveries

_shard, _webhook = deliveries.c.shard, deliveries.c.webhook_id
IS_PENDING = text("deliveries.state = 0")
#: One more replay if it was over: succeeded, or a dead letter.
REPLAYED = deliveries.c.replay_count + case((deliveries.c.state.in_((1, 2)), 1), else_=0)
IS_REFUSED = text("deliveries.last_status >= 300")
IS_WAITING_FOR_A_PERSON = text("deliveries.state IN (2, 3)")


def pending_webhooks(connection: Connection) -> frozenset[int]:
    """The ids of all webhooks with pending deliveries, at one seek each."""
    return frozenset(webhook for _, webhook in pending_lanes(connection))


def pending_lanes(connection: Connection) -> list[tuple[int, int]]:
    """Each (shard, webhook id) with pending deliveries."""
    lanes: list[tuple[int, int]] = []
    shard = _next_shard(connection, -1)
    while shard is not None:
        webhook = _next_webhook(connection, shard, -1)
        while webhook is not None:
            lanes.append((shard, webhook))
            webhook = _next_webhook(connection, shard, webhook)
        shard = _next_shard(connection, shard)
    return lanes


def _next_shard(connection: Connection, after: int) -> int | None:
    query = select(_shard).where(IS_PENDING, _shard > after).order_by(_shard).limit(1)
    return connection.execute(query).scalar()


def _next_webhook(connection: Connection, shard: int, after: int) -> int | None:
    query = select(_webhook).where(IS_PENDING, _shard == shard, _webhook > after)
    return connection.execute(query.order_by(_webhook).limit(1)).scalar()
