"""What waits is counted right on both databases, by walking indexes of nothing but what waits."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Select, select, text

from hub.flow.event_store import EventFilter, LaneStanding
from hub.flow.ports import HotTransaction
from hub.flow.repositories import DeliveryFilter, Store
from hub.flow.rows import OutboxUpdate
from hub.model.delivery import DeliveryState
from hub.model.outbox import OutboxState
from hub.store.database import Database
from hub.store.repositories.queue import delivery_queries, outbox_queries
from tests.store.specimens import ATTEMPT, FINISH, OUTBOX, delivery, event

NOW = 100


def standing(lane_id: int, **fields: Any) -> LaneStanding:
    return LaneStanding(
        **{"lane_id": lane_id, "due": 0, "scheduled": 0, "oldest_id": None, "others": {}, **fields}
    )


async def test_nothing_waits_in_an_empty_store(store: Store) -> None:
    assert await store.queue.deliveries(now=NOW) == []
    assert await store.queue.outbox(now=NOW) == []


async def test_deliveries_are_counted_a_webhook_at_a_time(store: Store) -> None:
    """Due now or later, held, dead; what is over is not counted."""

    async def arrive(tx: HotTransaction) -> None:
        await tx.insert_events([event(number) for number in range(1, 11)])
        await tx.insert_deliveries(
            [
                delivery(1, event_id=1, at=NOW),
                delivery(2, event_id=2, at=NOW + 1),
                delivery(3, event_id=3, at=NOW + 2),
                delivery(4, event_id=4, state=DeliveryState.HELD),
                delivery(5, event_id=5),
                delivery(6, event_id=6),
                delivery(7, event_id=7),
                delivery(8, event_id=8, webhook_id=8, shard=1),
                delivery(9, event_id=9, webhook_id=9, state=DeliveryState.HELD),
            ]
        )
        over = [FINISH._replace(id=number, state=state) for number, state in ((5, 1), (6, 2), (7, 2))]
        await tx.finish_deliveries(over, [])

    await store.hot.write(arrive)

    assert await store.queue.deliveries(now=NOW) == [
        standing(7, due=1, scheduled=2, oldest_id=1, others={DeliveryState.DEAD: 2, DeliveryState.HELD: 1}),
        standing(8, due=1, oldest_id=8),
        standing(9, others={DeliveryState.HELD: 1}),
    ]


async def test_sends_are_counted_a_line_at_a_time(store: Store) -> None:
    """Never tried, waiting for another try, at the bridge, unknown, failed; sent and cancelled ones are over."""
    far = NOW + 50
    items = [
        OUTBOX._replace(id=number, next_attempt_at=NOW if number != 2 else far) for number in range(1, 10)
    ]
    moves = [
        OutboxUpdate(3, OutboxState.PENDING, 1, far, None, None, None, None),
        OutboxUpdate(4, OutboxState.DISPATCHED, 1, far, 5, None, None, None),
        OutboxUpdate(5, OutboxState.DISPATCHED, 1, far, 5, None, None, None),
        OutboxUpdate(6, OutboxState.DISPATCHED, 1, far, 5, None, None, None),
        OutboxUpdate(7, OutboxState.FAILED, 1, 0, None, None, "no", 9),
        OutboxUpdate(8, OutboxState.CANCELLED, 0, 0, None, None, None, 9),
    ]
    later = [
        OutboxUpdate(5, OutboxState.UNKNOWN, 1, far, 5, None, None, None),
        OutboxUpdate(6, OutboxState.SENT, 1, 0, 5, "guid", None, 9),
    ]

    async def arrive(tx: HotTransaction) -> None:
        await tx.insert_outbox([*items, OUTBOX._replace(id=20, line_id=2, shard=1, next_attempt_at=NOW)])
        await tx.update_outbox(moves)
        await tx.update_outbox(later)

    await store.hot.write(arrive)
    others = {OutboxState.DISPATCHED: 1, OutboxState.UNKNOWN: 1, OutboxState.FAILED: 1}

    assert await store.queue.outbox(now=NOW) == [
        standing(1, due=2, scheduled=2, retrying=1, oldest_id=1, others=others),
        standing(2, due=1, oldest_id=20),
    ]


async def test_deliveries_are_found_by_what_the_receiver_answered(store: Store) -> None:
    """A range of codes, none at all, oldest or newest first, with the last attempt of each."""
    statuses = {1: 200, 2: 404, 3: 503, 4: None, 5: 301}

    async def arrive(tx: HotTransaction) -> None:
        await tx.insert_events([event(number) for number in range(1, 7)])
        await tx.insert_deliveries([delivery(number, event_id=number) for number in range(1, 7)])
        finished = [
            FINISH._replace(id=number, state=2, attempt_count=2, last_status=status)
            for number, status in statuses.items()
        ]
        attempts = [
            ATTEMPT._replace(delivery_id=number, number=count, status=status)
            for number, status in statuses.items()
            for count in (1, 2)
        ]
        await tx.finish_deliveries(finished, attempts)

    await store.hot.write(arrive)

    async def found(*, is_oldest_first: bool = True, **wanted: Any) -> list[int]:
        listed = await store.deliveries.list(
            DeliveryFilter(webhook_id=7, **wanted), after=None, limit=9, is_oldest_first=is_oldest_first
        )
        return [each.id for each in listed]

    assert await found(least_status=300, most_status=499) == [2, 5]
    assert await found(least_status=200, most_status=200) == [1]
    assert await found(least_status=500) == [3]
    assert await found(most_status=299) == [1]
    assert await found(is_unanswered=True) == [4]
    assert await found(webhook_ids=frozenset({8})) == []
    assert await found(webhook_ids=frozenset({7, 8}), is_oldest_first=False) == [6, 5, 4, 3, 2, 1]
    last = await store.deliveries.last_attempts([2, 3, 6])
    assert {number: (each.number, each.status) for number, each in last.items()} == {2: (2, 404), 3: (2, 503)}


async def test_pages_of_the_oldest_first_follow_each_other(store: Store) -> None:
    async def arrive(tx: HotTransaction) -> None:
        await tx.insert_events([event(number) for number in range(1, 6)])
        await tx.insert_deliveries([delivery(number, event_id=number) for number in range(1, 6)])

    await store.hot.write(arrive)
    first = await store.deliveries.list(DeliveryFilter(), after=None, limit=2, is_oldest_first=True)
    rest = await store.deliveries.list(DeliveryFilter(), after=first[-1].id, limit=9, is_oldest_first=True)

    assert [each.id for each in (*first, *rest)] == [1, 2, 3, 4, 5]


# ---- what it costs

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
_DELIVERIES = (
    "INSERT INTO deliveries "
    "(id, event_id, webhook_id, shard, state, attempt_count, next_attempt_at, last_status) "
)
_OUTBOX = "INSERT INTO outbox (id, line_id, shard, kind, payload, state, attempt_count, next_attempt_at, created_at) "
FILL = (
    f"{_DELIVERIES} {_NUMBERS} SELECT i, i, i % 50, i % 16, 0, 0, i, NULL FROM n",
    f"{_DELIVERIES} {_NUMBERS} SELECT i + 20000, i + 20000, i % 50, i % 16, 1, 1, i, 200 FROM n",
    f"{_DELIVERIES} {_NUMBERS} SELECT i + 40000, i + 40000, i % 50, i % 16, 2, 1, i, 500 FROM n WHERE i % 100 = 0",
    f"{_OUTBOX} {_NUMBERS} SELECT i, i % 50, i % 16, 'send', '{{}}', 0, 0, i, 1 FROM n",
    f"{_OUTBOX} {_NUMBERS} SELECT i + 20000, i % 50, i % 16, 'send', '{{}}', 3, 1, i, 1 FROM n",
    f"{_OUTBOX} {_NUMBERS} SELECT i + 40000, i % 50, i % 16, 'send', '{{}}', 4, 1, i, 1 FROM n WHERE i % 100 = 0",
    f"{_OUTBOX} {_NUMBERS} SELECT i + 60000, i % 50, i % 16, 'send', '{{}}', 1, 1, i, 1 FROM n WHERE i % 1000 = 0",
)


def fill(connection: Connection) -> None:
    """20,000 that wait beside 20,000 that are over, in each table."""
    for statement in FILL:
        connection.execute(text(statement))
    connection.execute(text("ANALYZE"))


def plan_of(connection: Connection, query: Select[Any]) -> list[str]:
    """The steps that read something, in the database's own words."""
    compiled = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    prefix = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.execute(text(f"{prefix} {compiled}".replace(":", "\\:")))
    return [row[-1].strip() for row in rows]


