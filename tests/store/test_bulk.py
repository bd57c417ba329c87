"""Bulk sends in the store, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hub.flow.repositories import Store
from hub.model.bulk import BULK_MOVES, BulkJob, BulkRecipient, BulkState, RecipientState

NOW = 1_700_000_000_000
LINE = 7


def a_job(job_id: int = 100, total: int = 3, **fields: object) -> BulkJob:
    job = BulkJob(
        id=job_id,
        line_id=LINE,
        api_key_id=None,
        name="news",
        state=BulkState.RUNNING,
        priority=0,
        send_at=None,
        rate_per_minute=None,
        metadata=None,
        total_count=total,
        duplicate_count=0,
        fed_count=0,
        next_feed_at=NOW,
        created_at=NOW,
        finished_at=None,
    )
    return replace(job, **fields)  # type: ignore[arg-type]  # the tests name the fields


def recipients(count: int) -> list[BulkRecipient]:
    return [
        BulkRecipient(position=number, handle=f"+1555010{number:04}", text=f"Hello {number}")
        for number in range(count)
    ]


async def test_a_job_is_kept_with_its_recipients(store: Store) -> None:
    await store.bulk.add(a_job(total=2_500), recipients(2_500))
    job = await store.bulk.get(100)

    assert job == a_job(total=2_500)
    assert recipients(2_500)[:5] == await store.bulk.waiting(job, 5)
    assert await store.bulk.tally([100]) == {100: {"waiting": 2_500}}


async def test_who_was_dealt_with_is_not_next(store: Store) -> None:
    await store.bulk.add(a_job(), recipients(3))
    first = replace(recipients(3)[0], state=RecipientState.SKIPPED, code="contact_opted_out", error="No.")
    state = await store.bulk.fed(100, [first], fed_count=1, next_feed_at=NOW + 5)
    job = await store.bulk.get(100)

    assert state is BulkState.RUNNING
    assert job is not None
    assert (job.fed_count, job.next_feed_at) == (1, NOW + 5)
    assert [each.position for each in await store.bulk.waiting(job, 9)] == [1, 2]
    results = await store.bulk.results(100, status=None, after=None, limit=9)
    assert [(each.status, each.recipient.code) for each in results] == [
        ("skipped", "contact_opted_out"),
        ("waiting", None),
        ("waiting", None),
    ]


async def test_a_feeder_that_is_late_does_not_turn_back_the_clock(store: Store) -> None:
    await store.bulk.add(a_job(), recipients(3))
    await store.bulk.fed(100, [], fed_count=3, next_feed_at=NOW)
    await store.bulk.fed(100, [], fed_count=1, next_feed_at=NOW)
    job = await store.bulk.get(100)

    assert job is not None
    assert job.fed_count == 3


@pytest.mark.parametrize("origin", BulkState)
@pytest.mark.parametrize("end", BulkState)
async def test_only_the_moves_of_the_table_are_made(store: Store, origin: BulkState, end: BulkState) -> None:
    await store.bulk.add(a_job(state=origin), recipients(3))
    moved = await store.bulk.move(100, end, now=NOW + 1)
    job = await store.bulk.get(100)

    assert job is not None
    if end in BULK_MOVES[origin]:
        assert moved == job
        assert (job.state, job.finished_at) == (end, None if BULK_MOVES[end] else NOW + 1)
    else:
        assert moved is None
        assert job.state is origin


async def test_one_of_many_who_cancel_does_it(store: Store) -> None:
    await store.bulk.add(a_job(), recipients(3))
    moved = await asyncio.gather(*(store.bulk.move(100, BulkState.CANCELLED, now=NOW) for _ in range(8)))

    assert len([each for each in moved if each is not None]) == 1
    assert await store.bulk.tally([100]) == {100: {"cancelled": 3}}


async def test_what_rests_at_a_limit_looks_again(store: Store) -> None:
    """Not what rests by its own rate, nor what is for later, paused, or another line's."""
    jobs = [
        a_job(1),
        a_job(2, rate_per_minute=1),
        a_job(3, rate_per_minute=1, next_feed_at=NOW + 10_000),
        a_job(4, send_at=NOW + 50_000, next_feed_at=NOW + 50_000),
        a_job(5, state=BulkState.PAUSED),
        a_job(6, line_id=LINE + 1),
    ]
    for each in jobs:
        rests_until = each.next_feed_at if each.id in {3, 4} else NOW + 86_400_000
        await store.bulk.add(replace(each, next_feed_at=rests_until), [])

    count = await store.bulk.look_again(LINE, rate_rest_ms=20_000, now=NOW)
    found = [await store.bulk.get(each.id) for each in jobs]

    assert count == 2
    assert [each is not None and each.next_feed_at == NOW for each in found] == [True, True, *[False] * 4]


async def test_jobs_are_listed_newest_first_and_by_line(store: Store) -> None:
    for job_id in (1, 2, 3):
        await store.bulk.add(a_job(job_id, line_id=LINE + job_id % 2), recipients(1))

    def ids(jobs: list[BulkJob]) -> list[int]:
        return [job.id for job in jobs]

    assert ids(await store.bulk.page(line_ids=None, after=None, limit=2)) == [3, 2]
    assert ids(await store.bulk.page(line_ids=None, after=2, limit=2)) == [1]
    assert ids(await store.bulk.page(line_ids=frozenset({LINE}), after=None, limit=9)) == [2]
    assert ids(await store.bulk.running()) == [1, 2, 3]
