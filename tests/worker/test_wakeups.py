"""Wake-ups over the real Valkey: told to all, deferred, lost, repeated, and never the truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.cron import cron
from arq.worker import func

from hub.app.core import connect_redis
from hub.app.world import SystemClock
from hub.embedded.datafolder import open_data_folder
from hub.embedded.valkey import ValkeyServer, running_valkey
from hub.worker.ending import end
from hub.worker.listener import Listener
from hub.worker.notified import NotifiedWorker
from hub.worker.wakeups import QUEUE, STREAM, RedisWakeUps
from tests.worker.time_by_hand import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with running_valkey(open_data_folder(tmp_path / "data")) as server:
        yield server


@pytest.fixture
async def redis(valkey: ValkeyServer) -> AsyncIterator[ArqRedis]:
    client = connect_redis(valkey.url)
    yield client
    await client.aclose(close_connection_pool=True)


@dataclass
class Heard:
    """What a worker hears."""

    ranges: list[tuple[int, int]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    gaps: int = 0

    def range(self, first_id: int, last_id: int) -> None:
        self.ranges.append((first_id, last_id))

    def note(self, kind: str, subject: str) -> None:
        self.notes.append((kind, subject))

    def gap(self) -> None:
        self.gaps += 1


@pytest.fixture
async def heard(redis: ArqRedis) -> AsyncIterator[Heard]:
    heard = Heard()
    listener = Listener(redis, on_range=heard.range, on_note=heard.note, on_gap=heard.gap)
    task = asyncio.get_running_loop().create_task(listener.run())
    await eventually(lambda: heard.gaps)
    yield heard
    await end([task])


@pytest.fixture
def wake_ups(redis: ArqRedis) -> RedisWakeUps:
    return RedisWakeUps(redis, SystemClock())


async def test_what_is_told_is_heard(wake_ups: RedisWakeUps, heard: Heard) -> None:
    wake_ups.deliveries_recorded(10, 20)
    wake_ups.lane_due(7, 0)
    wake_ups.line_due(8, 0)
    wake_ups.configuration_changed()
    await eventually(lambda: len(heard.notes) == 3)

    assert heard.ranges == [(10, 20)]
    assert sorted(heard.notes) == [("config", ""), ("lane", "7"), ("line", "8")]


async def test_neighbouring_ranges_become_one_that_covers_both(wake_ups: RedisWakeUps, heard: Heard) -> None:
    told = [(10, 100), (20, 30), (101, 150), (10**9, 10**9 + 5), (3, 4)]
    for first, last in told:
        wake_ups.deliveries_recorded(first, last)
    await wake_ups.flush()
    await eventually(lambda: (3, 4) in heard.ranges)

    assert heard.ranges == [(10, 150), (10**9, 10**9 + 5), (3, 4)]


async def test_what_was_told_before_the_start_is_a_gap_not_a_wake_up(
    wake_ups: RedisWakeUps, redis: ArqRedis
) -> None:
    wake_ups.deliveries_recorded(1, 2)
    await wake_ups.flush()
    late = Heard()
    listener = Listener(redis, on_range=late.range, on_note=late.note, on_gap=late.gap)
    task = asyncio.get_running_loop().create_task(listener.run())
    await eventually(lambda: late.gaps)
    await end([task])

    assert late.ranges == []


async def test_a_restarted_server_is_a_gap_and_heard_again(
    valkey: ValkeyServer, wake_ups: RedisWakeUps, heard: Heard
) -> None:
    gaps = heard.gaps
    await asyncio.to_thread(valkey.stop)
    wake_ups.deliveries_recorded(1, 2)  # nobody hears it
    await eventually(lambda: heard.gaps > gaps)
    valkey.start()
    await wake_ups.flush()

    async def tell() -> bool:
        wake_ups.deliveries_recorded(5, 6)
        await wake_ups.flush()
        return (5, 6) in heard.ranges

    for _ in range(400):
        if await tell():
            break
        await asyncio.sleep(0.01)
    assert (5, 6) in heard.ranges


async def test_after_flushall_everything_is_heard_again(
    redis: ArqRedis, wake_ups: RedisWakeUps, heard: Heard
) -> None:
    wake_ups.deliveries_recorded(1, 2)
    await eventually(lambda: heard.ranges)
    await redis.flushall()
    wake_ups.deliveries_recorded(5, 6)
    await eventually(lambda: (5, 6) in heard.ranges)


async def test_a_stream_that_counts_from_the_start_again_is_noticed(redis: ArqRedis) -> None:
    """As after a FLUSHALL on a machine whose clock was set back: its new entries have lower ids."""
    heard = Heard()
    listener = Listener(redis, on_range=heard.range, on_note=heard.note, on_gap=heard.gap, block_ms=20)
    await redis.xadd(STREAM, {"r": "1-2"})
    task = asyncio.get_running_loop().create_task(listener.run())
    await eventually(lambda: heard.gaps)
    await redis.flushall()
    await redis.xadd(STREAM, {"r": "3-4"}, id="5-1")
    await eventually(lambda: heard.gaps >= 2)
    await redis.xadd(STREAM, {"r": "5-6"}, id="6-1")
    await eventually(lambda: (5, 6) in heard.ranges)
    await end([task])


async def test_an_entry_of_a_stranger_stops_nobody(redis: ArqRedis, heard: Heard) -> None:
    for fields in ({"r": "x-y"}, {"r": "1"}, {"n": b"\xff\xfe"}, {"z": "?"}):
        await redis.xadd(STREAM, fields)  # type: ignore[arg-type] # redis-py types the mapping invariantly
    await redis.xadd(STREAM, {"r": "5-6"})
    await eventually(lambda: (5, 6) in heard.ranges)


class Jobs:
    """An arq worker like the service's, with jobs that only count."""

    def __init__(self, redis: ArqRedis, *, crons: tuple[Any, ...] = ()) -> None:
        self.woken: list[str] = []
        self.runs = 0
        self.polls = 0
        jobs = self

        class Counting(NotifiedWorker):
            async def _poll_iteration(self) -> None:
                jobs.polls += 1
                await super()._poll_iteration()

        async def wake(ctx: dict[Any, Any], *notes: Any, **_: Any) -> None:
            self.woken += notes

        async def run_jobs(ctx: dict[Any, Any], *_: Any, **__: Any) -> None:
            self.runs += 1

        self.worker = Counting(
            [func(wake, name="wake"), func(run_jobs, name="run_jobs")],
            cron_jobs=[cron(run_jobs, name="cron:run_jobs", second=set(range(60)))] if crons else None,
            redis_pool=redis,
            queue_name=QUEUE,
            keep_result=0,
            max_jobs=20,
            job_serializer=redis.job_serializer,
            job_deserializer=redis.job_deserializer,
        )
        self.task = asyncio.get_running_loop().create_task(self.worker.main())

    async def stop(self) -> None:
        await end([self.task, *self.worker.tasks.values()])