@pytest.mark.slow
async def test_counting_walks_indexes_of_what_waits(store: Store) -> None:
    """Never a whole table, whatever history it has."""
    database: Database = store.queue._database  # type: ignore[attr-defined] # the one that the fixture opened
    await database.write(fill)
    queries = [*delivery_queries(NOW), *outbox_queries(NOW)]
    plans = await database.read(lambda connection: [plan_of(connection, query) for query in queries])
    indexes = [
        "ix_deliveries_pending",
        "ix_deliveries_waiting_for_a_person",
        "ix_outbox_waiting",
        "ix_outbox_started",
        "ix_outbox_failed",
    ]

    for plan, index in zip(plans, indexes, strict=True):
        assert any(index in step for step in plan), plan
        assert not any(step.startswith(("Seq Scan", "->  Seq Scan")) for step in plan), plan
    standings = await store.queue.deliveries(now=20_000)
    assert sum(each.due for each in standings) == 20_000
    assert sum(each.others[DeliveryState.DEAD] for each in standings if each.others) == 200


@pytest.mark.slow
async def test_what_was_refused_is_found_without_walking_what_was_not(store: Store) -> None:
    from hub.store.repositories.deliveries import _wanted
    from hub.store.schema import deliveries

    database: Database = store.queue._database  # type: ignore[attr-defined] # the one that the fixture opened
    await database.write(fill)
    wanted = DeliveryFilter(webhook_id=0, least_status=500, most_status=599)
    query = _wanted(deliveries.select(), wanted).order_by(deliveries.c.id.desc()).limit(51)
    plan = await database.read(lambda connection: plan_of(connection, query))

    assert any("ix_deliveries_refused" in step for step in plan), plan


@pytest.mark.slow
async def test_events_are_looked_for_in_their_index_alone(store: Store) -> None:
    """In the order of the positions, so that a full page ends the walk, and nothing is sorted."""
    from hub.store.repositories.events import _fits, _position, _Way

    fill_events = (
        "INSERT INTO events (id, position, type, line_id, chat_id, dedupe_key, occurred_at, data) "
        f"{_NUMBERS} SELECT i, i, 'message.received', i % 7, i % 500, {{digest}}, 1, '{{{{}}}}' FROM n"
    )
    database: Database = store.queue._database  # type: ignore[attr-defined] # the one that the fixture opened

    def plans(connection: Connection) -> list[list[str]]:
        wanted = EventFilter(types=frozenset({"a", "b"}), line_ids=frozenset({1, 2}), chat_id=4)
        return [
            plan_of(connection, query)
            for way in (_Way(is_up=True, far_end=2**62), _Way(is_up=False, far_end=0))
            for query in (
                way.between(select(_position).where(*_fits(wanted)), 10_000, None).limit(50),
                way.end_of_window(10_000, 500),
            )
        ]

    is_sqlite = await database.read(lambda connection: connection.dialect.name == "sqlite")
    digest = "cast(i AS blob)" if is_sqlite else "decode(lpad(to_hex(i), 32, '0'), 'hex')"
    await database.write(
        lambda connection: connection.execute(text(fill_events.format(digest=digest))).rowcount
    )
    await database.write(lambda connection: connection.execute(text("ANALYZE")).rowcount)

    for plan in await database.read(plans):
        assert any("ix_events_position" in step for step in plan), plan
        assert not any("Sort" in step or "TEMP B-TREE" in step or "Seq Scan" in step for step in plan), plan
        assert any("COVERING INDEX" in step or "Index Only Scan" in step for step in plan), plan