@pytest.fixture
async def jobs(redis: ArqRedis) -> AsyncIterator[Jobs]:
    jobs = Jobs(redis)
    yield jobs
    await jobs.stop()


def soon(milliseconds: int = 50) -> int:
    return int(time.time() * 1000) + milliseconds


async def test_a_deferred_wake_up_fires_when_it_is_due(
    wake_ups: RedisWakeUps, heard: Heard, jobs: Jobs
) -> None:
    at_ms = soon(300)
    wake_ups.lane_due(7, at_ms)
    await wake_ups.flush()
    await eventually(lambda: ("jobs", "") in heard.notes)  # the worker is told to look at its queue
    jobs.worker.notify()
    await eventually(lambda: jobs.woken)

    assert jobs.woken == ["lane:7"]
    assert soon(0) >= at_ms


async def test_the_same_wake_up_told_often_fires_once(wake_ups: RedisWakeUps, jobs: Jobs) -> None:
    at_ms = (soon(1_000) // 1000) * 1000
    for _ in range(20):
        wake_ups.lane_due(7, at_ms)
        await wake_ups.flush()
    wake_ups.line_due(7, at_ms)
    await wake_ups.flush()
    jobs.worker.notify()
    await eventually(lambda: len(jobs.woken) >= 2)

    assert sorted(jobs.woken) == ["lane:7", "line:7"]


async def test_jobs_carry_no_pickle(redis: ArqRedis, wake_ups: RedisWakeUps) -> None:
    wake_ups.lane_due(7, soon(60_000))
    await wake_ups.flush()
    [key] = [key async for key in redis.scan_iter("arq:job:*")]
    raw = await redis.get(key)

    assert raw is not None
    assert not raw.startswith(b"\x80")  # every pickle of protocol 2 and later begins so
    assert b"lane:7" in raw


async def test_too_far_ahead_is_left_to_the_sweeps(redis: ArqRedis, wake_ups: RedisWakeUps) -> None:
    wake_ups.lane_due(7, soon(48 * 3_600_000))
    await wake_ups.flush()

    assert await redis.zcard(QUEUE) == 0


async def test_many_wake_ups_due_at_once_all_fire_without_another_notice(
    wake_ups: RedisWakeUps, jobs: Jobs
) -> None:
    at_ms = soon(100)
    for lane in range(350):
        wake_ups.lane_due(lane, at_ms)
    await wake_ups.flush()
    jobs.worker.notify()
    await eventually(lambda: len(jobs.woken) == 350)

    assert len(set(jobs.woken)) == 350
    assert jobs.polls < 200


async def test_a_job_is_run_when_told(wake_ups: RedisWakeUps, jobs: Jobs) -> None:
    wake_ups.job_added()
    await wake_ups.flush()
    jobs.worker.notify()
    await eventually(lambda: jobs.runs == 1)


async def test_crons_run(redis: ArqRedis) -> None:
    jobs = Jobs(redis, crons=("each second",))
    try:
        for _ in range(1_000):
            jobs.worker.notify()
            await asyncio.sleep(0.01)
            if jobs.runs:
                break
        assert jobs.runs
    finally:
        await jobs.stop()


async def test_an_idle_worker_polls_once_and_waits(jobs: Jobs) -> None:
    await eventually(lambda: jobs.polls)
    for _ in range(50):
        await asyncio.sleep(0.01)

    assert jobs.polls == 1


async def test_jobs_go_on_after_the_server_was_away(
    valkey: ValkeyServer, wake_ups: RedisWakeUps, jobs: Jobs
) -> None:
    await eventually(lambda: jobs.polls)
    await asyncio.to_thread(valkey.stop)
    jobs.worker.notify()
    polls = jobs.polls
    await eventually(lambda: jobs.polls > polls)
    valkey.start()
    wake_ups.lane_due(7, soon(1))
    await wake_ups.flush()
    await eventually(lambda: jobs.woken == ["lane:7"])


async def test_flush_ends_even_if_nobody_is_there(valkey: ValkeyServer, wake_ups: RedisWakeUps) -> None:
    await asyncio.to_thread(valkey.stop)
    for number in range(5):
        wake_ups.lane_due(number, 0)
    await wake_ups.flush()
    valkey.start()
